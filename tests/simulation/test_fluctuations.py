"""Spins that fluctuate at the start, against closed forms of a pure alpha_z coupling and conserved quantities."""

import numpy as np
import pytest

from nmr_platform import measure, simulate
from nmr_platform.physics import Measurement, field_gauge
from nmr_platform.schema import validate
from nmr_platform.simulation import INTEGRATORS, simulate_naively
from tests.builders import delay, experiment, experiment_values, pulse
from tests.simulation.systems import record

SAMPLED = {"fluctuations": "sampled"}
MANY = {**SAMPLED, "draws": 16}
N_RECORDS = 12
# alpha_z such that T2G is some 55 us.
KERNELS = {
    "gaussian": ({"kind": "gaussian", "xi": 2.5}, 2e-3),
    "power": ({"kind": "power", "exponent": 3.0}, 2.7e-3),
    "rkky": ({"kind": "rkky", "xi": 4.0}, 2.7e-3),
    "uniform": ({"kind": "uniform"}, 3e-4),
}


def ising(kernel="gaussian", **changes):
    """Spins that alpha_z alone couples; every step is exact, for the field changes at the pulses only."""
    form, alpha_z = KERNELS[kernel]
    settings = {
        "lattice": {"shape": [20, 20]},
        "kernel": form,
        "coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": alpha_z},
        "sequence": {"kind": "hahn", "tau": 40.0},
        "step": 0.25,
        "initial": MANY,
    }
    return experiment(**settings | changes)


def phases(values, time):
    """2 pi alpha_z K t for every neighbour of a spin, radians, as a column for every time."""
    kernel = values.kernel_values.ravel()
    return 2 * np.pi * values.coupling.alpha_z * np.outer(kernel[kernel != 0], time)


def mean_and_error(values, at, **options):
    """M at some samples over independent draws, and its standard errors."""
    drawn = np.array([simulate(values, seed=seed, dtype="float64", **options).m[at] for seed in range(N_RECORDS)])
    return drawn.mean(axis=0), drawn.std(axis=0, ddof=1) / np.sqrt(N_RECORDS)


def assert_within_errors(found, error, expected):
    # Where all spins see one field, a draw of it moves all of them.
    assert error.max() < 0.035
    assert (np.abs(found - expected) < 4 * error + 1e-12).all()


@pytest.mark.parametrize("tau", [10.0, 25.0, 40.0])
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_echo_of_spins_that_alpha_z_couples_falls_as_a_product_of_cosines(kernel, tau):
    # U^+ I+ U = I+ prod_j exp(i phi_j 2 Iz_j), and the 90 degree pulse left each Iz_j undecided between +-1/2; the
    # second pulse turns all of them, and with them the phases, so that these go on growing while offsets refocus.
    values = ising(kernel, sequence={"kind": "hahn", "tau": tau})
    [at] = values.echo_indices
    found, error = mean_and_error(values, at)
    expected = 0.5 * np.cos(phases(values, [2 * tau]) / 2).prod()
    assert 0.1 < expected < 0.497
    assert_within_errors(abs(found), error, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_mean_field_leaves_that_echo_alone(kernel):
    values = ising(kernel, initial={})
    assert abs(simulate(values, dtype="float64").m[values.echo_indices[0]]) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_free_decay_falls_as_the_same_product(kernel):
    sequence = {"kind": "custom", "elements": [pulse(90), {"kind": "delay", "duration": 80.0}]}
    values = ising(kernel, sequence=sequence)
    at = np.arange(0, 320, 40)
    found, error = mean_and_error(values, at, offsets=np.zeros((20, 20)))
    assert_within_errors(found, error, -0.5j * np.cos(phases(values, values.time[at]) / 2).prod(axis=0))


@pytest.mark.parametrize("polarisation", [1.0, 0.4, 0.1, -0.7])
@pytest.mark.parametrize("theta", [90.0, 50.0, 20.0])
def test_polarisation_weighs_the_mean_field_against_fluctuations(polarisation, theta):
    # After the pulse Iz_j is z cos(theta) + y sin(theta) with z = 1/2 with probability (1 + p)/2, y = +-1/2: the mean
    # of exp(-i phi z cos) is cos(phi cos / 2) - i p sin(phi cos / 2), a mean field where phi is small, and that of
    # exp(-i phi y sin) is cos(phi sin / 2), without p.
    sequence = {"kind": "custom", "elements": [pulse(theta), {"kind": "delay", "duration": 60.0}]}
    values = ising(initial={"polarisation": polarisation, **MANY}, sequence=sequence)
    at = np.arange(0, 240, 34)
    found, error = mean_and_error(values, at, offsets=np.zeros((20, 20)))
    c, s, phi = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta)), phases(values, values.time[at])
    factors = (np.cos(phi * c / 2) - 1j * polarisation * np.sin(phi * c / 2)) * np.cos(phi * s / 2)
    start = -0.5j * polarisation * s
    assert_within_errors(found, error, start * factors.prod(axis=0))
    # Quantum mechanics has cos(phi/2) - i p cos(theta) sin(phi/2), the same at 90 degrees and to second order in phi.
    exact = start * (np.cos(phi / 2) - 1j * polarisation * c * np.sin(phi / 2)).prod(axis=0)
    assert np.abs(exact - start * factors.prod(axis=0)).max() < (1e-12 if theta == 90 else 0.01)


def test_a_coupling_alike_in_all_directions_conserves_the_magnetisation_of_every_draw():
    coupling = {"alpha_x": 0.004, "alpha_y": 0.004, "alpha_z": 0.004}
    values = ising(
        coupling=coupling, step=0.2, initial=SAMPLED, sequence={"kind": "custom", "elements": [pulse(70), delay(300)]}
    )
    echo = simulate(values, seed=2, offsets=np.zeros((20, 20)), integrator="midpoint", dtype="float64")
    assert np.allclose(echo.m, echo.m[0], atol=2e-5)
    assert np.allclose(echo.m_z, echo.m_z[0], atol=2e-5)


@pytest.mark.parametrize("initial", [SAMPLED, {"m": [0.1, -0.2, 0.3], **SAMPLED, "draws": 3}, {"m": [0.3, 0.1, -0.2]}])
def test_the_engine_and_its_slow_twin_start_alike(initial):
    cycle = [{"pulses": [0, 0]}, {"pulses": [90, 0], "receiver": 90}]
    values = experiment(initial=initial, phase_cycle=cycle, dissipation={"gamma_plus": 0.01})
    assert (
        np.abs(record(simulate(values, seed=5, dtype="float64")) - record(simulate_naively(values, seed=5))).max()
        < 1e-12
    )


def test_all_records_of_a_measurement_see_the_same_draws():
    values = experiment_values(initial={**SAMPLED, "draws": 2})
    del values["sequence"]
    sequences = {"hahn": {"kind": "hahn", "sweep": {"tau": [3.0, 6.0]}}}
    several = validate(Measurement, values | {"sequences": sequences})
    echoes = measure(several, seed=3)
    assert np.array_equal(echoes["hahn-tau3"].m[:18], echoes["hahn-tau6"].m[:18])
    for name, alone in several.experiments.items():
        assert np.array_equal(echoes[name].m, simulate(alone, seed=3).m)


def test_a_record_of_several_draws_is_their_mean_and_begins_with_the_single_one():
    one, two = experiment(initial=SAMPLED), experiment(initial={**SAMPLED, "draws": 2})
    offsets = np.zeros((4, 4))
    first, both, other = (
        simulate(values, seed=seed, offsets=offsets, dtype="float64").m
        for values, seed in ((one, 1), (two, 1), (one, 2))
    )
    second = 2 * both - first
    assert np.abs(second - first).max() > 0.01
    assert np.abs(second - other).max() > 0.01
    assert abs(second[0].real) <= 0.5


def test_fluctuations_of_another_seed_are_others_and_the_disorder_is_that_of_before():
    values, offsets = experiment(initial=SAMPLED), np.zeros((4, 4))
    assert (
        np.abs(simulate(values, seed=1, offsets=offsets).m - simulate(values, seed=2, offsets=offsets).m).max() > 0.01
    )
    free = {"coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}, "sequence": {"kind": "hahn", "tau": 3.0}}
    plain, tilted = experiment(**free), experiment(**free, initial={"polarisation": 0.5})
    assert np.allclose(simulate(tilted, seed=4).m, simulate(plain, seed=4).m / 2, atol=1e-7)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_spins_may_start_anywhere(integrator):
    # Without pulse and coupling they precess about z, and m_z stays.
    free = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
    sequence = {"kind": "custom", "elements": [pulse(0), delay(50)]}
    values = experiment(initial={"m": [0.3, -0.2, 0.1]}, coupling=free, sequence=sequence)
    echo = simulate(values, offsets=np.full((4, 4), 0.1), integrator=integrator, dtype="float64")
    assert np.allclose(echo.m, (0.3 - 0.2j) * np.exp(-0.2j * np.pi * echo.time), atol=1e-13)
    assert np.allclose(echo.m_z, 0.1, atol=1e-13)


def test_spins_without_polarisation_recover_to_the_equilibrium_of_the_bath():
    free = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
    sequence = {"kind": "custom", "elements": [pulse(0), delay(200)]}
    bath = {"gamma_plus": 0.01, "gamma_minus": 0.002}
    values = experiment(initial={"polarisation": 0.0}, coupling=free, sequence=sequence, dissipation=bath)
    echo = simulate(values, dtype="float64")
    expected = values.dissipation.equilibrium * -np.expm1(-0.012 * 2 * np.pi * echo.time)
    assert np.allclose(echo.m_z, expected, atol=1e-13)


def test_a_step_that_is_short_for_mean_spins_may_be_coarse_for_fluctuating_ones():
    settings = {"kernel": {"kind": "uniform"}, "coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.1}}
    simulate(experiment(**settings), offsets=np.zeros((4, 4)))
    with pytest.warns(UserWarning, match=r"may turn by 1\.3 rad"):
        simulate(experiment(**settings, initial=SAMPLED), offsets=np.zeros((4, 4)))


def test_the_angles_of_the_gauge_are_those_of_the_field_at_a_spin():
    values = ising(initial={"polarisation": 0.3, **SAMPLED})
    gauge, kernel = field_gauge(values), values.kernel_values.ravel()
    assert gauge.ratio == pytest.approx(0.3 * kernel.sum() / np.sqrt((kernel**2).sum()))
    starts = values.initial.draw(400, np.random.default_rng(1)).mean(axis=1)
    assert starts == pytest.approx([0.0, 0.0, 0.15], abs=0.1)
    fields = [2e-3 * kernel @ values.initial.draw(400, np.random.default_rng(seed))[0] for seed in range(400)]
    assert np.std(fields) == pytest.approx(gauge.fluctuating, rel=0.1)
