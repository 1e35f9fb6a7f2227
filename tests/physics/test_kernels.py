"""Coupling kernels on every lattice, against double loops, closed forms and published kernel integrals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import zeta

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import (
    ExponentialKernel,
    GaussianKernel,
    HypercubicLattice,
    PowerKernel,
    RkkyKernel,
    UniformKernel,
)
from nmr_platform.schema import validate
from tests.builders import experiment, experiment_values
from tests.physics.samples import LATTICES, brute_force_displacements, kernel, kernel_sum, lattice


def mirrored(values):
    """K(b, a, -R) at [a, b, R]."""
    axes = tuple(range(2, values.ndim))
    return np.roll(np.flip(values.swapaxes(0, 1), axes), 1, axes)


def with_even_lengths(grid):
    """The lattice with lengths around which signs can alternate."""
    return grid.replace(shape=tuple(length + length % 2 for length in grid.shape))


class KernelContract:
    """What every kernel must do on every lattice.

    A subclass says how to make the kernel for a lattice, and its isotropic part at a displacement.
    """

    def values(self, grid) -> dict[str, Any]:
        """Settings of the kernel for the lattice ``grid``."""
        raise NotImplementedError

    def expected(self, grid, site, r) -> float:
        """Isotropic part at ``site`` = (a, b, *cell), whose distance is ``r`` > 0."""
        raise NotImplementedError

    @pytest.fixture(params=LATTICES)
    def grid(self, request):
        return lattice(request.param)

    def test_it_is_its_formula_at_the_real_distances(self, grid):
        k = kernel(self.values(grid)).on(grid)
        assert k.shape == grid.pair_shape
        for site, shortest in brute_force_displacements(grid).items():
            r = np.linalg.norm(shortest[0])
            assert k[site] == pytest.approx(self.expected(grid, site, r) if r > 0 else 0.0, rel=1e-10, abs=1e-12)

    def test_its_sum_is_that_over_all_other_sites_of_a_mean_site(self, grid):
        total = 0.0
        for site, shortest in brute_force_displacements(grid).items():
            r = np.linalg.norm(shortest[0])
            total += self.expected(grid, site, r) if r > 0 else 0.0
        coupling = {"alpha_x": 0.01, "alpha_y": 0.02, "alpha_z": -0.05}
        found = experiment(lattice=grid.model_dump(), kernel=self.values(grid), coupling=coupling)
        assert found.kernel_sum == pytest.approx(total / grid.n_basis, rel=1e-10)
        assert found.kernel_integral == pytest.approx(-0.02 * total / grid.n_basis, rel=1e-10)

    def test_a_spin_does_not_couple_to_itself(self, grid):
        k = kernel(self.values(grid), s=2.0, p=0.3, d=0.4).on(grid)
        assert all(k[(a, a, *[0] * len(grid.shape))] == 0 for a in range(grid.n_basis))

    def test_the_angular_factor_multiplies_it(self, grid):
        plain = kernel(self.values(grid)).on(grid)
        shaped = kernel(self.values(grid), s=0.5, p=0.25, d=-2.0).on(grid)
        x, *rest = grid.displacements
        r = np.hypot(x, rest[0] if rest else 0.0)
        # A displacement along z has no angle in the plane; it counts as 0.
        cos = np.divide(x, r, out=np.ones_like(x), where=r > 1e-12)
        assert np.allclose(shaped, plain * (0.5 + 0.25 * cos - 2.0 * (2 * cos**2 - 1)), atol=1e-12)

    @pytest.mark.parametrize("name", ["p", "d"])
    def test_each_part_of_the_angular_factor_counts_by_itself(self, grid, name):
        plain, shaped = kernel(self.values(grid)).on(grid), kernel(self.values(grid), **{name: 0.5}).on(grid)
        assert np.allclose(shaped, plain * (1 + 0.5 * np.cos({"p": 1, "d": 2}[name] * grid.angles)), atol=1e-12)

    def test_it_is_mutual_without_p(self, grid):
        k = kernel(self.values(grid), s=0.7, d=-1.3).on(grid)
        assert np.allclose(mirrored(k), k, rtol=1e-12, atol=1e-12 * np.abs(k).max())

    def test_the_antiferromagnetic_sign_is_the_parity_of_the_lattice(self, grid):
        grid = with_even_lengths(grid)
        staggered = kernel(self.values(grid), antiferromagnetic=True).on(grid)
        assert np.array_equal(staggered, (-1.0) ** grid.parity * kernel(self.values(grid)).on(grid))

    def test_an_antiferromagnetic_sign_that_cannot_close_is_refused(self):
        values = {"kind": "square", "shape": [4, 5]}
        odd = self.values(lattice(values)) | {"antiferromagnetic": True}
        message = r"^Key `lattice\.shape` must have even lengths for an antiferromagnetic .* but is \[4, 5\]\.$"
        with pytest.raises(ConfigurationError, match=message):
            validate(Experiment, experiment_values(lattice=values, kernel=odd))
        with pytest.raises(ConfigurationError, match=message):
            kernel(odd).on(lattice(values))

    def test_it_survives_a_round_trip_through_plain_data_and_json(self, grid):
        k = kernel(self.values(grid), d=0.5)
        assert kernel(k.model_dump()) == k
        assert hash(kernel(k.model_dump())) == hash(k)
        assert type(k).model_validate_json(k.model_dump_json()) == k


class TestGaussian(KernelContract):
    r = np.linspace(0.5, 30.0, 50)

    def values(self, grid):
        return {"kind": "gaussian", "xi": 2.5, "exponent": 1.6}

    def expected(self, grid, site, r):
        return np.exp(-((r / 2.5) ** 1.6))

    @pytest.mark.parametrize("exponent", [1.0, 2.0, 3.5])
    def test_formula(self, exponent):
        k = GaussianKernel(xi=3.0, exponent=exponent)
        assert np.allclose(k.radial(self.r), np.exp(-((self.r / 3.0) ** exponent)), rtol=1e-14)

    # Poisson: the sum of exp(-r^2/xi^2) over a lattice is (pi xi^2)^(d/2) sites per volume, but for exponentially
    # small terms; the site itself counts 1.
    @pytest.mark.parametrize("xi", [1.5, 4.0, 10.0])
    def test_its_sum_over_a_large_square_is_pi_xi_squared_minus_one(self, xi):
        grid = HypercubicLattice(shape=(100, 100))
        assert kernel_sum(GaussianKernel(xi=xi), grid) == pytest.approx(np.pi * xi**2 - 1, rel=1e-8)

    @pytest.mark.parametrize(
        ("values", "density"),
        [
            ({"shape": [60], "spacing": 0.5}, 2.0),
            ({"kind": "rectangular", "shape": [40, 30], "spacing": [1.0, 1.25]}, 0.8),
            ({"kind": "triangular", "shape": [40, 40], "spacing": 1.1}, 1 / (np.sqrt(0.75) * 1.21)),
            ({"kind": "honeycomb", "shape": [24, 24]}, 2 / (1.5 * np.sqrt(3))),
            (LATTICES["kagome"] | {"shape": [36, 36]}, 3 / np.sqrt(0.75)),
            (LATTICES["fcc"] | {"shape": [28, 28, 28], "spacing": 0.9}, 1 / (2 * 0.729)),
        ],
        ids=["chain", "rectangular", "triangular", "honeycomb", "kagome", "fcc"],
    )
    def test_its_sum_over_a_large_lattice_counts_the_sites_in_its_volume(self, values, density):
        grid = lattice(values)
        expected = density * (np.pi * 3.0**2) ** (len(grid.shape) / 2) - 1
        assert kernel_sum(GaussianKernel(xi=3.0), grid) == pytest.approx(expected, rel=1e-8)


class TestExponential(KernelContract):
    def values(self, grid):
        return {"kind": "exponential", "xi": 1.7}

    def expected(self, grid, site, r):
        return np.exp(-r / 1.7)

    def test_a_long_chain_sums_to_a_geometric_series(self):
        grid = lattice({"shape": [400], "spacing": 0.5})
        expected = 2 / np.expm1(0.5 / 3.0)
        assert kernel_sum(ExponentialKernel(xi=3.0), grid) == pytest.approx(expected, rel=1e-12)

    def test_it_is_the_gaussian_with_exponent_one(self, grid):
        same = GaussianKernel(xi=1.7, exponent=1.0).on(grid)
        assert np.allclose(ExponentialKernel(xi=1.7).on(grid), same, rtol=1e-14)


def dirichlet_l(s, period, signs):
    """Sum of signs[n mod period] / n^s over n > 0."""
    return sum(sign * zeta(s, k / period) for k, sign in signs.items()) / period**s


class TestPower(KernelContract):
    def values(self, grid):
        return {"kind": "power", "exponent": 2.5}

    def expected(self, grid, site, r):
        return 1 / (r**2 * np.sqrt(r))

    def test_a_long_chain_sums_to_twice_the_zeta_function(self):
        total = kernel_sum(PowerKernel(exponent=4.0), HypercubicLattice(shape=(2001,)))
        assert total == pytest.approx(2 * np.pi**4 / 90, rel=1e-8)

    # Lorenz 1871 and Hardy 1919: sums over plane lattices factorise into zeta and Dirichlet L functions.
    def test_a_large_square_sums_to_four_zeta_beta(self):
        total = kernel_sum(PowerKernel(exponent=8.0), lattice({"shape": [101, 101]}))
        assert total == pytest.approx(4 * zeta(4) * dirichlet_l(4, 4, {1: 1, 3: -1}), rel=1e-9)

    def test_a_large_triangular_lattice_sums_to_six_zeta_l(self):
        total = kernel_sum(PowerKernel(exponent=8.0), lattice({"kind": "triangular", "shape": [121, 121]}))
        assert total == pytest.approx(6 * zeta(4) * dirichlet_l(4, 3, {1: 1, 2: -1}), rel=1e-9)

    def test_a_honeycomb_adds_a_third_of_the_finer_triangular_lattice(self):
        # A triangular lattice with the bond as its constant is the honeycomb and its centres, and one third of the
        # sites at all but the distances of the sublattice, which are sqrt(3) times as far, are centres.
        triangular = 6 * zeta(4) * dirichlet_l(4, 3, {1: 1, 2: -1})
        same, other = triangular / 3**4, (triangular - triangular / 3**4) / 2
        total = kernel_sum(PowerKernel(exponent=8.0), lattice({"kind": "honeycomb", "shape": [80, 80]}))
        assert total == pytest.approx(same + other, rel=1e-9)

    def test_values_beyond_all_numbers_are_refused(self):
        grid = lattice({"shape": [4, 4], "spacing": 1e-3})
        with pytest.raises(
            ConfigurationError, match=r"`kernel` must be finite at all .* but is inf at distance 0\.001"
        ):
            PowerKernel(exponent=200.0).on(grid)


class TestRkky(KernelContract):
    r = np.linspace(0.5, 30.0, 50)

    def values(self, grid):
        return {"kind": "rkky", "xi": 4.0}

    def expected(self, grid, site, r):
        x = r / 2.0
        return (x * np.cos(x) - np.sin(x)) / x**4

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
    def values(self, grid):
        return {"kind": "uniform"}

    def expected(self, grid, site, r):
        return 1.0

    def test_every_other_spin_counts_once(self, grid):
        assert kernel_sum(UniformKernel(), grid) == grid.size - 1


def even_table(grid):
    """Arbitrary mutual values, with one for the spin itself that must not count."""
    values = np.random.default_rng(6).normal(size=grid.pair_shape)
    return values + mirrored(values)


class TestTableOfValues(KernelContract):
    def values(self, grid):
        return {"kind": "table", "values": even_table(grid).tolist()}

    def expected(self, grid, site, r):
        return even_table(grid)[site]


class TestTableOfTheSpectrum(KernelContract):
    """On lattices with one site a cell, where the spectrum of a mutual kernel is real."""

    @pytest.fixture(params=[name for name in LATTICES if lattice(name).n_basis == 1])
    def grid(self, request):
        return lattice(request.param)

    def values(self, grid):
        phases = np.array([2 * np.pi * k / n for k, n in zip(np.indices(grid.shape), grid.shape, strict=True)])
        # J(q) = 3 + the sum of 2 cos(q_i): K is 3 at the site itself and 1 on the next cell along each axis.
        return {"kind": "table", "spectrum": (3 + (2 * np.cos(phases)).sum(axis=0)).tolist()}

    def expected(self, grid, site, r):
        cell = np.array(site[2:])
        steps = [
            sum((cell[i] - sign) % n == 0 and not np.delete(cell, i).any() for sign in (1, -1))
            for i, n in enumerate(grid.shape)
        ]
        return float(sum(steps))


shapes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
angular = {name: st.floats(-2, 2) for name in "sd"}
length = st.floats(0.05, 1e3)
exponent = st.floats(0.1, 8)
kernels = st.one_of(
    st.builds(GaussianKernel, xi=length, exponent=exponent, **angular),
    st.builds(ExponentialKernel, xi=length, **angular),
    st.builds(PowerKernel, exponent=exponent, **angular),
    st.builds(RkkyKernel, xi=length, **angular),
    st.builds(UniformKernel, **angular),
)
grids = st.one_of(
    st.builds(HypercubicLattice, shape=shapes),
    st.sampled_from(list(LATTICES)).map(lattice),
    st.builds(lambda shape: lattice({"kind": "honeycomb", "shape": list(shape)}), st.tuples(*[st.integers(1, 7)] * 2)),
    st.builds(lambda shape: lattice({"kind": "triangular", "shape": list(shape)}), st.tuples(*[st.integers(1, 7)] * 2)),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(k=kernels, grid=grids)
def test_kernels_are_finite_and_mutual_without_p(k, grid):
    values = k.on(grid)
    assert np.isfinite(values).all()
    scale = np.abs(k.replace(s=1.0, d=0.0).on(grid)).max()
    assert np.abs(values - mirrored(values)).max() <= 1e-12 * scale


@settings(max_examples=60, deadline=None, derandomize=True)
@given(k=kernels, half=st.tuples(st.integers(0, 4), st.integers(0, 4)), kind=st.sampled_from(["square", "triangular"]))
def test_p_alone_makes_the_kernel_odd(k, half, kind):
    # Odd lengths only: the site half way round an even one is its own mirror image.
    grid = lattice({"kind": kind, "shape": [2 * n + 1 for n in half]})
    values = k.replace(s=0.0, p=1.0, d=0.0).on(grid)
    scale = np.abs(k.replace(s=1.0, d=0.0).on(grid)).max()
    assert np.abs(values + mirrored(values)).max() <= 1e-12 * scale


@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=st.sampled_from(["square", "triangular", "honeycomb", "fcc"]), factor=st.floats(0.1, 10))
def test_only_the_range_in_units_of_the_spacing_matters(name, factor):
    one, other = lattice(name, spacing=1.0), lattice(name, spacing=factor)
    for k in (GaussianKernel(xi=2.0), ExponentialKernel(xi=2.0), RkkyKernel(xi=2.0)):
        assert np.allclose(k.on(one), k.replace(xi=2.0 * factor).on(other), rtol=1e-9)


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
