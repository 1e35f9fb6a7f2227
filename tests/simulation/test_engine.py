"""What `simulate` promises its callers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nmr_platform import ConfigurationError, simulate
from nmr_platform.simulation import DTYPES, INTEGRATORS, curve_streams, simulate_naively
from tests.builders import UNIT_STEP, delay, experiment, pulse


@pytest.mark.parametrize(("dtype", "complex_dtype"), [("float32", np.complex64), ("float64", np.complex128)])
@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_a_record_has_one_sample_a_step_in_the_asked_precision(integrator, dtype, complex_dtype):
    values = experiment()
    echo = simulate(values, integrator=integrator, dtype=dtype)
    assert echo.time.shape == echo.m.shape == echo.m_z.shape == (values.n_samples,)
    assert (echo.m.dtype, echo.m_z.dtype) == (complex_dtype, np.dtype(dtype))
    assert np.array_equal(echo.time, values.time)


@pytest.mark.parametrize("run", [simulate, simulate_naively])
def test_the_first_sample_is_the_state_just_after_the_first_pulse(run):
    elements = [pulse(30), pulse(60, 90), delay(5), pulse(90), delay(5)]
    echo = run(experiment(sequence={"kind": "custom", "elements": elements}))
    assert echo.m[0] == pytest.approx(-0.25j, abs=1e-7)
    assert echo.m_z[0] == pytest.approx(0.5 * np.cos(np.pi / 6), abs=1e-7)


def test_a_pulse_inside_the_record_acts_between_two_samples():
    until, through = (
        experiment(sequence={"kind": "custom", "elements": [pulse(90), delay(10), pulse(theta, 90), delay(10)]})
        for theta in (0, 180)
    )
    before, after = simulate(until), simulate(through)
    assert np.array_equal(before.m[:11], after.m[:11])
    assert not np.isclose(before.m[11], after.m[11], atol=1e-3)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_single_precision_follows_double_precision_over_a_whole_reference_record(integrator):
    values = experiment(
        lattice={"shape": [64, 64]},
        kernel={"kind": "gaussian", "xi": 10.0},
        coupling={"alpha_x": 1e-4, "alpha_y": 1e-4, "alpha_z": 1.19e-4},
        line={"fwhm": 0.05, "bandwidth": 1.0},
        sequence={"kind": "hahn", "tau": 100.0, "theta1": 60.0, "theta2": 120.0},
    )
    assert 0.099 < values.kernel_integral < 0.1
    single, double = (simulate(values, dtype=dtype, integrator=integrator) for dtype in DTYPES)
    assert single.m.size == 1884
    assert np.abs(single.m - double.m).max() < 2e-4
    assert np.abs(single.m_z - double.m_z).max() < 2e-4


def test_single_precision_sums_a_million_spins():
    # Equal spins are the worst case: rounding errors of a running sum do not average out.
    values = experiment(
        lattice={"shape": [1024, 1024]},
        coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0},
        sequence={"kind": "custom", "elements": [pulse(37), delay(3)]},
    )
    echo = simulate(values)
    assert np.abs(echo.m_z - 0.5 * np.cos(np.deg2rad(37))).max() < 1e-6


def test_sites_of_two_sublattices_have_offsets_of_their_own():
    values = experiment(lattice={"kind": "honeycomb", "shape": [3, 5]})
    offsets = np.random.default_rng(1).uniform(-0.2, 0.2, (2, 3, 5))
    single, double = (simulate(values, offsets=offsets, dtype=dtype) for dtype in DTYPES)
    assert np.abs(single.m - double.m).max() < 2e-6
    # Inversion swaps the sublattices; swapping them alone is no symmetry of the disorder.
    inverted, swapped = np.roll(np.flip(offsets), 1, axis=(1, 2)), offsets[::-1]
    assert np.allclose(double.m, simulate(values, offsets=inverted, dtype="float64").m, atol=1e-12)
    assert not np.allclose(double.m, simulate(values, offsets=swapped, dtype="float64").m, atol=1e-5)
    with pytest.raises(ConfigurationError, match=r"lattice's shape \(2, 3, 5\), but has \(3, 5\)"):
        simulate(values, offsets=offsets[0])


EVERYTHING = {
    "sequence": {"kind": "hahn", "tau": 20 * UNIT_STEP, "nutation": 0.4},
    "drive": {"inhomogeneity": 0.1},
    "phase_cycle": [{"pulses": [0.0, 0.0]}, {"pulses": [0.0, 180.0]}],
    "receiver": {"noise": 1e-3},
    "dissipation": {"gamma_z": 0.01},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("changes", [{"lattice": {"shape": [16, 16]}}, EVERYTHING], ids=["plain", "everything"])
def test_the_same_seed_gives_the_same_bits_on_any_thread(changes, integrator, dtype):
    values = experiment(**changes)

    def run(seed):
        echo = simulate(values, seed=seed, integrator=integrator, dtype=dtype)
        return np.concatenate([echo.m, echo.m_z])

    alone = [run(seed) for seed in range(6)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, range(6)))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_another_seed_gives_another_disorder():
    assert not np.allclose(simulate(experiment(), seed=0).m, simulate(experiment(), seed=1).m, atol=1e-3)


def test_a_seed_sequence_may_be_used_twice_and_is_that_of_its_integer():
    seed = np.random.SeedSequence(4)
    for changes in ({}, {"receiver": {"noise": 1e-3}, "drive": {"inhomogeneity": 0.1}}):
        values = experiment(**changes)
        first, again, integer = (simulate(values, seed=s).m for s in (seed, seed, 4))
        assert np.array_equal(first, again)
        assert np.array_equal(first, integer)
    assert seed.n_children_spawned == 0


def test_children_of_a_seed_sequence_differ_in_everything():
    values = experiment(receiver={"noise": 1e-3}, drive={"inhomogeneity": 0.1})
    one, other = np.random.SeedSequence(4).spawn(2)
    assert not np.allclose(simulate(values, seed=one).m, simulate(values, seed=other).m, atol=1e-4)


def test_given_offsets_replace_the_draw_whatever_the_seed():
    offsets = np.random.default_rng(0).uniform(-0.2, 0.2, (4, 4))
    first, second = (simulate(experiment(), seed=seed, offsets=offsets).m for seed in (0, 1))
    assert np.array_equal(first, second)
    assert np.array_equal(first, simulate(experiment(), offsets=offsets.tolist()).m)
    assert not np.allclose(first, simulate(experiment(), offsets=np.sort(offsets)).m, atol=1e-4)


def test_a_lone_spin_precesses_without_any_field():
    values = experiment(lattice={"shape": [1]}, sequence={"kind": "custom", "elements": [pulse(90), delay(50)]})
    echo = simulate(values, offsets=[0.1], dtype="float64")
    assert np.allclose(echo.m, -0.5j * np.exp(-0.1j * np.arange(50)), atol=1e-13)


def test_disorder_noise_falls_as_one_over_the_root_of_n():
    # Right after the pulse the noise is that of the mean of nu^2 / 2: physical notes give 6.3e-5 for N = 10^4.
    short = {"kind": "custom", "elements": [pulse(90), delay(2)]}
    spread = {}
    for length in (25, 100):
        values = experiment(lattice={"shape": [length, length]}, line={"fwhm": 0.05, "bandwidth": 0.5}, sequence=short)
        spread[length] = np.std([abs(simulate(values, seed=s, dtype="float64").m[1]) for s in range(60)])
    assert spread[25] / spread[100] == pytest.approx(4, rel=0.35)
    assert spread[100] == pytest.approx(np.std(values.line.quantile(np.linspace(0, 1, 10001)) ** 2) / 400, rel=0.3)


@pytest.mark.parametrize("run", [simulate, simulate_naively])
def test_offsets_of_another_shape_are_refused(run):
    with pytest.raises(
        ConfigurationError, match=r"^Argument `offsets` must have the lattice's shape \(4, 4\), but has \(16,\)\.$"
    ):
        run(experiment(), offsets=np.zeros(16))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_offsets_that_are_not_finite_are_refused(value):
    offsets = np.zeros((4, 4))
    offsets[2, 3] = value
    with pytest.raises(ConfigurationError, match=rf"`offsets` must be finite .*, but is {value} at site \(2, 3\)"):
        simulate(experiment(), offsets=offsets)


def test_an_unknown_integrator_is_refused():
    match = r"^Argument `integrator` must be one of euler, midpoint, fast, but is 'rk4'\.$"
    with pytest.raises(ConfigurationError, match=match):
        simulate(experiment(), integrator="rk4")


def test_an_unknown_precision_is_refused():
    match = r"^Argument `dtype` must be one of float32, float64, but is 'float16'\.$"
    with pytest.raises(ConfigurationError, match=match):
        simulate(experiment(), dtype="float16")


def test_a_curve_draws_everything_from_its_own_place_in_the_data_set():
    root = np.random.SeedSequence(7, spawn_key=(3,))
    streams = curve_streams(7, 3)
    for stream, child in zip(streams, root.spawn(3), strict=True):
        assert np.array_equal(stream.generate_state(4), child.generate_state(4))
    states = {tuple(s.generate_state(2)) for seed in (7, 8) for curve in range(4) for s in curve_streams(seed, curve)}
    assert len(states) == 2 * 4 * 3


def test_a_curve_can_be_simulated_again_from_its_disorder_stream():
    first, again = (simulate(experiment(), seed=curve_streams(1, 5).disorder).m for _ in range(2))
    assert np.array_equal(first, again)


def test_the_builders_unit_step_is_one_radian_per_mhz():
    assert 2 * np.pi * UNIT_STEP == pytest.approx(1.0)
