"""The compiled rotation, against SciPy's and in every regime of the angle."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nmr_platform.simulation.prepared import make_step
from nmr_platform.simulation.stepping import BLOCK, rotate

DOUBLE, SINGLE = np.dtype("float64"), np.dtype("float32")
NO_DECAY = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
TOLERANCE = {DOUBLE: 1e-13, SINGLE: 3e-6}


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
@pytest.mark.parametrize("largest", [0.0, 0.57, 1.0, 1.1, 2.0, 3.2, 4.0, 6.2832, 9.5, 30.0, 1e3])
def test_rotation_about_any_field_is_scipys(largest, dtype):
    rng = np.random.default_rng(0)
    before, field = rng.normal(size=(3, 50)), rng.uniform(-1, 1, (3, 50))
    field /= np.maximum(1, np.linalg.norm(field, axis=0))
    # No spin turns by more than ``largest``, the first by exactly that, about z, and the second not at all.
    rates, phases = np.array([0.3, -0.2, 0.4]) * largest, rng.uniform(-0.6, 0.6, 50) * largest
    field[:, :2], phases[:2] = 0.0, (largest, 0.0)
    step = make_step(phases, np.ones(50), rates, NO_DECAY, largest, dtype)
    assert (step.turn is not None) == (largest > 1)
    spins = before.astype(dtype)
    sums = rotate(spins, field.astype(dtype), step)
    angles = rates[:, None] * field
    angles[2] += phases
    # dm/ds = m x B turns m about B by -|B| s.
    expected = Rotation.from_rotvec(-angles.T).apply(before.T).T
    assert np.abs(spins - expected).max() < TOLERANCE[dtype] * max(1.0, largest)
    assert np.allclose(sums, spins.sum(axis=1), atol=20 * TOLERANCE[dtype])


def test_rotation_keeps_lengths_to_rounding():
    rng = np.random.default_rng(1)
    spins, field, phases = rng.normal(size=(3, 200)), rng.uniform(-0.5, 0.5, (3, 200)), rng.uniform(-0.5, 0.5, 200)
    lengths = np.linalg.norm(spins, axis=0)
    step = make_step(phases, np.ones(200), np.ones(3), NO_DECAY, 1.0, DOUBLE)
    for _ in range(100):
        rotate(spins, field, step)
    assert np.allclose(np.linalg.norm(spins, axis=0), lengths, rtol=1e-13)


def test_decay_acts_before_and_after_the_rotation():
    relax = np.array([[0.9, 0.8, 0.03], [0.7, 0.6, 0.01]])
    before, weights = np.array([[0.1, 0.4], [0.2, -0.3], [0.3, 0.2]]), np.array([1.0, 2.0])
    quarter = make_step(np.full(2, np.pi / 2), weights, np.zeros(3), relax, np.pi / 2, DOUBLE)
    spins = before.copy()
    sums = rotate(spins, np.zeros((3, 2)), quarter)
    # m x z turns x to -y and y to x.
    assert np.allclose(spins[0], 0.63 * before[1])
    assert np.allclose(spins[1], -0.63 * before[0])
    assert np.allclose(spins[2], 0.6 * (0.8 * before[2] + 0.03 * weights) + 0.01 * weights)
    assert np.allclose(sums, spins.sum(axis=1))


def test_decay_before_a_rotation_out_of_the_axis_differs_from_decay_after_it():
    relax, field = np.array([[0.5, 1.0, 0.0], [1.0, 1.0, 0.0]]), np.array([[1.0], [0.0], [0.0]])
    spins = np.array([[0.0], [0.4], [0.2]])
    rotate(spins, field, make_step(np.zeros(1), np.ones(1), np.full(3, np.pi / 2), relax, np.pi / 2, DOUBLE))
    # y halves first; m x x then turns y to -z and z to y.
    assert np.allclose(spins.ravel(), [0.0, 0.2, -0.2])


@pytest.mark.parametrize("largest", [1.0, 4.0])
def test_a_spin_that_is_not_a_number_shows_in_the_sum(largest):
    spins = np.full((3, 9), 0.1)
    spins[1, 4] = np.nan
    step = make_step(np.zeros(9), np.ones(9), np.ones(3), NO_DECAY, largest, DOUBLE)
    assert (step.turn is not None) == (largest > 1)
    assert np.isnan(rotate(spins, np.full((3, 9), 0.1), step)).all()


@pytest.mark.parametrize("largest", [0.5, 5.0])
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_sums_of_many_spins_in_single_precision_are_those_of_double_precision(size, largest):
    rng = np.random.default_rng(2)
    spins, field = (rng.uniform(0, 1, (3, size)).astype(SINGLE) for _ in range(2))
    step = make_step(np.zeros(size), np.ones(size), np.full(3, largest / 2), NO_DECAY, largest, SINGLE)
    sums = rotate(spins, field, step)
    assert np.allclose(sums, spins.sum(axis=1, dtype=DOUBLE), rtol=0, atol=1e-6 * size)
