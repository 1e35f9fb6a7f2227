"""The engine and its slow twin, against density matrices that share no code with either."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.simulation import simulate, simulate_naively
from nmr_platform.simulation.engine import draw_gain
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.naive import density_matrix
from tests.simulation.systems import CLOSED, RELAXING, draw_offsets, record

TOLERANCE = 1e-10
LATTICES = {
    "chain": {"shape": [7]},
    "square": {"shape": [4, 4]},
    "oblong": {"shape": [3, 5]},
    "rectangular": {"kind": "rectangular", "shape": [3, 4], "spacing": [1.3, 0.9]},
    "triangular": {"kind": "triangular", "shape": [3, 4]},
    "honeycomb": {"kind": "honeycomb", "shape": [3, 2], "spacing": 0.8},
    "oblique": {
        "kind": "bravais",
        "shape": [3, 3],
        "vectors": [[1.1, 0.2], [-0.4, 1.3]],
        "basis": [[0.0, 0.0], [0.4, 0.15], [0.25, 0.7]],
        "spacing": 1.2,
    },
    "cubic": {"shape": [2, 3, 2]},
}
KERNELS = {
    "gaussian": {"kind": "gaussian", "xi": 1.5},
    "stretched": {"kind": "gaussian", "xi": 2.0, "exponent": 1.0},
    "exponential": {"kind": "exponential", "xi": 1.2},
    "power": {"kind": "power", "exponent": 3.0},
    "rkky": {"kind": "rkky", "xi": 3.0},
    "uniform": {"kind": "uniform"},
    "staggered": {"kind": "power", "exponent": 2.0, "antiferromagnetic": True},
}
# Not even in r, or not isotropic: where two images of a site are equally far, it matters which is taken.
ANGULAR = {
    "p-wave": {"kind": "gaussian", "xi": 1.5, "s": 0.5, "p": 1.0},
    "d-wave": {"kind": "rkky", "xi": 2.0, "s": 0.0, "d": -0.8},
    "mixed": {"kind": "exponential", "xi": 2.0, "s": 0.3, "p": -0.4, "d": 0.6},
}
UNIQUE_IMAGES = ("square", "oblong", "rectangular", "oblique")
SHORT = {
    "kind": "custom",
    "elements": [pulse(70, 20), delay(5), shaped((1.5 * UNIT_STEP, 0.1, 30.0), (0.6 * UNIT_STEP, 0.2, 75.0)), delay(6)],
}
SEQUENCES = {
    "hahn": {"kind": "hahn", "tau": 12 * UNIT_STEP, "theta1": 70.0, "phi1": 20.0, "theta2": 140.0, "phi2": 65.0},
    "finite hahn": {"kind": "hahn", "tau": 7 * UNIT_STEP, "theta1": 80.0, "theta2": -150.0, "nutation": 0.4},
    "cpmg": {"kind": "cpmg", "echo_spacing": 10 * UNIT_STEP, "n_echoes": 3, "theta2": 170.0},
    "finite cpmg": {"kind": "cpmg", "echo_spacing": 6 * UNIT_STEP, "n_echoes": 2, "theta1": 60.0, "nutation": 0.4},
    "stimulated": {"kind": "stimulated", "tau": 5 * UNIT_STEP, "mixing": 8 * UNIT_STEP, "theta3": 75.0, "phi2": 40.0},
    "finite stimulated": {
        "kind": "stimulated",
        "tau": 3 * UNIT_STEP,
        "mixing": 4 * UNIT_STEP,
        "phi1": 15.0,
        "phi3": 100.0,
        "nutation": 0.5,
    },
    "recovery": {
        "kind": "inversion_recovery",
        "recovery": 9 * UNIT_STEP,
        "acquisition": 7 * UNIT_STEP,
        "theta1": 170.0,
        "phi2": 5.0,
    },
    "custom": {"kind": "custom", "elements": [pulse(60), pulse(35, 90), delay(7), delay(0), pulse(-100, 45), delay(9)]},
    "shaped": {
        "kind": "custom",
        "elements": [
            shaped((2.0 * UNIT_STEP, 0.15, 10.0), (0.3 * UNIT_STEP, -0.9, 0.0), (1.0 * UNIT_STEP, 0.0, 0.0)),
            delay(6),
            pulse(120, 80, duration=4.4 * UNIT_STEP),
            pulse(30),
            delay(7),
        ],
    },
}
BATHS = {"closed": CLOSED, "dephasing": {"gamma_z": 0.03}, "relaxing": RELAXING}


def assert_agrees(values, twin_offsets, *, gain=None, seed=0):
    expected = density_matrix.evolve(values, twin_offsets, gain=gain)
    assert expected.shape == (values.n_samples, 3)
    assert np.abs(expected[:, :2]).max() > 0.01
    for run in (simulate_naively, lambda *a, **k: simulate(*a, dtype="float64", **k)):
        found = record(run(values, offsets=twin_offsets, seed=seed))
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < TOLERANCE


def of_lattice(lattice, **changes):
    """An experiment on a lattice, with even lengths where the kernel's sign alternates, and its offsets."""
    grid = dict(LATTICES[lattice])
    if changes["kernel"].get("antiferromagnetic"):
        grid["shape"] = [n + n % 2 for n in grid["shape"]]
    values = experiment(lattice=grid, coupling={"alpha_x": 0.015, "alpha_y": 0.025, "alpha_z": -0.04}, **changes)
    return values, draw_offsets(values.lattice.site_shape)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("lattice", LATTICES)
def test_every_kernel_on_every_lattice(lattice, kernel):
    assert_agrees(*of_lattice(lattice, kernel=KERNELS[kernel], sequence=SHORT))


@pytest.mark.parametrize("kernel", ANGULAR)
@pytest.mark.parametrize("lattice", UNIQUE_IMAGES)
def test_every_angular_factor(lattice, kernel):
    assert_agrees(*of_lattice(lattice, kernel=ANGULAR[kernel], sequence=SHORT))


def table(shape, n_basis):
    """A random mutual coupling K(a, b, R) = K(b, a, -R), without anything on the diagonal."""
    values = np.random.default_rng(8).normal(size=(n_basis, n_basis, *shape))
    axes = tuple(range(2, values.ndim))
    return (values + np.roll(np.flip(values.swapaxes(0, 1), axes), 1, axes)) / 2


@pytest.mark.parametrize("lattice", ["chain", "oblong", "honeycomb", "oblique"])
def test_a_kernel_given_as_a_table(lattice):
    cells = experiment(lattice=LATTICES[lattice]).lattice
    values = table(cells.shape, cells.n_basis)
    values = values[0, 0] if cells.n_basis == 1 else values
    assert_agrees(*of_lattice(lattice, kernel={"kind": "table", "values": values.tolist()}, sequence=SHORT))


@pytest.mark.parametrize("lattice", ["chain", "oblong"])
def test_a_kernel_given_as_its_spectrum(lattice):
    wave_vectors = np.fft.fftn(table(LATTICES[lattice]["shape"], 1)[0, 0]).real
    assert_agrees(*of_lattice(lattice, kernel={"kind": "table", "spectrum": wave_vectors.tolist()}, sequence=SHORT))


@pytest.mark.parametrize("bath", BATHS)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_every_sequence_and_bath(sequence, bath):
    assert_agrees(experiment(sequence=SEQUENCES[sequence], dissipation=BATHS[bath]), draw_offsets((4, 4)))


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("weights", ["integrated", "normalised"])
def test_every_sequence_with_weights_of_order_1_over_n(weights, sequence):
    # They need couplings N times as large for the same field.
    values = experiment(
        coupling={"alpha_x": 0.3, "alpha_y": 0.75, "alpha_z": -0.45},
        line={"fwhm": 0.2, "bandwidth": 0.5, "weights": weights},
        sequence=SEQUENCES[sequence],
        dissipation=RELAXING,
    )
    grid = np.random.default_rng(2).permutation(np.linspace(-0.25, 0.25, 16)).reshape(4, 4)
    assert_agrees(values, grid)


LINES = {
    "lorentzian": {"kind": "lorentzian", "fwhm": 0.1, "bandwidth": 0.4},
    "gaussian": {"kind": "gaussian", "fwhm": 0.15, "bandwidth": 0.4},
    "table": {"kind": "table", "offsets": [-0.2, 0.05, 0.2], "densities": [1.0, 4.0, 0.5]},
}


@pytest.mark.parametrize("line", LINES)
def test_every_line_integrated(line):
    grid = np.random.default_rng(2).permutation(np.linspace(-0.2, 0.2, 16)).reshape(4, 4)
    strong = {"alpha_x": 0.3, "alpha_y": 0.5, "alpha_z": -0.4}
    assert_agrees(experiment(line=LINES[line] | {"weights": "integrated"}, coupling=strong, sequence=SHORT), grid)


@pytest.mark.parametrize("bath", BATHS)
@pytest.mark.parametrize("kernel", ["gaussian", "rkky"])
def test_two_sublattices_under_finite_pulses(kernel, bath):
    values = experiment(
        lattice={"kind": "honeycomb", "shape": [3, 3]},
        kernel=KERNELS[kernel],
        sequence=SEQUENCES["shaped"],
        dissipation=BATHS[bath],
        coupling={"alpha_x": 0.05, "alpha_y": -0.02, "alpha_z": 0.08},
    )
    assert_agrees(values, draw_offsets((2, 3, 3)))


@pytest.mark.parametrize("sequence", ["custom", "finite hahn", "shaped"])
@pytest.mark.parametrize("calibration", [0.83, -1.1, 0.0])
def test_a_miscalibrated_drive(sequence, calibration):
    values = experiment(sequence=SEQUENCES[sequence], drive={"calibration": calibration}, dissipation=RELAXING)
    if calibration:
        assert_agrees(values, draw_offsets((4, 4)))
    else:
        assert np.abs(density_matrix.evolve(values, draw_offsets((4, 4)))[:, :2]).max() < 1e-15
        assert np.abs(simulate(values, offsets=draw_offsets((4, 4)), dtype="float64").m).max() < 1e-15


@pytest.mark.parametrize("sequence", ["custom", "finite hahn", "shaped"])
def test_a_drive_that_differs_from_spin_to_spin(sequence):
    uneven = {"calibration": 0.9, "inhomogeneity": 0.2}
    values = experiment(sequence=SEQUENCES[sequence], drive=uneven, dissipation=RELAXING)
    gain = draw_gain(values, 7)
    assert gain.std() > 0.1
    assert_agrees(values, draw_offsets((4, 4)), gain=gain, seed=7)


CYCLE = [
    {"pulses": [0.0, 0.0]},
    {"pulses": [90.0, 200.0], "receiver": 70.0},
    {"pulses": [-30.0, 45.0], "receiver": 180.0},
]


@pytest.mark.parametrize("sequence", ["hahn", "finite hahn", "recovery"])
def test_a_phase_cycle(sequence):
    values = experiment(sequence=SEQUENCES[sequence], phase_cycle=CYCLE, dissipation=RELAXING)
    assert_agrees(values, draw_offsets((4, 4)))


@pytest.mark.parametrize("receiver", [{"dead_time": 2.5 * UNIT_STEP}, {"every": 3}, {"dead_time": 0.5, "every": 2}])
def test_a_choosy_receiver(receiver):
    for sequence in ("hahn", "finite cpmg", "shaped"):
        assert_agrees(experiment(sequence=SEQUENCES[sequence], receiver=receiver), draw_offsets((4, 4)))


@pytest.mark.parametrize("coupled", ["x", "y", "z", "xy", "xz", "yz", ""])
def test_any_subset_of_components_may_couple(coupled):
    coupling = {f"alpha_{d}": 0.05 if d in coupled else 0.0 for d in "xyz"}
    for sequence in ("hahn", "shaped"):
        assert_agrees(experiment(coupling=coupling, sequence=SEQUENCES[sequence]), draw_offsets((4, 4)))


def test_couplings_of_the_laboratory_frame_are_averaged():
    coupling = {"alpha_x": 0.08, "alpha_y": 0.01, "alpha_z": -0.03, "frame": "laboratory"}
    assert_agrees(experiment(coupling=coupling, sequence=SEQUENCES["shaped"]), draw_offsets((4, 4)))


TENSOR = {"alpha_x": 0.02, "alpha_y": 0.05, "alpha_z": -0.03, "alpha_xy": 0.04, "alpha_xz": -0.025, "alpha_yz": 0.015}


@pytest.mark.parametrize("frame", ["rotating", "laboratory"])
@pytest.mark.parametrize("field", [{}, {"polar": 50.0}, {"azimuth": -35.0}, {"polar": 115.0, "azimuth": 250.0}])
def test_a_tensor_seen_along_any_direction_of_the_field(field, frame):
    for sequence in ("hahn", "shaped"):
        changes = {"coupling": TENSOR | {"frame": frame}, "field": field, "dissipation": RELAXING}
        assert_agrees(experiment(sequence=SEQUENCES[sequence], **changes), draw_offsets((4, 4)))


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
def test_a_tensor_on_two_sublattices_with_all_weights(weights):
    strength = 1 if weights == "sampled" else 18
    values = experiment(
        lattice={"kind": "honeycomb", "shape": [3, 3]},
        coupling={name: strength * alpha for name, alpha in TENSOR.items()},
        line={"fwhm": 0.2, "bandwidth": 0.5, "weights": weights},
        sequence=SHORT,
    )
    assert_agrees(values, np.random.default_rng(2).permutation(np.linspace(-0.25, 0.25, 18)).reshape(2, 3, 3))


@pytest.mark.parametrize("element", ["xy", "xz", "yz"])
def test_an_element_off_the_diagonal_may_be_the_only_one(element):
    alone = dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), 0.0) | {f"alpha_{element}": 0.06}
    assert_agrees(experiment(coupling=alone, sequence=SEQUENCES["shaped"]), draw_offsets((4, 4)))


@pytest.mark.filterwarnings("ignore::nmr_platform.simulation.CoarseStepWarning")
@pytest.mark.parametrize("largest", [0.99, 1.5, 3.5, 9.0])
def test_steps_that_turn_spins_by_several_radians(largest):
    for sequence in ("hahn", "shaped"):
        assert_agrees(experiment(sequence=SEQUENCES[sequence]), draw_offsets((4, 4), largest))


@pytest.mark.filterwarnings("ignore::nmr_platform.simulation.CoarseStepWarning")
def test_fields_that_turn_spins_by_several_radians():
    strong = {"alpha_x": 0.8, "alpha_y": 0.5, "alpha_z": 1.2}
    short = {"kind": "custom", "elements": [pulse(50), delay(6)]}
    assert_agrees(experiment(coupling=strong, sequence=short), draw_offsets((4, 4)))


@pytest.mark.filterwarnings("ignore::nmr_platform.simulation.CoarseStepWarning")
def test_pulses_that_turn_spins_by_several_radians_a_step():
    hard = {"kind": "hahn", "tau": 5 * UNIT_STEP, "theta1": 90.0, "theta2": 720.0, "nutation": 2.0}
    assert_agrees(experiment(sequence=hard), draw_offsets((4, 4)))


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
def test_drawn_disorder_is_the_same_for_the_engine_and_its_twin(weights):
    values = experiment(line={"fwhm": 0.05, "bandwidth": 0.5, "weights": weights}, drive={"inhomogeneity": 0.1})
    fast, slow = simulate(values, seed=4, dtype="float64"), simulate_naively(values, seed=4)
    assert np.abs(record(fast) - record(slow)).max() < TOLERANCE


angles, phases = st.floats(-360, 360), st.floats(-360, 360)
# Short against the step and not a multiple of it.
lengths = st.sampled_from([0.0, 1e-9, 0.05, 0.4, 1.0, 2.7])
segments = st.tuples(lengths.filter(bool), st.floats(-0.3, 0.3), phases)
elements = st.one_of(
    st.builds(pulse, angles, phases),
    st.builds(lambda theta, phi, extra: pulse(theta, phi, abs(theta) / 100 + extra), angles, phases, lengths),
    st.builds(lambda parts: shaped(*parts), st.lists(segments, min_size=1, max_size=4)),
    st.builds(delay, st.integers(0, 5)),
)


@pytest.mark.filterwarnings("ignore::nmr_platform.simulation.CoarseStepWarning")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    first=elements.filter(lambda element: element["kind"] != "delay"),
    rest=st.lists(elements, max_size=6),
    alpha=st.tuples(*[st.sampled_from([0.0, 0.03, -0.08])] * 3),
    mixing=st.sampled_from([{}, {}, {"alpha_xy": 0.05}, {"alpha_xz": -0.02, "alpha_yz": 0.04}]),
    field=st.sampled_from([{}, {}, {"polar": 90.0}, {"polar": 25.0, "azimuth": 130.0}]),
    weights=st.sampled_from(["sampled", "integrated", "normalised"]),
    receiver=st.builds(dict, every=st.integers(1, 3), dead_time=st.sampled_from([0.0, 0.2, 0.5])),
    inhomogeneity=st.sampled_from([0.0, 0.1]),
    rates=st.tuples(*[st.sampled_from([0.0, 0.05])] * 3),
    seed=st.integers(0, 9),
)
def test_any_experiment_is_the_same_in_the_engine_and_its_twin(
    first, rest, alpha, mixing, field, weights, receiver, inhomogeneity, rates, seed
):
    values = experiment(
        lattice={"shape": [3, 3]},
        coupling=dict(zip(("alpha_x", "alpha_y", "alpha_z"), alpha, strict=True)) | mixing,
        field=field,
        line={"fwhm": 0.1, "bandwidth": 0.5, "weights": weights},
        sequence={"kind": "custom", "elements": [first, *rest, delay(14)]},
        receiver=receiver,
        drive={"calibration": 0.95, "inhomogeneity": inhomogeneity},
        dissipation=dict(zip(("gamma_plus", "gamma_minus", "gamma_z"), rates, strict=True)),
    )
    fast, slow = simulate(values, seed=seed, dtype="float64"), simulate_naively(values, seed=seed)
    assert np.array_equal(fast.time, slow.time)
    assert np.abs(record(fast) - record(slow)).max() < TOLERANCE


@pytest.mark.parametrize("integrator", ["euler", "midpoint", "fast"])
def test_single_precision_follows_the_twin_to_its_own_rounding(integrator):
    for sequence in ("shaped", "finite stimulated"):
        for coupling in (TENSOR, {"alpha_x": 0.02, "alpha_y": 0.03, "alpha_z": -0.05}):
            values = experiment(
                sequence=SEQUENCES[sequence], dissipation=RELAXING, drive={"inhomogeneity": 0.1}, coupling=coupling
            )
            double, single = (simulate(values, integrator=integrator, dtype=dtype) for dtype in ("float64", "float32"))
            assert np.abs(record(double) - record(single)).max() < 2e-6
