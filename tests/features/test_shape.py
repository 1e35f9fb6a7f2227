"""Statistics of the echo's shape: closed forms of peaks, phases and decays that are known."""

import numpy as np
import pytest

from nmr_platform.features import Acquisition, ShapeFeatures, extract

STEP = 0.1
ECHO = 4000
N_SAMPLES = 6000
TIME = (np.arange(N_SAMPLES) - ECHO) * STEP


def taken(n_sites=10_000):
    return Acquisition(echo_index=ECHO, step=STEP, n_samples=N_SAMPLES, n_sites=n_sites)


def measured(*records, signal="magnitude", window="echo", half_width=600, n_sites=10_000, **options):
    feature_set = ShapeFeatures(signal=signal, window=window, half_width=half_width, **options)
    return extract(np.array(records), feature_set, taken(n_sites))


def gaussian(centre=0.0, width=5.0, height=0.4):
    return height * np.exp(-0.5 * ((TIME - centre) / width) ** 2)


def test_a_gaussian_echo_has_the_moments_of_a_gaussian():
    row = measured(gaussian(centre=3.0)).iloc[0]
    assert row["echo_height"] == pytest.approx(0.4)
    assert row["echo_height_time"] == pytest.approx(3.0)
    assert row["echo_area"] == pytest.approx(0.4 * 5 * np.sqrt(2 * np.pi), rel=1e-5)
    # The square of a Gaussian is narrower by the root of two.
    assert row["echo_centre"] == pytest.approx(3.0, rel=1e-5)
    assert row["echo_width"] == pytest.approx(5 / np.sqrt(2), rel=1e-5)
    assert row["echo_skewness"] == pytest.approx(0.0, abs=1e-5)
    assert row["echo_kurtosis"] == pytest.approx(3.0, rel=1e-5)
    for side in ("left", "right"):
        assert row[f"echo_half_width_{side}"] == pytest.approx(5 * np.sqrt(2 * np.log(2)), rel=1e-3)


def test_a_two_sided_exponential_has_its_rates_and_its_asymmetry():
    echo = 0.3 * np.exp(-np.where(TIME < 0, -TIME / 4, TIME / 8))
    row = measured(echo).iloc[0]
    assert row["echo_rate_left"] == pytest.approx(1 / 4, rel=1e-5)
    assert row["echo_rate_right"] == pytest.approx(1 / 8, rel=1e-5)
    assert row["echo_half_width_left"] == pytest.approx(4 * np.log(2), rel=1e-3)
    assert row["echo_half_width_right"] == pytest.approx(8 * np.log(2), rel=1e-3)
    assert row["echo_asymmetry"] == pytest.approx((8 - 4) / (8 + 4), abs=1e-3)
    assert row["echo_skewness"] > 0.5
    turned = measured(np.roll(echo[::-1], 2 * ECHO - N_SAMPLES + 1)).iloc[0]
    assert turned["echo_asymmetry"] == pytest.approx(-row["echo_asymmetry"], rel=1e-4)
    assert turned["echo_skewness"] == pytest.approx(-row["echo_skewness"], rel=1e-4)


def test_secondary_maxima_are_counted_and_the_most_prominent_is_measured():
    echo = gaussian() + gaussian(centre=-30, height=0.1) + gaussian(centre=40, height=0.2)
    row = measured(echo).iloc[0]
    assert row["echo_n_maxima"] == 3
    assert row["echo_second_time"] == pytest.approx(40)
    assert row["echo_second_height"] == pytest.approx(0.2)
    assert row["echo_second_prominence"] == pytest.approx(0.2, rel=1e-2)


def test_maxima_below_the_noise_of_the_disorder_do_not_count():
    echo = gaussian() + gaussian(centre=30, height=0.01)
    # Three floors are 0.015 at 10^4 spins, 0.0015 at 10^6.
    few, many = measured(echo).iloc[0], measured(echo, n_sites=1_000_000).iloc[0]
    assert (few["echo_n_maxima"], many["echo_n_maxima"]) == (1, 2)
    assert few["echo_second_height"] == few["echo_second_prominence"] == 0
    assert few["echo_second_time"] == few["echo_height_time"]


def test_a_maximum_counts_if_it_stands_out_by_three_floors():
    # The floor of 10^4 spins is 0.005.
    below, above = (gaussian() + gaussian(centre=40, height=height) for height in (0.0145, 0.0155))
    assert measured(below, above)["echo_n_maxima"].tolist() == [1, 2]


def test_phase_slope_is_the_frequency_of_a_turning_echo():
    turning = gaussian() * np.exp(1j * (0.5 + 2 * np.pi * 0.02 * TIME))
    bent = gaussian() * np.exp(1j * 2 * np.pi * 0.02 * np.abs(TIME))
    table = measured(turning, bent, signal="complex")
    np.testing.assert_allclose(table["phase_cos"], np.cos([0.5, 0]), rtol=1e-5)
    np.testing.assert_allclose(table["phase_sin"], np.sin([0.5, 0]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(table["phase_slope"], [0.02, 0.0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(table["phase_curvature"], [0.0, 0.04], rtol=0.05, atol=1e-5)


def test_an_exponential_free_decay_has_its_time():
    since = np.arange(N_SAMPLES) * STEP
    record = 0.5 * np.exp((-1 / 6 + 2j * np.pi * 0.03) * since) + gaussian()
    row = measured(record, signal="complex", window="record").iloc[0]
    assert row["decay_start"] == pytest.approx(0.5)
    assert row["decay_area"] == pytest.approx(6, rel=1e-3)
    assert row["decay_time"] == pytest.approx(6, rel=1e-3)
    assert row["decay_rate"] == pytest.approx(1 / 6, rel=1e-4)
    assert row["decay_background"] == pytest.approx(0, abs=1e-6)
    assert row["decay_refocused"] == pytest.approx(0.8, rel=1e-5)
    assert row["decay_slope"] == pytest.approx(0.03, rel=1e-3)


def test_a_background_is_told_from_a_decay():
    record = np.full(N_SAMPLES, 0.02)
    row = measured(record, window="record").iloc[0]
    assert row["decay_background"] == pytest.approx(0.02)
    assert row["decay_rate"] == pytest.approx(0, abs=1e-6)
    # Never reached: half-way to the echo is where the decay ends.
    assert row["decay_time"] == pytest.approx((ECHO // 2 - 1) * STEP)


def test_averaged_samples_give_nearly_the_same_shape():
    plain, averaged = measured(gaussian()).iloc[0], measured(gaussian(), decimate=4).iloc[0]
    for name in ("echo_width", "echo_half_width_left", "echo_area", "echo_rate_right"):
        assert averaged[name] == pytest.approx(plain[name], rel=0.05)


def test_amplitude_changes_heights_and_areas_only():
    echo = 0.3 * np.exp(-np.abs(TIME - 1) / 5) + 0.5 * np.exp(-np.arange(N_SAMPLES) * STEP / 6) + 1e-3
    plain, half = measured(echo, 0.5 * echo, window="record").to_numpy(dtype=float)
    names = list(measured(echo, window="record").columns)
    changed = {name for name, a, b in zip(names, plain, half, strict=True) if not np.isclose(a, b, rtol=1e-5)}
    assert changed == {"echo_height", "echo_area", "decay_start", "decay_background"}


def test_flanks_lie_on_their_sides_of_the_echo():
    feature_set = ShapeFeatures(signal="complex", window="record", half_width=600)
    table = feature_set.intervals(taken()).set_index("name")
    middle = (ECHO - 0.5) * STEP
    assert table.loc["echo_rate_left", "stop"] == table.loc["echo_rate_right", "start"] == pytest.approx(middle)
    assert table.loc["echo_centre", "stop"] - table.loc["echo_centre", "start"] == pytest.approx(1200 * STEP)
    assert table.loc["decay_time", "start"] == pytest.approx(-0.5 * STEP)
    assert table.loc["decay_slope", "stop"] == pytest.approx((ECHO // 2 - 0.5) * STEP)
    assert set(table["component"]) == {"abs", "phase"}
