"""What every feature set must fulfil; a new one inherits `FeatureSetContract` and names its settings."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nmr_platform.features import FeatureSet, extract, feature_intervals, make_transformer

STEP = 1 / (2 * np.pi)
ECHO_INDEX = 1256


class FeatureSetContract:
    """Tests of one feature set; subclasses set `feature_set` and `n_features`."""

    feature_set: FeatureSet
    n_features: int

    def extract(self, records):
        return extract(records, self.feature_set, echo_index=ECHO_INDEX, step=STEP)

    def intervals(self, records):
        n_samples = records.shape[1]
        return feature_intervals(self.feature_set, echo_index=ECHO_INDEX, step=STEP, n_samples=n_samples)

    def test_columns_are_float32_and_finite(self, records):
        table = self.extract(records)
        assert table.shape == (len(records), self.n_features)
        assert set(table.dtypes) == {np.dtype("float32")}
        assert np.isfinite(table.to_numpy()).all()

    def test_names_are_unique_strings(self, records):
        names = list(self.extract(records).columns)
        assert len(set(names)) == len(names)
        assert all(isinstance(name, str) for name in names)

    def test_intervals_match_the_names_and_lie_forward(self, records):
        intervals = self.intervals(records)
        assert list(intervals["name"]) == list(self.extract(records).columns)
        assert list(intervals.columns) == ["name", "component", "start", "stop", "axis", "power"]
        assert (intervals["stop"] > intervals["start"]).all()
        assert set(intervals["component"]) == set(self.feature_set.components)

    def test_intervals_lie_around_the_echo_in_time_and_around_zero_in_frequency(self, records):
        intervals = self.intervals(records)
        centre = 0.0 if intervals["axis"].iloc[0] == "frequency" else ECHO_INDEX * STEP
        assert intervals["axis"].nunique() == 1
        assert intervals["start"].min() < centre < intervals["stop"].max()

    def test_row_by_row_gives_the_same_as_the_batch(self, records):
        batch = self.extract(records[:4])
        rows = pd.concat([self.extract(records[i : i + 1]) for i in range(4)], ignore_index=True)
        np.testing.assert_allclose(rows, batch, rtol=1e-5, atol=1e-12)

    def test_samples_outside_the_window_do_not_matter(self, records):
        spoiled = records.copy()
        spoiled[:, : ECHO_INDEX - self.feature_set.half_width] = np.nan
        spoiled[:, ECHO_INDEX + self.feature_set.half_width :] = np.nan
        pd.testing.assert_frame_equal(self.extract(spoiled), self.extract(records))

    def test_scale_matters_exactly_when_rows_are_not_rescaled(self, records):
        scaled, plain = self.extract(records * 8).to_numpy(), self.extract(records).to_numpy()
        factor = 1 if self.feature_set.rescale else 8
        np.testing.assert_allclose(scaled, factor * plain, rtol=1e-5, atol=1e-12)

    def test_pipeline_clones_and_pickles(self, records):
        pipeline = make_transformer(self.feature_set, ECHO_INDEX)
        expected = pipeline.transform(records)
        for copy in (clone(pipeline), pickle.loads(pickle.dumps(pipeline))):
            np.testing.assert_array_equal(copy.transform(records), expected)

    def test_pipeline_gives_a_named_frame_on_request(self, records):
        pipeline = make_transformer(self.feature_set, ECHO_INDEX).set_output(transform="pandas")
        frame = pipeline.fit_transform(pd.DataFrame(records, index=range(100, 112)))
        assert list(frame.columns) == list(pipeline.get_feature_names_out())
        assert list(frame.index) == list(range(100, 112))
        np.testing.assert_array_equal(frame, self.extract(records))


class TestPointwiseMagnitude(FeatureSetContract):
    feature_set = FeatureSet(kind="pointwise", signal="magnitude")
    n_features = 300


class TestPointwiseComplexRescaled(FeatureSetContract):
    feature_set = FeatureSet(kind="pointwise", signal="complex", rescale=True, half_width=100)
    n_features = 400


class TestPolynomialMagnitude(FeatureSetContract):
    feature_set = FeatureSet(kind="polynomial", signal="magnitude")
    n_features = 76


class TestPolynomialComplexOfAnUnevenWindow(FeatureSetContract):
    feature_set = FeatureSet(kind="polynomial", signal="complex", half_width=147)
    n_features = 152


class TestPolynomialMagnitudeRescaled(FeatureSetContract):
    feature_set = FeatureSet(kind="polynomial", signal="magnitude", rescale=True)
    n_features = 76


class TestFrequencyMagnitude(FeatureSetContract):
    feature_set = FeatureSet(kind="frequency", signal="magnitude")
    n_features = 812


class TestFrequencyComplex(FeatureSetContract):
    feature_set = FeatureSet(kind="frequency", signal="complex")
    n_features = 1624


class TestPolynomialFrequencyMagnitude(FeatureSetContract):
    feature_set = FeatureSet(kind="polynomial_frequency", signal="magnitude")
    n_features = 76


class TestPolynomialFrequencyComplex(FeatureSetContract):
    feature_set = FeatureSet(kind="polynomial_frequency", signal="complex", rescale=True)
    n_features = 152


@pytest.mark.parametrize("kind", ["pointwise", "polynomial", "frequency", "polynomial_frequency"])
def test_a_row_of_zeros_stays_finite_when_rescaled(kind):
    feature_set = FeatureSet(kind=kind, signal="complex", rescale=True)
    table = extract(np.zeros((1, 1884), dtype=complex), feature_set, echo_index=ECHO_INDEX, step=STEP)
    assert (table.to_numpy() == 0).all()


def test_table_remembers_how_it_was_made(records):
    feature_set = FeatureSet(kind="pointwise", signal="magnitude")
    table = extract(records, feature_set, echo_index=ECHO_INDEX, step=STEP)
    assert table.attrs == {"feature_set": "pointwise-magnitude", "echo_index": ECHO_INDEX, "step": STEP}
