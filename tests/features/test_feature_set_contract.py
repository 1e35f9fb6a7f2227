"""What every feature set must fulfil; a new one inherits `FeatureSetContract` and names its settings."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nmr_platform.errors import UnmetNeedError
from nmr_platform.features import (
    CombinedFeatures,
    ConvolutionFeatures,
    FeatureSet,
    FeaturesSettings,
    FrequencyFeatures,
    PointwiseFeatures,
    PolynomialFeatures,
    PolynomialFrequencyFeatures,
    QuantileFeatures,
    ShapeFeatures,
    extract,
)
from nmr_platform.schema import validate
from tests.features.records import ECHO_INDEX, N_SAMPLES, STEP, TAKEN, banded_records

PARTS = ("abs", "re", "im", "inphase", "quadrature", "log", "cos", "sin", "freq", "phase")


# A record whose height, phase or frequency is wrong.
SPOILED = {
    "height": lambda m: 1.7 * m,
    "phase": lambda m: m * np.exp(0.9j),
    "offset": lambda m: m * np.exp(2j * np.pi * 0.005 * STEP * (np.arange(N_SAMPLES) - ECHO_INDEX)),
}
BANDED = TAKEN.replace(bandwidth=1.0)


def changed(table, plain, tolerance=1e-2):
    """Which columns are others, beyond a share of their own size and spread over the curves, shape (n_features,)."""
    table, plain = table.to_numpy(np.float64), plain.to_numpy(np.float64)
    size = np.abs(plain).max(axis=0) + tolerance * np.abs(plain).max()
    return (np.abs(table - plain) > tolerance * size).any(axis=0)


class FeatureSetContract:
    """Tests of one feature set.

    Subclasses set `feature_set` and `n_features`, and say what M may be multiplied with:
    ``scale``: power of the factor that all columns are multiplied with when M is, None where that differs;
    ``turns``: whether the columns change when M is multiplied with a phase.
    """

    feature_set: FeatureSet
    n_features: int
    scale: int | None = 1
    turns: bool = False

    def extract(self, records):
        return extract(records, self.feature_set, TAKEN)

    def intervals(self):
        return self.feature_set.intervals(TAKEN)

    def transformer(self):
        return self.feature_set.transformer(TAKEN)

    def test_a_line_of_a_parameter_file_makes_it_again(self):
        line = self.feature_set.model_dump(mode="json")
        assert validate(FeaturesSettings, {"sets": [line]}).sets == (self.feature_set,)

    def test_its_name_can_name_a_file_and_says_what_differs_from_the_default(self):
        assert re.fullmatch(r"[a-z0-9_+-]+", self.feature_set.name)
        for part in self.feature_set.parts:
            assert part.name.startswith(f"{part.kind}-{part.signal}")
            assert part.replace(decimate=part.decimate + 1).name != part.name

    def test_columns_are_float32_and_finite(self, records):
        table = self.extract(records)
        assert table.shape == (len(records), self.n_features)
        assert set(table.dtypes) == {np.dtype("float32")}
        assert np.isfinite(table.to_numpy()).all()

    def test_a_record_of_zeros_stays_finite(self):
        table = self.extract(np.zeros((1, N_SAMPLES), dtype=np.complex64))
        assert np.isfinite(table.to_numpy()).all()

    def test_names_are_unique_strings(self):
        names = list(self.transformer().get_feature_names_out())
        assert len(set(names)) == len(names)
        assert all(isinstance(name, str) for name in names)

    def test_intervals_match_the_names_and_lie_forward(self, records):
        intervals = self.intervals()
        assert list(intervals["name"]) == list(self.extract(records).columns)
        assert list(intervals.columns) == ["name", "component", "start", "stop", "axis", "power", "record"]
        assert (intervals["stop"] > intervals["start"]).all()
        assert set(intervals["component"]) <= set(PARTS)
        assert set(intervals["axis"]) <= {"time", "frequency"}

    def test_intervals_in_time_lie_around_the_echo_and_inside_the_record(self):
        intervals = self.intervals()
        time = intervals[intervals["axis"] == "time"]
        if len(time):
            assert -STEP <= time["start"].min() < ECHO_INDEX * STEP < time["stop"].max() <= N_SAMPLES * STEP
        frequency = intervals[intervals["axis"] == "frequency"]
        if len(frequency):
            assert frequency["start"].min() < 0 < frequency["stop"].max() < 1 / STEP

    def test_row_by_row_gives_the_same_as_the_batch(self, records):
        batch = self.extract(records[:4])
        rows = pd.concat([self.extract(records[i : i + 1]) for i in range(4)], ignore_index=True)
        np.testing.assert_allclose(rows, batch, rtol=1e-5, atol=2e-6)

    def test_samples_outside_the_window_do_not_matter(self, records):
        spoiled = records.copy()
        if all(part.window == "echo" for part in self.feature_set.parts):
            reach = max(part.half_width for part in self.feature_set.parts)
            spoiled[:, : ECHO_INDEX - reach] = np.nan
            spoiled[:, ECHO_INDEX + reach :] = np.nan
        pd.testing.assert_frame_equal(self.extract(spoiled), self.extract(records))

    def test_columns_of_several_records_are_those_of_each_with_its_name(self, records):
        both = {"s1": TAKEN, "tau-20.5": TAKEN}
        turned = records * np.exp(2j)
        table = extract({"s1": records, "tau-20.5": turned}, self.feature_set, both)
        intervals = self.feature_set.intervals(both)
        assert list(intervals["name"]) == list(table.columns)
        assert list(intervals["record"]) == [
            name for part in self.feature_set.parts for name in both for _ in part.intervals(TAKEN).index
        ]
        for name, m in (("s1", records), ("tau-20.5", turned)):
            own = table.loc[:, (intervals["record"] == name).to_numpy()]
            np.testing.assert_array_equal(own, self.extract(m))
            assert [column.replace(f"{name}.", "") for column in own] == list(self.extract(m).columns)

    def test_scale_matters_as_it_is_said_to(self, records):
        scaled, plain = self.extract(records * 8).to_numpy(), self.extract(records).to_numpy()
        if self.scale is not None:
            np.testing.assert_allclose(scaled, 8**self.scale * plain, rtol=1e-5, atol=1e-6)
        else:
            assert not np.allclose(scaled, plain, rtol=1e-2, atol=1e-6)
            assert not np.allclose(scaled, 8 * plain, rtol=1e-2, atol=1e-6)

    def test_a_phase_of_the_receiver_matters_as_it_is_said_to(self, records):
        turned = self.extract(records * np.exp(2j)).to_numpy()
        plain = self.extract(records).to_numpy()
        assert np.allclose(turned, plain, rtol=1e-3, atol=1e-4 * np.abs(plain).max()) is not self.turns

    def test_what_it_hangs_on_changes_its_columns_and_nothing_else_does(self):
        """The declaration is proven, not claimed."""
        needs, plain = self.feature_set.needs(TAKEN), self.extract(banded_records(1))
        assert not needs.required & needs.advised
        for reference, spoil in SPOILED.items():
            share = changed(self.extract(spoil(banded_records(1))), plain).mean()
            # A maximum that hardly counts comes and goes with the last digits.
            assert bool(share > 0.07) is (reference in needs.required | needs.advised), (reference, share)
            assert reference not in needs.advised or share < 0.3

    def test_the_samples_that_it_needs_change_its_columns_and_no_others_do(self, records):
        needs, plain = self.feature_set.needs(TAKEN), self.extract(records)
        needed = np.zeros(N_SAMPLES, dtype=bool)
        for first, stop in needs.samples:
            needed[first:stop] = True
            middle = (first + stop) // 2
            for part in (slice(first, middle), slice(middle, stop)):
                emptied = records.copy()
                emptied[:, part] = 0
                assert changed(self.extract(emptied), plain).any(), (first, stop, part)
        foreign = np.where(needed, records, 0.2j * records[:, ::-1])
        pd.testing.assert_frame_equal(self.extract(foreign), plain)

    def test_a_record_of_enough_points_leaves_its_columns_and_one_of_too_few_does_not(self):
        longest = self.feature_set.needs(BANDED).dwell
        plain = extract(banded_records(1), self.feature_set, BANDED)
        enough = max(every for every in (1, 2, 3, 4, 6) if every * STEP <= longest * (1 + 1e-9))
        thinned = extract(banded_records(enough), self.feature_set, BANDED)
        assert changed(thinned, plain, tolerance=0.05).mean() < 0.1
        few = extract(banded_records(24), self.feature_set, BANDED)
        assert changed(few, plain, tolerance=0.05).mean() > 0.05

    def test_what_it_needs_and_a_record_does_not_give_is_refused_by_name(self, records):
        needs = self.feature_set.needs(TAKEN)
        for reference in ("height", "phase", "offset"):
            guessed = TAKEN.replace(guessed=(reference,))
            if reference not in needs.required:
                extract(records, self.feature_set, guessed)
                continue
            option = "scale" if reference == "height" else reference
            sentence = f"Feature set `{re.escape(self.feature_set.name)}` needs the {reference} .*give `--{option}`"
            with pytest.raises(UnmetNeedError, match=sentence):
                extract(records, self.feature_set, guessed)
        extract(records, self.feature_set, TAKEN.replace(recorded=needs.samples))
        first, stop = needs.samples[0]
        for recorded in ((first + 1, N_SAMPLES),), ((0, stop - 1),), ((0, first + 3), (first + 4, N_SAMPLES)):
            with pytest.raises(UnmetNeedError, match=r"needs the record from .* us was not recorded: only a model of"):
                extract(records, self.feature_set, TAKEN.replace(recorded=recorded))
        with pytest.raises(UnmetNeedError, match=r"needs a point every .* resampling makes up what lies between"):
            extract(records, self.feature_set, BANDED.replace(dwell=2.0))

    def test_transformer_clones_and_pickles(self, records):
        transformer = self.transformer()
        expected = transformer.transform(records)
        for copy in (clone(transformer), pickle.loads(pickle.dumps(transformer))):
            np.testing.assert_array_equal(copy.transform(records), expected)

    def test_transformer_learns_nothing(self, records):
        fitted = self.transformer().fit(records[6:])
        np.testing.assert_array_equal(fitted.transform(records[:6]), self.transformer().transform(records[:6]))

    def test_transformer_gives_a_named_frame_on_request(self, records):
        transformer = self.transformer().set_output(transform="pandas")
        frame = transformer.fit_transform(pd.DataFrame(records, index=range(100, 112)))
        assert list(frame.columns) == list(transformer.get_feature_names_out())
        assert list(frame.index) == list(range(100, 112))
        np.testing.assert_array_equal(frame, self.extract(records))


class TestPointwiseMagnitude(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="magnitude")
    n_features = 300


class TestPointwiseComplexRescaled(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="complex", rescale=True, half_width=100)
    n_features = 400
    scale = 0
    turns = True


class TestPointwiseAligned(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="aligned", decimate=3)
    n_features = 200


class TestPointwiseLogMagnitude(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="log_magnitude")
    n_features = 300
    scale = None


class TestPointwiseLogMagnitudeRescaled(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="log_magnitude", rescale=True, window="record", decimate=12)
    n_features = 156
    scale = None


class TestPointwisePhase(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="phase")
    n_features = 600
    scale = None


class TestPointwiseInstantaneousFrequency(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="instantaneous_frequency", decimate=2)
    n_features = 150
    scale = None


class TestPointwiseRecord(FeatureSetContract):
    feature_set = PointwiseFeatures(signal="magnitude", window="record", decimate=6)
    n_features = 313


class TestPolynomialMagnitude(FeatureSetContract):
    feature_set = PolynomialFeatures(signal="magnitude")
    n_features = 76


class TestPolynomialComplexOfAnUnevenWindow(FeatureSetContract):
    feature_set = PolynomialFeatures(signal="complex", half_width=147)
    n_features = 152
    turns = True


class TestPolynomialMagnitudeRescaled(FeatureSetContract):
    feature_set = PolynomialFeatures(signal="magnitude", rescale=True)
    n_features = 76
    scale = 0


class TestPolynomialLogMagnitudeOfTheRecord(FeatureSetContract):
    feature_set = PolynomialFeatures(signal="log_magnitude", window="record", decimate=6)
    n_features = 76
    scale = None


class TestFrequencyMagnitude(FeatureSetContract):
    feature_set = FrequencyFeatures(signal="magnitude")
    n_features = 812


class TestFrequencyComplex(FeatureSetContract):
    feature_set = FrequencyFeatures(signal="complex")
    n_features = 1624
    turns = True


class TestFrequencyAligned(FeatureSetContract):
    feature_set = FrequencyFeatures(signal="aligned", decimate=3)
    n_features = 1224


class TestPolynomialFrequencyMagnitude(FeatureSetContract):
    feature_set = PolynomialFrequencyFeatures(signal="magnitude")
    n_features = 76


class TestPolynomialFrequencyComplex(FeatureSetContract):
    feature_set = PolynomialFrequencyFeatures(signal="complex", rescale=True)
    n_features = 152
    scale = 0
    turns = True


class TestQuantilesMagnitude(FeatureSetContract):
    feature_set = QuantileFeatures(signal="magnitude", decimate=3)
    n_features = 1011


class TestQuantilesComplex(FeatureSetContract):
    feature_set = QuantileFeatures(signal="complex", decimate=5, half_width=100)
    n_features = 3 * 471
    turns = True


class TestQuantilesLogMagnitudeOfTheRecord(FeatureSetContract):
    feature_set = QuantileFeatures(signal="log_magnitude", window="record", decimate=12)
    n_features = 1612
    scale = None


class TestConvolutionsMagnitude(FeatureSetContract):
    feature_set = ConvolutionFeatures(signal="magnitude")
    # Two columns a kernel: five dilations of 64, in four segments.
    n_features = 2 * 5 * 64 * 4


class TestConvolutionsComplexRescaled(FeatureSetContract):
    feature_set = ConvolutionFeatures(signal="complex", rescale=True, decimate=3, kernels=20, segments=3, seed=4)
    n_features = 3 * 2 * 3 * 20 * 3
    scale = 0
    turns = True


class TestConvolutionsLogMagnitudeOfTheRecord(FeatureSetContract):
    feature_set = ConvolutionFeatures(signal="log_magnitude", window="record", decimate=6, kernels=16, segments=1)
    n_features = 2 * 5 * 16
    scale = None


class TestShapeMagnitude(FeatureSetContract):
    feature_set = ShapeFeatures(signal="magnitude")
    n_features = 16
    scale = None


class TestShapeComplexOfTheRecord(FeatureSetContract):
    feature_set = ShapeFeatures(signal="complex", window="record", decimate=2)
    n_features = 16 + 4 + 7
    scale = None
    turns = True


class TestCombined(FeatureSetContract):
    feature_set = CombinedFeatures(
        name="shape+samples",
        of=(
            ShapeFeatures(signal="magnitude", window="record"),
            FrequencyFeatures(signal="magnitude", decimate=3),
            PointwiseFeatures(signal="aligned", decimate=3),
        ),
    )
    n_features = 22 + 612 + 200
    scale = None


def test_columns_of_a_combined_set_are_those_of_its_parts(records):
    combined = TestCombined.feature_set
    table = extract(records, combined, TAKEN)
    for part in combined.of:
        alone = extract(records, part, TAKEN).add_prefix(f"{part.name}.")
        pd.testing.assert_frame_equal(table[alone.columns], alone)


@pytest.mark.parametrize(
    "kind",
    [
        PointwiseFeatures,
        PolynomialFeatures,
        FrequencyFeatures,
        PolynomialFrequencyFeatures,
        QuantileFeatures,
        ConvolutionFeatures,
    ],
)
def test_a_row_of_zeros_stays_zero_when_rescaled(kind):
    feature_set = kind(signal="complex", rescale=True)
    table = extract(np.zeros((1, N_SAMPLES), dtype=complex), feature_set, TAKEN)
    assert (table.to_numpy() == 0).all()


def test_table_remembers_how_it_was_made(records):
    feature_set = PointwiseFeatures(signal="magnitude")
    table = extract(records, feature_set, TAKEN)
    assert table.attrs == {"feature_set": "pointwise-magnitude", "echo_index": ECHO_INDEX, "step": STEP}
