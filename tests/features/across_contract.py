"""What every kind must fulfil that compares records; a new one inherits `AcrossContract` and says what it looks at."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import ConfigurationError, DataError, UnmetNeedError
from nmr_platform.features import Acquisition, CombinedFeatures, FeaturesSettings, PointwiseFeatures, extract
from nmr_platform.schema import validate
from tests.builders import experiment

__all__ = ["AcrossContract", "spoiled_by", "taken_of"]

STEP = 0.25
# A receiver that amplifies otherwise, or whose phase or frequency is another one.
SPOILED = {
    "height": lambda m, _taken: 1.7 * m,
    "phase": lambda m, _taken: m * np.exp(0.9j),
    "offset": lambda m, taken: m * np.exp(2j * np.pi * 0.005 * STEP * (np.arange(m.shape[1]) - taken.echo_index)),
}


def taken_of(**sequences):
    """How records of some sequences are taken, by name; sequences as YAML gives them."""
    return {
        name: Acquisition.of(experiment(sequence=sequence, step=STEP, line={"fwhm": 0.05, "bandwidth": 1.0}))
        for name, sequence in sequences.items()
    }


def spoiled_by(reference, m, taken):
    """The same records from a receiver that is wrong in one thing."""
    return {name: SPOILED[reference](each, taken[name]) for name, each in m.items()}


class AcrossContract:
    """Tests of one kind; subclasses set `feature_set`, `taken`, and what of the receiver is `needed`."""

    feature_set: object
    taken: dict
    needed: frozenset

    @pytest.fixture
    def m(self):
        """Five noisy echoes in every record, complex64."""
        rng = np.random.default_rng(3)
        records = {}
        for name, taken in self.taken.items():
            t = STEP * (np.arange(taken.n_samples) - taken.echo_index)
            height, phase = rng.uniform(0.2, 0.5, (5, 1)), rng.uniform(-1, 1, (5, 1))
            noise = 1e-3 * rng.normal(size=(2, 5, taken.n_samples))
            records[name] = (
                height * np.exp(-np.abs(t) / 6 + 1j * (phase + 0.05 * t)) + noise[0] + 1j * noise[1]
            ).astype(np.complex64)
        return records

    def extract(self, m, taken=None):
        return extract(m, self.feature_set, taken or self.taken)

    def test_a_line_of_a_parameter_file_makes_it_again(self):
        line = self.feature_set.model_dump(mode="json")
        assert validate(FeaturesSettings, {"sets": [line]}).sets == (self.feature_set,)
        longer = self.feature_set.replace(decimate=3, records=("b", "a"))
        assert longer.name.startswith(self.feature_set.kind)
        assert "-d3" in longer.name
        assert longer.name.endswith("-of-b+a")

    def test_columns_are_float32_finite_and_placed_in_their_order(self, m):
        table, intervals = self.extract(m), self.feature_set.intervals(self.taken)
        assert set(table.dtypes) == {np.dtype("float32")}
        assert np.isfinite(table.to_numpy()).all()
        assert list(intervals["name"]) == list(table.columns)
        assert list(intervals.columns) == ["name", "component", "start", "stop", "axis", "power", "record"]
        assert (intervals["stop"] > intervals["start"]).all()
        own = intervals[intervals["record"] != ""]
        assert set(own["axis"]) == {"time"}
        for row in own.itertuples():
            assert row.name.startswith(f"{row.record}.")
            assert row.start <= STEP * self.taken[row.record].echo_index <= row.stop
        assert set(intervals.loc[intervals["record"] == "", "axis"]) == {self.feature_set.axis}

    def test_records_of_zeros_stay_finite(self, m):
        table = self.extract({name: np.zeros_like(each) for name, each in m.items()})
        assert np.isfinite(table.to_numpy()).all()

    def test_the_order_of_the_records_moves_columns_and_changes_none(self, m):
        turned = dict(reversed(self.taken.items()))
        table = self.extract(m, turned)
        assert list(table.columns) != list(self.extract(m).columns)
        pd.testing.assert_frame_equal(table[self.extract(m).columns], self.extract(m), check_exact=True)

    def test_row_by_row_gives_the_same_bits_as_the_batch(self, m):
        rows = [self.extract({name: each[[i]] for name, each in m.items()}) for i in range(5)]
        pd.testing.assert_frame_equal(pd.concat(rows, ignore_index=True), self.extract(m), check_exact=True)

    def test_what_it_needs_changes_its_columns_and_nothing_else_does(self, m):
        plain = self.extract(m)
        for reference in ("height", "phase", "offset"):
            spoiled = self.extract(spoiled_by(reference, m, self.taken))
            needed = reference in self.needed
            assert np.allclose(spoiled, plain, rtol=1e-4, atol=1e-5) is not needed, reference
            guessed = {name: taken.replace(guessed=(reference,)) for name, taken in self.taken.items()}
            if needed:
                with pytest.raises(UnmetNeedError, match=f"needs the {reference} of the record `"):
                    self.extract(m, guessed)
            else:
                self.extract(m, guessed)

    def test_samples_that_it_does_not_need_do_not_matter(self, m):
        needs = self.feature_set.needs_by_record(self.taken)
        foreign = {}
        for name, each in m.items():
            ((first, stop),) = needs[name].samples
            foreign[name] = np.full_like(each, np.nan)
            foreign[name][:, first:stop] = each[:, first:stop]
        pd.testing.assert_frame_equal(self.extract(foreign), self.extract(m), check_exact=True)
        last = list(m)[-1]
        foreign[last][2, self.taken[last].echo_index] = np.nan
        with pytest.raises(DataError, match=rf"^Record `{last}`: .* finite around the echo, but curve 2"):
            self.extract(foreign)

    def test_it_stands_beside_features_of_each_record(self, m):
        combined = CombinedFeatures(
            name="both", of=(PointwiseFeatures(signal="magnitude", half_width=20), self.feature_set)
        )
        table, own = extract(m, combined, self.taken), self.extract(m).add_prefix(f"{self.feature_set.name}.")
        pd.testing.assert_frame_equal(table[own.columns], own)
        needs = combined.needs_by_record(self.taken)
        assert all(len(needs[name].samples) == 2 for name in self.taken)

    def test_records_that_cannot_be_compared_are_refused_in_a_sentence(self, m):
        first = next(iter(self.taken))
        sentence = f"`records` must name {self.feature_set.compared} for {self.feature_set.kind} features, but they are"
        with pytest.raises(ConfigurationError, match=f"{sentence} {first} 90x - .*180y"):
            extract({first: m[first]}, self.feature_set, {first: self.taken[first]})
        with pytest.raises(ConfigurationError, match=f"{sentence} 90x - .*180y"):
            extract(m[first], self.feature_set, self.taken[first])
        with pytest.raises(ConfigurationError, match=f"{sentence} .*; odd 90x"):
            other = taken_of(odd={"kind": "cpmg", "echo_spacing": 20.0, "n_echoes": 2})
            self.feature_set.intervals(self.taken | other)
        with pytest.raises(ConfigurationError, match="of an unknown sequence"):
            self.feature_set.needs_by_record(self.taken | {"odd": self.taken[first].replace(sequence=None)})
        with pytest.raises(ConfigurationError, match=sentence):
            self.feature_set.transformer(self.taken[first])

    def test_phases_of_a_real_signal_are_refused(self, m):
        if "phase" in self.needed:
            with pytest.raises(ConfigurationError, match=r"`m` must be complex for .*, but is float32"):
                self.extract({name: np.abs(each) for name, each in m.items()})

    def test_samples_outside_the_record_are_refused_by_the_record_s_name(self):
        name, taken = next(iter(self.taken.items()))
        late = self.taken | {name: taken.replace(echo_index=taken.n_samples - 2)}
        with pytest.raises(ConfigurationError, match=rf"^Record `{name}`: Argument `decimate` must keep .* but 3 on"):
            self.feature_set.replace(decimate=3).needs_by_record(late)
