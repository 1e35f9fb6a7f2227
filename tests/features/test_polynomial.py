"""Cubic fits in bins: closed forms, the loop they replace, and their names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, PolynomialFeatures
from nmr_platform.features.kinds.polynomial import PolynomialBins

SPLITS = (4, 5, 10)
coefficient = st.floats(-1, 1, allow_nan=False, width=32)


def fitted_in_a_loop(row):
    bins = [part for n_splits in SPLITS for part in np.split(row, n_splits)]
    return np.concatenate([np.polyfit(np.arange(len(part)) - len(part) // 2, part, 3) for part in bins])


def test_names_are_those_of_the_reference():
    names = list(PolynomialBins(300).get_feature_names_out())
    assert len(names) == 76
    assert names[:5] == ["4_1_3", "4_1_2", "4_1_1", "4_1_0", "4_2_3"]
    assert names[-1] == "10_10_0"


@given(st.tuples(coefficient, coefficient, coefficient, coefficient))
@settings(max_examples=25, deadline=None)
def test_a_cubic_is_recovered_in_every_bin(cubic):
    samples = np.arange(300)
    bins = PolynomialBins(300)
    scaled = np.array(cubic) * [1e-6, 1e-4, 1e-2, 1]
    found = bins.transform(np.polyval(scaled, samples)[np.newaxis])[0]
    expected = []
    for n_splits in SPLITS:
        width = 300 // n_splits
        for number in range(n_splits):
            shift = np.poly1d([1, number * width + width // 2])
            moved = np.poly1d(scaled)(shift).coeffs
            expected.append(np.pad(moved, (4 - len(moved), 0)))
    tolerance = np.tile([1e-10, 1e-8, 1e-6, 1e-4], 19)
    assert (np.abs(found - np.concatenate(expected)) <= tolerance * (1 + np.abs(found))).all()


def test_fits_equal_polyfit_in_every_bin():
    windows = np.random.default_rng(3).normal(size=(6, 300))
    expected = [fitted_in_a_loop(row) for row in windows]
    np.testing.assert_allclose(PolynomialBins(300).transform(windows), expected, rtol=1e-5, atol=1e-12)


def test_length_that_bins_do_not_divide_is_cut_to_its_middle():
    spectra = np.random.default_rng(4).normal(size=(2, 812))
    expected = [fitted_in_a_loop(row[6:806]) for row in spectra]
    np.testing.assert_allclose(PolynomialBins(812).transform(spectra), expected, rtol=1e-5, atol=1e-12)


def test_components_are_fitted_one_after_the_other():
    real, imaginary = np.random.default_rng(5).normal(size=(2, 3, 100))
    both = PolynomialBins(100, ("re_", "im_"))
    alone = PolynomialBins(100)
    found = both.transform(np.concatenate([real, imaginary], axis=1))
    np.testing.assert_allclose(found, np.hstack([alone.transform(real), alone.transform(imaginary)]), rtol=1e-6)
    assert list(both.get_feature_names_out()[[0, 76]]) == ["re_4_1_3", "im_4_1_3"]


def test_bins_tile_the_window_in_time():
    feature_set = PolynomialFeatures(signal="magnitude")
    intervals = feature_set.intervals(Acquisition(echo_index=1000, step=0.5, n_samples=2000))
    constants = intervals[intervals["power"] == 0]
    for n_splits in SPLITS:
        row = constants[constants["name"].str.startswith(f"{n_splits}_")]
        np.testing.assert_allclose(row["start"].iloc[1:], row["stop"].iloc[:-1])
        assert row["start"].iloc[0] == (850 - 0.5) * 0.5
        assert row["stop"].iloc[-1] == (1150 - 0.5) * 0.5


def test_columns_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"must have 1 x 300 columns .* but has shape \(2, 299\)"):
        PolynomialBins(300).transform(np.zeros((2, 299)))
