"""Coupling kernels, against their formulas, closed forms and published kernel integrals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nmr_platform.physics import GaussianKernel, Kernel, Lattice, PowerKernel, RkkyKernel, UniformKernel
from tests.builders import experiment

KERNELS = [
    {"kind": "gaussian", "xi": 2.5},
    {"kind": "power", "exponent": 3.0},
    {"kind": "rkky", "xi": 4.0},
    {"kind": "uniform"},
]
adapter: TypeAdapter[Any] = TypeAdapter(Kernel)


def kernel(values, **changes):
    return adapter.validate_python(values | changes)


class KernelContract:
    """What every kernel must do; a subclass names the kernel in ``values``."""

    values: dict[str, Any]
    r = np.linspace(0.5, 30.0, 50)

    def test_a_spin_does_not_couple_to_itself(self):
        assert kernel(self.values).on(Lattice(shape=(4, 5)))[0, 0] == 0

    @pytest.mark.parametrize("shape", [(7,), (4, 5), (3, 2, 4)])
    def test_values_on_the_lattice_are_the_formula_at_the_distances(self, shape):
        lattice, k = Lattice(shape=shape), kernel(self.values)
        away = lattice.distances > 0
        assert np.array_equal(k.on(lattice)[away], k.radial(lattice.distances[away]))

    def test_the_angular_factor_multiplies_the_kernel(self):
        lattice = Lattice(shape=(7, 7))
        plain = kernel(self.values).on(lattice)
        shaped = kernel(self.values, s=0.5, p=0.25, d=-2.0).on(lattice)
        # At angles 0, 90, 180 and 45 degrees.
        assert shaped[2, 0] == pytest.approx((0.5 + 0.25 - 2.0) * plain[2, 0])
        assert shaped[0, 2] == pytest.approx((0.5 + 2.0) * plain[0, 2])
        assert shaped[-2, 0] == pytest.approx((0.5 - 0.25 - 2.0) * plain[-2, 0])
        assert shaped[1, 1] == pytest.approx((0.5 + 0.25 / np.sqrt(2)) * plain[1, 1])

    def test_the_antiferromagnetic_sign_alternates_over_the_lattice(self):
        lattice = Lattice(shape=(4, 6))
        i, j = np.indices(lattice.shape)
        staggered = kernel(self.values, antiferromagnetic=True).on(lattice)
        assert np.array_equal(staggered, (-1.0) ** (i + j) * kernel(self.values).on(lattice))

    def test_it_survives_a_round_trip_through_plain_data(self):
        k = kernel(self.values, d=0.5)
        assert adapter.validate_python(k.model_dump()) == k


class TestGaussian(KernelContract):
    values = KERNELS[0]

    @pytest.mark.parametrize("exponent", [1.0, 2.0, 3.5])
    def test_formula(self, exponent):
        k = GaussianKernel(xi=3.0, exponent=exponent)
        assert np.allclose(k.radial(self.r), np.exp(-((self.r / 3.0) ** exponent)), rtol=1e-14)

    @pytest.mark.parametrize("xi", [1.5, 4.0, 10.0])
    def test_its_sum_over_a_large_lattice_is_pi_xi_squared_minus_one(self, xi):
        # Poisson: the sum of exp(-r^2/xi^2) over the plane lattice is pi xi^2 (1 + 4 exp(-pi^2 xi^2) + ...).
        assert GaussianKernel(xi=xi).on(Lattice(shape=(100, 100))).sum() == pytest.approx(np.pi * xi**2 - 1, rel=1e-8)


class TestPower(KernelContract):
    values = KERNELS[1]

    def test_formula(self):
        assert np.allclose(PowerKernel(exponent=2.5).radial(self.r), 1 / (self.r**2 * np.sqrt(self.r)), rtol=1e-14)

    def test_a_long_chain_sums_to_twice_the_zeta_function(self):
        total = PowerKernel(exponent=4.0).on(Lattice(shape=(2001,))).sum()
        assert total == pytest.approx(2 * np.pi**4 / 90, rel=1e-8)


class TestRkky(KernelContract):
    values = KERNELS[2]

    def test_formula(self):
        x = 2 * self.r / 4.0
        expected = (x * np.cos(x) - np.sin(x)) / x**4
        assert np.allclose(RkkyKernel(xi=4.0).radial(self.r), expected, rtol=1e-12, atol=0)

    def test_the_series_near_the_origin_joins_the_formula_smoothly(self):
        # With xi = 2 the argument r is x. The reference evaluates the formula in extended precision where there is any.
        x = np.linspace(0.05, 0.2, 301)
        wide = x.astype(np.longdouble)
        expected = ((wide * np.cos(wide) - np.sin(wide)) / wide**4).astype(float)
        values = RkkyKernel(xi=2.0).radial(x)
        assert np.allclose(values, expected, rtol=2e-12, atol=0)
        below, above = RkkyKernel(xi=2.0).radial(np.array([np.nextafter(0.1, 0), np.nextafter(0.1, 1)]))
        assert below == pytest.approx(above, rel=1e-12)

    @pytest.mark.parametrize("x", [1e-2, 1e-5, 1e-12])
    def test_it_is_minus_a_third_over_x_close_to_the_origin(self, x):
        assert RkkyKernel(xi=2.0).radial(np.array([x]))[0] == pytest.approx(-1 / (3 * x), rel=x**2)


class TestUniform(KernelContract):
    values = KERNELS[3]

    def test_every_other_spin_counts_once(self):
        assert UniformKernel().on(Lattice(shape=(6, 5))).sum() == 29


shapes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
angular = {name: st.floats(-2, 2) for name in "sd"} | {"antiferromagnetic": st.booleans()}
length = st.floats(0.05, 1e3)
exponent = st.floats(0.1, 8)
kernels = st.one_of(
    st.builds(GaussianKernel, xi=length, exponent=exponent, **angular),
    st.builds(PowerKernel, exponent=exponent, **angular),
    st.builds(RkkyKernel, xi=length, **angular),
    st.builds(UniformKernel, **angular),
)


def inversion_error(kernel, shape):
    """Largest |K(r) - K(-r)| and |K(r) + K(-r)|, relative to the largest value without the angular factor."""
    values = kernel.on(Lattice(shape=shape))
    inverted = np.roll(np.flip(values), 1, axis=tuple(range(values.ndim)))
    scale = np.abs(kernel.replace(s=1.0, p=0.0, d=0.0).on(Lattice(shape=shape))).max() or 1.0
    return np.abs(values - inverted).max() / scale, np.abs(values + inverted).max() / scale


@settings(max_examples=60, deadline=None, derandomize=True)
@given(kernel=kernels, shape=shapes)
def test_kernels_are_finite_and_even_without_p(kernel, shape):
    assert np.isfinite(kernel.on(Lattice(shape=shape))).all()
    assert inversion_error(kernel, shape)[0] < 1e-12


@settings(max_examples=40, deadline=None, derandomize=True)
@given(kernel=kernels, half=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_p_alone_makes_the_kernel_odd(kernel, half):
    # Odd lengths only: the site half way round an even one is its own mirror image.
    assert inversion_error(kernel.replace(s=0.0, p=1.0, d=0.0), tuple(2 * n + 1 for n in half))[1] < 1e-12


# Rows of the August 2021 data set, printed to six decimals: alpha_x, alpha_z, xi, W.
AUGUST_2021 = [
    (0.000085, 0.000032, 13.395668, 0.114080),
    (0.000031, 0.000155, 15.543847, 0.165097),
    (0.000111, 0.000087, 10.929442, 0.115453),
    (0.000107, 0.000185, 10.098305, 0.127511),
    (0.000044, 0.000091, 16.689602, 0.156341),
]


@pytest.mark.parametrize(("alpha_x", "alpha_z", "xi", "published"), AUGUST_2021)
def test_kernel_integral_of_published_gaussian_rows(alpha_x, alpha_z, xi, published):
    row = experiment(
        lattice={"shape": [100, 100]},
        kernel={"kind": "gaussian", "xi": xi},
        coupling={"alpha_x": alpha_x, "alpha_y": alpha_x, "alpha_z": alpha_z},
    )
    # The couplings are printed to 5e-7; xi and W to six digits.
    rounding = (2 + 1) * 5e-7 * row.kernel_sum
    assert row.kernel_integral == pytest.approx(published, abs=rounding + 1e-6)


def test_kernel_integral_of_the_published_row_with_kernel_sum_12_050():
    # The row's xi follows from its kernel sum: sum K = pi xi^2 - 1.
    row = experiment(
        lattice={"shape": [100, 100]},
        kernel={"kind": "gaussian", "xi": float(np.sqrt(13.050 / np.pi))},
        coupling={"alpha_x": 1.40e-4, "alpha_y": 1.40e-4, "alpha_z": 4.113e-3},
    )
    assert row.kernel_sum == pytest.approx(12.050, abs=5e-4)
    assert row.kernel_integral == pytest.approx(0.05294, abs=5e-6)
