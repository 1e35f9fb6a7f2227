"""The engine and its slow twin, against density matrices that share no code with either."""

import numpy as np
import pytest

from nmr_platform.simulation import simulate, simulate_naively
from tests.builders import UNIT_STEP, delay, experiment, pulse
from tests.naive import density_matrix

TOLERANCE = 1e-10
KERNELS = {
    "gaussian": {"kind": "gaussian", "xi": 1.5},
    "stretched": {"kind": "gaussian", "xi": 2.0, "exponent": 1.0, "d": 0.7},
    "power": {"kind": "power", "exponent": 3.0},
    "rkky": {"kind": "rkky", "xi": 3.0},
    "uniform": {"kind": "uniform"},
    "staggered": {"kind": "power", "exponent": 2.0, "antiferromagnetic": True, "d": -0.3},
    # The only kernel that is not even in r: it needs the complex spectrum.
    "p-wave": {"kind": "gaussian", "xi": 1.5, "s": 0.5, "p": 1.0},
}
SEQUENCES = {
    "hahn": {"kind": "hahn", "tau": 12 * UNIT_STEP, "theta1": 70.0, "phi1": 20.0, "theta2": 140.0, "phi2": 65.0},
    "cpmg": {"kind": "cpmg", "echo_spacing": 10 * UNIT_STEP, "n_echoes": 3, "theta2": 170.0},
    "custom": {"kind": "custom", "elements": [pulse(60), pulse(35, 90), delay(7), delay(0), pulse(-100, 45), delay(9)]},
}
BATHS = {
    "closed": {},
    "dephasing": {"gamma_z": 0.03},
    "relaxing": {"gamma_plus": 0.02, "gamma_minus": 0.005, "gamma_z": 0.01},
}


def draw_offsets(shape, largest=0.25):
    return np.random.default_rng(5).uniform(-largest, largest, shape)


def record(echo):
    return np.column_stack([echo.m.real, echo.m.imag, echo.m_z])


def assert_agrees(values, twin_offsets, *, engine=True):
    expected = density_matrix.evolve(values, twin_offsets)
    naive = record(simulate_naively(values, offsets=twin_offsets))
    assert naive.shape == expected.shape
    assert np.abs(naive - expected).max() < TOLERANCE
    if engine:
        fast = record(simulate(values, offsets=twin_offsets, dtype="float64"))
        assert fast.shape == expected.shape
        assert np.abs(fast - expected).max() < TOLERANCE


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(4, 4), (3, 5)], ids=str)
def test_every_kernel_in_the_plane(shape, kernel):
    assert_agrees(
        experiment(lattice={"shape": shape}, kernel=KERNELS[kernel], sequence=SEQUENCES["hahn"]), draw_offsets(shape)
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(7,), (2, 3, 2)], ids=str)
def test_every_kernel_on_a_chain_and_in_space(shape, kernel):
    values = experiment(lattice={"shape": shape}, kernel=KERNELS[kernel], sequence=SEQUENCES["hahn"])
    # Compiling the complex spectrum once more for these shapes would only cost time.
    assert_agrees(values, draw_offsets(shape), engine="p" not in KERNELS[kernel])


@pytest.mark.parametrize("bath", BATHS)
@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
def test_every_weighting_sequence_and_bath(weights, sequence, bath):
    # Weights of order 1/N need couplings N times as large for the same field.
    scale = 1.0 if weights == "sampled" else 15.0
    values = experiment(
        coupling={"alpha_x": 0.02 * scale, "alpha_y": 0.05 * scale, "alpha_z": -0.03 * scale},
        line={"fwhm": 0.2, "bandwidth": 0.5, "weights": weights},
        sequence=SEQUENCES[sequence],
        dissipation=BATHS[bath],
    )
    grid = np.random.default_rng(2).permutation(np.linspace(-0.25, 0.25, 16)).reshape(4, 4)
    assert_agrees(values, grid)


@pytest.mark.parametrize("coupled", ["x", "y", "z", "xz", ""])
def test_any_subset_of_components_may_couple(coupled):
    coupling = {f"alpha_{d}": 0.05 if d in coupled else 0.0 for d in "xyz"}
    assert_agrees(experiment(coupling=coupling, sequence=SEQUENCES["hahn"]), draw_offsets((4, 4)))


@pytest.mark.parametrize("largest", [0.99, 1.5, 3.5, 9.0])
def test_steps_that_turn_spins_by_several_radians(largest):
    assert_agrees(experiment(sequence=SEQUENCES["hahn"]), draw_offsets((4, 4), largest))


def test_fields_that_turn_spins_by_several_radians():
    strong = {"alpha_x": 0.8, "alpha_y": 0.5, "alpha_z": 1.2}
    short = {"kind": "custom", "elements": [pulse(50), delay(6)]}
    assert_agrees(experiment(coupling=strong, sequence=short), draw_offsets((4, 4)))


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
def test_drawn_disorder_is_the_same_for_the_engine_and_its_twin(weights):
    values = experiment(line={"fwhm": 0.05, "bandwidth": 0.5, "weights": weights})
    fast, slow = (
        run(values, seed=4) for run in (lambda e, seed: simulate(e, seed=seed, dtype="float64"), simulate_naively)
    )
    assert np.abs(record(fast) - record(slow)).max() < TOLERANCE
