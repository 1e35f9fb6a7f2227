"""Every integrator converges to the equation of motion, at its order, through pulses and dissipation."""

from functools import cache

import numpy as np
import pytest

from nmr_platform import simulate
from nmr_platform.simulation.engine import draw_gain
from nmr_platform.simulation.prepared import make_mean_field, make_step
from nmr_platform.simulation.stepping import ADVANCE
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.naive import density_matrix
from tests.naive.pairs import pair_matrix
from tests.simulation.systems import CLOSED, RELAXING, UNCOUPLED, draw_offsets, free_decay, record

ORDER = {"euler": 1, "midpoint": 2, "fast": 2}
IDEAL = {"kind": "custom", "elements": [pulse(60), delay(11), pulse(140, 90), delay(13)]}
FINITE = {
    "kind": "custom",
    "elements": [
        shaped((2 * UNIT_STEP, 0.3, 20.0), (1 * UNIT_STEP, 0.2, -50.0)),
        delay(8),
        pulse(160, 90, duration=6 * UNIT_STEP),
        delay(10),
    ],
}
HONEYCOMB = {"kind": "honeycomb", "shape": [2, 3]}
CASES = {
    "closed": {"sequence": IDEAL, "dissipation": CLOSED},
    "relaxing": {"sequence": IDEAL, "dissipation": RELAXING},
    "finite pulses": {"sequence": FINITE, "dissipation": CLOSED},
    "everything": {
        "sequence": FINITE,
        "dissipation": RELAXING,
        "drive": {"calibration": 0.9, "inhomogeneity": 0.2},
        "lattice": HONEYCOMB,
    },
    "tilted tensor": {
        "sequence": FINITE,
        "dissipation": RELAXING,
        "coupling": {"alpha_x": 0.02, "alpha_y": 0.03, "alpha_z": -0.05, "alpha_xy": 0.04, "alpha_yz": -0.03},
        "field": {"polar": 35.0, "azimuth": 110.0},
    },
    "uncoupled relaxing": {"sequence": FINITE, "dissipation": RELAXING, "coupling": UNCOUPLED},
}


def refined(case, factor):
    """The case with steps of 1 / factor, recorded as often as before."""
    return experiment(**CASES[case], step=UNIT_STEP / factor, receiver={"every": factor})


@cache
def exact(case):
    """The record of the equation of motion itself."""
    values = refined(case, 1)
    offsets = draw_offsets(values.lattice.site_shape)
    return offsets, density_matrix.evolve(values, offsets, gain=draw_gain(values, 3), exact=True)


def errors(case, integrator, factors):
    """Largest error of the record for each number of steps per unit of time."""
    offsets, expected = exact(case)
    found = []
    for factor in factors:
        echo = simulate(refined(case, factor), seed=3, offsets=offsets, dtype="float64", integrator=integrator)
        found.append(np.abs(record(echo) - expected).max())
    return np.array(found)


@pytest.mark.parametrize("integrator", ORDER)
@pytest.mark.parametrize("case", CASES)
def test_records_converge_to_the_equation_of_motion_at_the_order_of_the_integrator(case, integrator):
    # Even without coupling euler is first order: it splits the dissipation from the rotation of the pulses unevenly.
    coarse, middle, fine = errors(case, integrator, (8, 16, 32))
    assert fine < {"euler": 5e-4, "midpoint": 1e-6, "fast": 2e-5}[integrator]
    assert np.log2([coarse / middle, middle / fine]) == pytest.approx([ORDER[integrator]] * 2, abs=0.25)


def test_free_evolution_of_uncoupled_spins_is_exact_at_any_step_and_dissipation():
    values = experiment(coupling=UNCOUPLED, dissipation=RELAXING, sequence=IDEAL)
    offsets = draw_offsets((4, 4))
    expected = density_matrix.evolve(values, offsets, exact=True)
    for integrator in ORDER:
        echo = simulate(values, offsets=offsets, dtype="float64", integrator=integrator)
        assert np.abs(record(echo) - expected).max() < 1e-9


# Conservation laws of the coupled, disordered ensemble.


def ensemble_energy(state, alpha, offsets, pairs):
    """Energy of spins in their own mean field: every pair counts once."""
    return -offsets @ state[2] - 0.5 * sum(a * m @ pairs @ m for a, m in zip(alpha, state, strict=True))


def energy_drift(integrator, step):
    """Change of the energy of a coupled, disordered ensemble over 40 units of time, in steps of ``step``."""
    values = experiment(lattice={"shape": [4, 5]}, kernel={"kind": "power", "exponent": 2.0})
    rng = np.random.default_rng(11)
    alpha, offsets, pairs = np.array([0.05, 0.02, -0.04]), rng.uniform(-0.25, 0.25, 20), pair_matrix(values)
    state = rng.normal(size=(3, 20))
    state *= 0.5 / np.linalg.norm(state, axis=0)
    grid = state.reshape(3, 1, 4, 5).copy()
    whole, half = (
        make_step(h * offsets, np.ones(20), h * alpha, np.array([[1.0, 1.0, 0.0]] * 2), 1.0, np.dtype("float64"))
        for h in (step, step / 2)
    )
    mean_field = make_mean_field(values.kernel_values, alpha, np.dtype("float64"))
    ADVANCE[integrator](grid, np.zeros((3, 3, 1, 4, 5)), mean_field, whole, half, np.empty((round(40 / step), 3)))
    after = ensemble_energy(grid.reshape(3, 20), alpha, offsets, pairs)
    return abs(after - ensemble_energy(state, alpha, offsets, pairs))


@pytest.mark.parametrize(("integrator", "order"), ORDER.items())
def test_energy_is_conserved_to_the_order_of_the_integrator(integrator, order):
    coarse, middle, fine = (energy_drift(integrator, step) for step in (1 / 4, 1 / 8, 1 / 16))
    assert fine < {"euler": 5e-4, "midpoint": 3e-7, "fast": 3e-5}[integrator]
    # The fast integrator's drift falls with a higher power at first, for its extrapolation errs to both sides.
    assert (np.log2([coarse / middle, middle / fine]) > order - 0.25).all()


@pytest.mark.parametrize(("integrator", "order"), ORDER.items())
def test_axial_coupling_conserves_the_total_along_z(integrator, order):
    # Offsets turn spins about z, and the torque along z, alpha K (m_x^i m_y^j - m_y^i m_x^j), is odd in the pair.
    offsets, drift = draw_offsets((4, 4)), []
    for factor in (8, 16):
        values = experiment(
            coupling={"alpha_x": 0.04, "alpha_y": 0.04, "alpha_z": -0.06},
            sequence=free_decay(60, theta=60.0),
            step=UNIT_STEP / factor,
        )
        echo = simulate(values, offsets=offsets, dtype="float64", integrator=integrator)
        drift.append(np.abs(echo.m_z - 0.25).max())
        assert np.ptp(np.abs(echo.m)) > 0.1
    assert drift[1] < {"euler": 1e-2, "midpoint": 1e-5, "fast": 5e-4}[integrator]
    assert np.log2(drift[0] / drift[1]) > order - 0.25


@pytest.mark.parametrize(("integrator", "order"), ORDER.items())
def test_uniform_isotropic_coupling_conserves_the_magnetisation_of_spins_that_are_not_parallel(integrator, order):
    # The torques of every pair, alpha (m_i x m_j + m_j x m_i), cancel; an uneven drive fans the spins out.
    drift, spread = [], []
    for factor in (8, 16):
        values = experiment(
            kernel={"kind": "uniform"},
            coupling=dict.fromkeys(UNCOUPLED, 0.06),
            drive={"inhomogeneity": 0.5},
            sequence={"kind": "custom", "elements": [pulse(80), pulse(60, 100), delay(60)]},
            step=UNIT_STEP / factor,
        )
        found = record(simulate(values, offsets=np.zeros((4, 4)), seed=2, dtype="float64", integrator=integrator))[1:]
        spread.append(np.linalg.norm(found[0]))
        drift.append(np.abs(np.linalg.norm(found - found[0], axis=1)).max())
    assert max(spread) < 0.45
    assert drift[1] < {"euler": 1e-2, "midpoint": 1e-4, "fast": 1e-3}[integrator]
    assert np.log2(drift[0] / drift[1]) > order - 0.25
