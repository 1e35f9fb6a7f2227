"""The compiled inner loop: its parts against SciPy, its integrators against conserved quantities and each other."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nmr_platform import simulate
from nmr_platform.simulation.engine import _SERIES, _kernel_spectrum
from nmr_platform.simulation.stepper import advance_euler, advance_midpoint, convolve, rotate
from tests.builders import UNIT_STEP, delay, experiment, pulse
from tests.naive.density_matrix import pair_matrix

NO_DECAY = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
ADVANCE = {"euler": advance_euler, "midpoint": advance_midpoint}


@pytest.mark.parametrize(("largest", "doublings"), [(0.57, 0), (1.1, 1), (4.0, 3), (30.0, 6)])
def test_rotation_about_any_field_is_scipys(largest, doublings):
    rng = np.random.default_rng(0)
    spins, field, phases = rng.normal(size=(3, 50)), rng.uniform(-1, 1, (3, 50)), rng.uniform(-1, 1, 50)
    rates, out = np.array([0.3, -0.2, 0.5]) * largest, np.empty((3, 50))
    angles = rates[:, None] * field
    angles[2] += 0.5 * largest * phases
    series = np.array(_SERIES)
    sums = rotate(spins, field, 0.5 * largest * phases, np.ones(50), rates, NO_DECAY, doublings, series, out)
    # dm/ds = m x B turns m about B by -|B| s.
    assert np.allclose(out, Rotation.from_rotvec(-angles.T).apply(spins.T).T, atol=1e-13)
    assert np.allclose(np.linalg.norm(out, axis=0), np.linalg.norm(spins, axis=0), rtol=1e-13)
    assert np.allclose(sums, out.sum(axis=1), atol=1e-12)


def test_decay_acts_before_and_after_the_rotation():
    relax = np.array([[0.9, 0.8, 0.03], [0.7, 0.6, 0.01]])
    spins, weights = np.array([[0.1, 0.4], [0.2, -0.3], [0.3, 0.2]]), np.array([1.0, 2.0])
    still, out = np.zeros((3, 2)), np.empty((3, 2))
    rotate(spins, still, np.zeros(2), weights, np.zeros(3), relax, 0, np.array(_SERIES), out)
    assert np.allclose(out[:2], 0.63 * spins[:2])
    assert np.allclose(out[2], 0.6 * (0.8 * spins[2] + 0.03 * weights) + 0.01 * weights)


@pytest.mark.parametrize("kernel", [{"kind": "rkky", "xi": 2.0}, {"kind": "gaussian", "xi": 1.5, "p": 0.7}])
def test_the_field_is_the_sum_over_all_other_spins(kernel):
    values = experiment(lattice={"shape": [3, 4]}, kernel=kernel)
    grid, out = np.random.default_rng(3).normal(size=(3, 3, 4)), np.zeros((3, 3, 4))
    spectrum, work = _kernel_spectrum(values.kernel_values, np.dtype("float64"))
    convolve(grid, spectrum, work, np.arange(1, 3), (0, 3), out)
    assert np.allclose(out.reshape(3, 12), grid.reshape(3, 12) @ pair_matrix(values).T, atol=1e-13)


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
    grid = state.reshape(3, 4, 5).copy()
    spectrum, work = _kernel_spectrum(values.kernel_values, np.dtype("float64"))
    shared = (spectrum, work, np.arange(1, 3), (0, 3))
    step_values = (step * offsets, np.ones(20), step * alpha, NO_DECAY, 0, np.array(_SERIES))
    ADVANCE[integrator](grid, np.zeros((2, 3, 4, 5)), *shared, *step_values, np.empty((round(40 / step), 3)))
    after = ensemble_energy(grid.reshape(3, 20), alpha, offsets, pairs)
    return abs(after - ensemble_energy(state, alpha, offsets, pairs))


@pytest.mark.parametrize(("integrator", "order"), [("euler", 1), ("midpoint", 2)])
def test_energy_is_conserved_to_the_order_of_the_integrator(integrator, order):
    coarse, middle, fine = (energy_drift(integrator, step) for step in (1 / 4, 1 / 8, 1 / 16))
    assert fine < 0.1 / 16**order
    assert np.log2([coarse / middle, middle / fine]) == pytest.approx([order, order], abs=0.25)


@pytest.mark.parametrize("bath", [{}, {"gamma_plus": 0.02, "gamma_minus": 0.005, "gamma_z": 0.03}])
@pytest.mark.parametrize(("integrator", "order"), [("euler", 1), ("midpoint", 2)])
def test_records_converge_at_the_order_of_the_integrator(integrator, order, bath):
    # A pulse in the middle, so that it must act at the right time too.
    offsets = np.random.default_rng(2).uniform(-0.25, 0.25, (4, 4))
    elements = [pulse(60), delay(12), pulse(140, 90), delay(14)]
    ends = []
    for step in (1 / 2, 1 / 4, 1 / 8, 1 / 16):
        values = experiment(sequence={"kind": "custom", "elements": elements}, dissipation=bath, step=step * UNIT_STEP)
        echo = simulate(values, offsets=offsets, dtype="float64", integrator=integrator)
        index = round(24 / step)
        ends.append([echo.m[index], echo.m_z[index]])
    changes = np.linalg.norm(np.diff(ends, axis=0), axis=1)
    assert np.log2(changes[:-1] / changes[1:]) == pytest.approx([order, order], abs=0.2)


def test_both_integrators_converge_to_the_same_record():
    values = experiment(step=UNIT_STEP / 64, sequence={"kind": "custom", "elements": [pulse(60), delay(10)]})
    euler, midpoint = (simulate(values, dtype="float64", integrator=i) for i in ("euler", "midpoint"))
    assert np.abs(euler.m - midpoint.m).max() < 2e-4
