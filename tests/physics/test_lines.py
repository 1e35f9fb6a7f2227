"""Inhomogeneous lines, against their formulas, numerical integrals and the law of large numbers."""

from math import atan, tan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest, truncnorm

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import GaussianLine, LorentzianLine, TableLine
from nmr_platform.schema import validate
from tests.builders import experiment_values
from tests.physics.samples import line

LINES: dict[str, dict[str, Any]] = {
    "lorentzian": {"kind": "lorentzian", "fwhm": 0.05, "bandwidth": 0.5},
    "lorentzian as wide as its band": {"fwhm": 0.3, "bandwidth": 0.3},
    "gaussian": {"kind": "gaussian", "fwhm": 0.05, "bandwidth": 0.2},
    "gaussian as wide as its band": {"kind": "gaussian", "fwhm": 0.3, "bandwidth": 0.3},
    "table": {
        "kind": "table",
        "offsets": [-0.2, -0.05, 0.0, 0.1, 0.12, 0.3],
        "densities": [0.0, 1.0, 4.0, 0.5, 3.0, 0.2],
    },
    "flat table": {"kind": "table", "offsets": [-0.1, 0.3], "densities": [5.0, 5.0]},
}


class LineContract:
    """What every line must do; a subclass names settings of the line, and where its density has corners."""

    values: dict[str, Any]
    corners: tuple[float, ...] = (0.0,)

    def integral(self, function=np.ones_like, upper=None):
        """Integral of ``function`` times the density from the lower end of the band to ``upper``."""
        shape = line(self.values)
        lowest, highest = shape.band
        upper = highest if upper is None else upper
        points = [nu for nu in self.corners if lowest < nu < upper]
        return quad(
            lambda nu: function(nu) * shape.density(np.array([nu]))[0], lowest, upper, points=points or None, limit=200
        )[0]

    def test_the_quantile_inverts_the_integral_of_the_density(self):
        shape, inside = line(self.values), self.integral()
        for u in np.linspace(0.02, 0.98, 13):
            nu = float(shape.quantile(np.array([u]))[0])
            assert self.integral(upper=nu) / inside == pytest.approx(u, abs=1e-7)

    def test_quantiles_span_the_band_in_order(self):
        shape = line(self.values)
        nu = shape.quantile(np.linspace(0, 1, 1001))
        assert (np.diff(nu) > 0).all()
        assert nu[[0, -1]] == pytest.approx(shape.band, abs=1e-12)

    def test_no_more_than_all_of_the_line_is_inside_the_band(self):
        assert 0 < self.integral() <= 1 + 1e-9

    def test_the_moments_of_drawn_offsets_are_those_of_the_line(self):
        spins = line(self.values).draw(200_000, np.random.default_rng(4))
        inside = self.integral()
        mean = self.integral(lambda nu: nu) / inside
        variance = self.integral(lambda nu: (nu - mean) ** 2) / inside
        fourth = self.integral(lambda nu: (nu - mean) ** 4) / inside
        # Five standard errors of each.
        assert spins.offsets.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / 200_000))
        error = np.sqrt((fourth - variance**2) / 200_000)
        assert spins.offsets.var() == pytest.approx(variance, abs=5 * error)

    @pytest.mark.parametrize("weights", ["sampled", "normalised"])
    def test_drawn_offsets_follow_the_line_by_inverting_one_uniform_number_each(self, weights):
        shape = line(self.values, weights=weights)
        drawn = shape.draw(50, np.random.default_rng(3)).offsets
        assert np.array_equal(drawn, shape.quantile(np.random.default_rng(3).random(50)))
        lowest, highest = shape.band
        assert ((drawn >= lowest) & (drawn <= highest)).all()

    def test_sampled_spins_count_fully_in_the_field_and_equally_in_the_signal(self):
        spins = line(self.values).draw(50, np.random.default_rng(0))
        assert set(spins.field_weights) == {1.0}
        assert np.allclose(spins.signal_weights, 1 / 50)

    def test_normalised_spins_share_the_field_and_the_signal_equally(self):
        spins = line(self.values, weights="normalised").draw(50, np.random.default_rng(0))
        assert np.allclose(spins.field_weights, 1 / 50)
        assert np.allclose(spins.signal_weights, 1 / 50)

    def test_integrated_weights_sum_to_the_part_of_the_line_inside_the_band(self):
        shape = line(self.values, weights="integrated")
        spins = shape.draw(20_001, np.random.default_rng(0))
        # Summing the grid is the trapezoidal rule plus half a weight at each end.
        spacing = np.diff(shape.band)[0] / 20_000
        ends = shape.density(np.array(shape.band)).mean() * spacing
        assert spins.field_weights.sum() == pytest.approx(self.integral() + ends, abs=2e-6)
        assert np.array_equal(spins.field_weights, spins.signal_weights)
        assert np.allclose(spins.field_weights, shape.density(spins.offsets) * spacing)

    def test_integrated_offsets_are_a_uniform_grid_in_random_order(self):
        shape = line(self.values, weights="integrated")
        first, second = (shape.draw(400, np.random.default_rng(seed)).offsets for seed in (0, 1))
        assert np.allclose(np.sort(first), np.linspace(*shape.band, 400))
        assert not np.array_equal(first, second)
        # Neighbours of a ramp would be correlated almost perfectly.
        assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.2
        assert abs(np.corrcoef(first, np.arange(400))[0, 1]) < 0.2

    def test_given_offsets_are_weighed_in_their_order(self):
        shape = line(self.values, weights="integrated")
        offsets = shape.quantile(np.array([0.7, 0.2]))
        assert np.array_equal(shape.weigh(offsets).offsets, offsets)
        assert np.allclose(shape.weigh(offsets).field_weights, shape.density(offsets) * np.diff(shape.band)[0])

    def test_it_survives_a_round_trip_through_plain_data_and_json(self):
        shape = line(self.values)
        assert line(shape.model_dump()) == shape
        assert type(shape).model_validate_json(shape.model_dump_json()) == shape
        assert hash(line(shape.model_dump())) == hash(shape)


class TestLorentzian(LineContract):
    values = LINES["lorentzian"]


class TestLorentzianAsWideAsItsBand(LineContract):
    values = LINES["lorentzian as wide as its band"]


class TestGaussian(LineContract):
    values = LINES["gaussian"]


class TestGaussianAsWideAsItsBand(LineContract):
    values = LINES["gaussian as wide as its band"]


class TestTable(LineContract):
    values = LINES["table"]
    corners = tuple(LINES["table"]["offsets"])


class TestFlatTable(LineContract):
    values = LINES["flat table"]


LINE = LorentzianLine(fwhm=0.05, bandwidth=0.5)


def truncated_cdf(nu, fwhm, bandwidth):
    edge = np.arctan(bandwidth / fwhm)
    return (np.arctan(2 * nu / fwhm) + edge) / (2 * edge)


@pytest.mark.parametrize(("fwhm", "bandwidth"), [(0.05, 0.5), (0.05, 1.0), (0.3, 0.3)])
def test_the_lorentzian_quantile_inverts_the_arctangent(fwhm, bandwidth):
    u = np.linspace(0, 1, 101)
    nu = LorentzianLine(fwhm=fwhm, bandwidth=bandwidth).quantile(u)
    assert np.allclose(truncated_cdf(nu, fwhm, bandwidth), u, atol=1e-14)
    assert nu[[0, 50, 100]] == pytest.approx([-bandwidth / 2, 0, bandwidth / 2], abs=1e-15)


def test_drawn_lorentzian_offsets_are_the_same_bits_as_ever():
    u = np.random.default_rng(8).random(1000)
    # Not numpy's: its tangent rounds otherwise on processors with AVX-512.
    expected = 0.05 / 2 * np.array([tan(angle) for angle in (2 * u - 1) * atan(0.5 / 0.05)])
    assert np.array_equal(LINE.draw(1000, np.random.default_rng(8)).offsets, expected)


def test_drawn_lorentzian_offsets_pass_a_test_of_their_distribution():
    spins = LINE.draw(20_000, np.random.default_rng(3))
    assert kstest(spins.offsets, lambda nu: truncated_cdf(nu, 0.05, 0.5)).pvalue > 0.01


@pytest.mark.parametrize("shape", [LINE, GaussianLine(fwhm=0.05, bandwidth=0.5)], ids=["lorentzian", "gaussian"])
def test_the_density_has_half_its_maximum_at_half_the_width(shape):
    assert shape.density(np.array([0.025])) == pytest.approx(shape.density(np.zeros(1)) / 2)


@pytest.mark.parametrize(("bandwidth", "size"), [(0.5, 400), (0.5, 1600), (1.0, 10_000)])
def test_integrated_lorentzian_weights_sum_to_an_arctangent(bandwidth, size):
    shape = LorentzianLine(fwhm=0.05, bandwidth=bandwidth, weights="integrated")
    spins = shape.draw(size, np.random.default_rng(0))
    inside = 2 / np.pi * np.arctan(bandwidth / 0.05)
    ends = shape.density(np.array([bandwidth / 2]))[0] * bandwidth / (size - 1)
    assert spins.field_weights.sum() == pytest.approx(inside + ends, abs=2e-5)


def test_the_band_of_the_papers_figures_holds_0_9365_of_the_line():
    shape = LorentzianLine(fwhm=0.05, bandwidth=0.5, weights="integrated")
    assert shape.draw(100_000, np.random.default_rng(0)).signal_weights.sum() == pytest.approx(0.9365, abs=1e-4)


@pytest.mark.parametrize("bandwidth", [0.05, 0.1, 0.3])
def test_gaussian_quantiles_are_those_of_the_truncated_normal_distribution(bandwidth):
    shape = GaussianLine(fwhm=0.05, bandwidth=bandwidth)
    edge = bandwidth / 2 / shape.sigma
    u = np.linspace(0, 1, 101)
    assert np.allclose(shape.quantile(u), truncnorm(-edge, edge, scale=shape.sigma).ppf(u), atol=1e-9)


def test_a_gaussian_far_narrower_than_its_band_has_finite_ends():
    shape = GaussianLine(fwhm=0.01, bandwidth=1.0)
    assert shape.quantile(np.array([0.0, 0.5, 1.0])).tolist() == [-0.5, 0.0, 0.5]


def test_a_table_is_divided_by_its_integral_and_ends_with_its_points():
    triangle = TableLine(offsets=(-1.0, 0.0, 1.0), densities=(0.0, 20.0, 0.0))
    assert triangle.density(np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 2.0])).tolist() == [0, 0, 0.5, 1, 0.5, 0]
    assert triangle.quantile(np.array([0.125, 0.5, 0.875])) == pytest.approx([-0.5, 0.0, 0.5])


def test_a_table_that_ends_high_is_zero_outside_its_points():
    box = TableLine(offsets=(-1.0, 1.0), densities=(3.0, 3.0))
    assert box.density(np.array([-1.1, -1.0, 1.0, 1.1])).tolist() == [0, 0.5, 0.5, 0]


def test_a_gap_in_a_table_is_never_drawn():
    gap = TableLine(offsets=(-0.3, -0.2, -0.1, 0.1, 0.2, 0.3), densities=(0.0, 1.0, 0.0, 0.0, 1.0, 0.0))
    drawn = np.abs(gap.draw(10_000, np.random.default_rng(0)).offsets)
    assert drawn.min() > 0.1
    assert drawn.max() < 0.3


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    widths=st.lists(st.floats(1e-3, 1.0), min_size=4, max_size=4),
    heights=st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=5, max_size=5).filter(any),
)
def test_the_quantile_of_any_table_inverts_its_distribution(widths, heights):
    nodes = np.concatenate([[-0.4], -0.4 + np.cumsum(widths)])
    shape = TableLine(offsets=nodes.tolist(), densities=heights)
    u = np.linspace(0.01, 0.99, 37)
    nu = shape.quantile(u)
    # The density is linear between points: one trapezium from the last point below is its exact integral.
    areas = np.diff(nodes) * (shape.density(nodes)[1:] + shape.density(nodes)[:-1]) / 2
    below = np.concatenate([[0.0], np.cumsum(areas)])
    last = np.clip(np.searchsorted(nodes, nu, side="right") - 1, 0, 3)
    found = below[last] + (nu - nodes[last]) * (shape.density(nu) + shape.density(nodes[last])) / 2
    assert np.allclose(found, u, atol=1e-9)


REFUSED = [
    ({"fwhm": 0.05, "bandwidth": 0.01}, r"`line\.bandwidth` must be at least `line\.fwhm` \(0\.05 MHz\), but is 0\.01"),
    ({"fwhm": 0.05}, r"^Key `line\.bandwidth` is missing \(MHz\)\.$"),
    ({"fwhm": 0.05, "bandwith": 0.5}, r"`line\.bandwith` is not known\. Did you mean `bandwidth`\?"),
    ({"kind": "gaussian", "fwhm": 0.0, "bandwidth": 0.5}, r"^Key `line\.fwhm` is 0\.0, but it must be greater than 0"),
    ({"kind": "gaussian", "fwhm": 0.3, "bandwidth": 0.2}, r"`line\.bandwidth` must be at least `line\.fwhm`"),
    ({"kind": "gausian", "fwhm": 0.3, "bandwidth": 0.2}, r"`line\.kind` is 'gausian', .*Did you mean `gaussian`\?"),
    (
        {"kind": "table", "offsets": [0.0, 0.1], "densities": [1.0, 1.0, 1.0]},
        r"`line\.densities` must have an entry for each of the 2 `line\.offsets`, but has 3\.",
    ),
    (
        {"kind": "table", "offsets": [0.0, 0.1, 0.1], "densities": [1.0, 1.0, 1.0]},
        r"`line\.offsets\.2` must be above the 0\.1 MHz before it, but is 0\.1 MHz",
    ),
    ({"kind": "table", "offsets": [0.0], "densities": [1.0]}, r"`line\.offsets` is \[0\.0\], .* 2 or more entries"),
    (
        {"kind": "table", "offsets": [0.0, 1.0], "densities": [0.0, 0.0]},
        r"`line\.densities` must have an entry above 0",
    ),
    (
        {"kind": "table", "offsets": [0.0, 1.0], "densities": [1.0, -1.0]},
        r"`line\.densities\.1` is -1\.0, but it must be greater than or equal to 0",
    ),
]


@pytest.mark.parametrize(("values", "match"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_bad_lines_are_refused_with_a_sentence(values, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(line=values))
