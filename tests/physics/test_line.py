"""The inhomogeneous line, against the analytic Lorentzian."""

import numpy as np
import pytest
from scipy.stats import kstest

from nmr_platform.physics import Line

LINE = Line(fwhm=0.05, bandwidth=0.5)


def truncated_cdf(nu, fwhm, bandwidth):
    edge = np.arctan(bandwidth / fwhm)
    return (np.arctan(2 * nu / fwhm) + edge) / (2 * edge)


@pytest.mark.parametrize(("fwhm", "bandwidth"), [(0.05, 0.5), (0.05, 1.0), (0.3, 0.3)])
def test_quantile_inverts_the_distribution_of_the_truncated_line(fwhm, bandwidth):
    u = np.linspace(0, 1, 101)
    nu = Line(fwhm=fwhm, bandwidth=bandwidth).quantile(u)
    assert np.allclose(truncated_cdf(nu, fwhm, bandwidth), u, atol=1e-14)
    assert nu[[0, 50, 100]] == pytest.approx([-bandwidth / 2, 0, bandwidth / 2], abs=1e-15)


def test_density_has_half_its_maximum_at_half_the_width_and_integrates_to_one():
    assert LINE.density(np.array([0.025])) == pytest.approx(LINE.density(np.zeros(1)) / 2)
    nu = np.linspace(-500, 500, 10**6 + 1)
    wide = Line(fwhm=1.0, bandwidth=1000.0)
    assert np.trapezoid(wide.density(nu), nu) == pytest.approx(2 / np.pi * np.arctan(1000), rel=1e-9)


@pytest.mark.parametrize("weights", ["sampled", "normalised"])
def test_drawn_offsets_follow_the_truncated_line(weights):
    spins = LINE.replace(weights=weights).draw(20_000, np.random.default_rng(3))
    assert np.abs(spins.offsets).max() <= 0.25
    assert kstest(spins.offsets, lambda nu: truncated_cdf(nu, 0.05, 0.5)).pvalue > 0.01


def test_sampled_spins_count_fully_in_the_field_and_equally_in_the_signal():
    spins = LINE.draw(50, np.random.default_rng(0))
    assert set(spins.field_weights) == {1.0}
    assert np.allclose(spins.signal_weights, 1 / 50)


def test_normalised_spins_share_the_field_and_the_signal_equally():
    spins = LINE.replace(weights="normalised").draw(50, np.random.default_rng(0))
    assert np.allclose(spins.field_weights, 1 / 50)
    assert np.allclose(spins.signal_weights, 1 / 50)


@pytest.mark.parametrize(("bandwidth", "size"), [(0.5, 400), (0.5, 1600), (1.0, 10_000)])
def test_integrated_weights_sum_to_the_part_of_the_line_inside_the_band(bandwidth, size):
    line = Line(fwhm=0.05, bandwidth=bandwidth, weights="integrated")
    spins = line.draw(size, np.random.default_rng(0))
    inside = 2 / np.pi * np.arctan(bandwidth / 0.05)
    # Summing the grid is the trapezoidal rule plus half a weight at each end.
    ends = line.density(np.array([bandwidth / 2]))[0] * bandwidth / (size - 1)
    assert spins.field_weights.sum() == pytest.approx(inside + ends, abs=2e-5)
    assert np.array_equal(spins.field_weights, spins.signal_weights)


def test_the_band_of_the_papers_figures_holds_0_9365_of_the_line():
    line = Line(fwhm=0.05, bandwidth=0.5, weights="integrated")
    assert line.draw(100_000, np.random.default_rng(0)).signal_weights.sum() == pytest.approx(0.9365, abs=1e-4)


def test_integrated_offsets_are_a_uniform_grid_in_random_order():
    line = LINE.replace(weights="integrated")
    first, second = (line.draw(400, np.random.default_rng(seed)).offsets for seed in (0, 1))
    assert np.allclose(np.sort(first), np.linspace(-0.25, 0.25, 400))
    assert not np.array_equal(first, second)
    # Neighbours of a ramp would be correlated almost perfectly.
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.2
    assert abs(np.corrcoef(first, np.arange(400))[0, 1]) < 0.2


def test_the_same_generator_state_draws_the_same_spins():
    draws = [LINE.draw(30, np.random.default_rng(8)).offsets for _ in range(2)]
    assert np.array_equal(*draws)
