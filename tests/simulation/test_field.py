"""The mean field by FFT, against the sum over all pairs."""

import numpy as np
import pytest

from nmr_platform.simulation.prepared import make_mean_field
from nmr_platform.simulation.stepping import convolve
from tests.builders import experiment
from tests.naive.pairs import pair_matrix

DOUBLE, SINGLE = np.dtype("float64"), np.dtype("float32")
SAMPLES = {
    "even": ({"shape": [3, 4]}, {"kind": "rkky", "xi": 2.0}),
    "odd": ({"shape": [3, 4]}, {"kind": "gaussian", "xi": 1.5, "p": 0.7}),
    "two sites a cell": ({"kind": "honeycomb", "shape": [3, 4]}, {"kind": "power", "exponent": 1.5}),
    "three sites a cell": (
        {
            "kind": "bravais",
            "shape": [3, 2],
            "vectors": [[1.0, 0.0], [0.4, 1.1]],
            "basis": [[0.0, 0.0], [0.45, 0.1], [0.2, 0.6]],
        },
        {"kind": "exponential", "xi": 0.8},
    ),
}


def random_state(values, dtype=DOUBLE):
    shape = (3, values.lattice.n_basis, *values.lattice.shape)
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_field_is_the_sum_over_all_other_spins(name):
    lattice, kernel = SAMPLES[name]
    values = experiment(lattice=lattice, kernel=kernel)
    grid, out = random_state(values), np.zeros(random_state(values).shape)
    before = grid.copy()
    convolve(grid, make_mean_field(values.kernel_values, np.ones(3), DOUBLE), out)
    assert np.allclose(out.reshape(3, -1), grid.reshape(3, -1) @ pair_matrix(values).T, atol=1e-13)
    assert np.array_equal(grid, before)


def test_single_precision_is_single_precision_all_the_way():
    values = experiment(lattice={"shape": [16, 16]})
    mean_field = make_mean_field(values.kernel_values, np.ones(3), SINGLE)
    assert (mean_field.kernel.dtype, mean_field.spectrum.dtype) == (SINGLE, np.complex64)
    grid, out, exact = random_state(values, SINGLE), np.zeros((3, 1, 16, 16), SINGLE), np.zeros((3, 1, 16, 16))
    convolve(grid, mean_field, out)
    convolve(grid.astype(DOUBLE), make_mean_field(values.kernel_values, np.ones(3), DOUBLE), exact)
    assert np.abs(out - exact).max() < 2e-6 * np.abs(exact).max()


def test_an_even_kernel_has_a_real_spectrum():
    even, odd = (experiment(lattice=SAMPLES[name][0], kernel=SAMPLES[name][1]) for name in ("even", "odd"))
    assert make_mean_field(even.kernel_values, np.ones(3), DOUBLE).kernel.dtype == DOUBLE
    assert make_mean_field(odd.kernel_values, np.ones(3), DOUBLE).kernel.dtype == np.complex128


@pytest.mark.parametrize(
    ("rates", "coupled"),
    [((1, 1, 1), (0, 3)), ((0, 0, 2), (2, 3)), ((1, 0, -1), (0, 3)), ((0, 3, 0), (1, 2)), ((0, 0, 0), (0, 0))],
)
def test_components_outside_the_coupled_range_are_left_alone(rates, coupled):
    values = experiment(lattice={"shape": [3, 4]})
    mean_field = make_mean_field(values.kernel_values, np.array(rates, float), DOUBLE)
    assert mean_field.coupled == coupled
    grid, out = random_state(values), np.full((3, 1, 3, 4), 7.0)
    convolve(grid, mean_field, out)
    expected = np.full((3, 12), 7.0)
    expected[slice(*coupled)] = grid.reshape(3, 12)[slice(*coupled)] @ pair_matrix(values).T
    assert np.allclose(out.reshape(3, 12), expected, atol=1e-13)


def test_a_lone_spin_couples_to_nothing():
    values = experiment(lattice={"shape": [1]})
    assert make_mean_field(values.kernel_values, np.ones(3), DOUBLE).coupled == (0, 0)
