"""What a record gives: in the attributes of its data set, and seen in its numbers."""

import numpy as np
import pytest

from nmr_platform.datasets import Recorded, unrecorded
from nmr_platform.errors import DataError


def test_a_data_set_that_says_nothing_was_simulated_and_gives_everything():
    assert Recorded.of_attributes({"name": "gaussian"}) == Recorded()
    assert Recorded().covers(np.arange(5.0)).all()


@pytest.mark.parametrize("kept_as", [lambda value: value, np.asarray, lambda value: np.array([value])])
def test_what_is_written_into_attributes_is_read_back(kept_as):
    given = Recorded(guessed=("height", "offset"), start=4.5, stop=30.0, dwell=0.5, gaps=((10.0, 12.0), (20.0, 21.0)))
    attributes = given.attributes()
    assert attributes["recorded_gaps"] == [10.0, 12.0, 20.0, 21.0]
    assert attributes["scale_estimated"] is True
    assert attributes["phase_estimated"] is False
    assert Recorded.of_attributes({name: kept_as(value) for name, value in attributes.items()}) == given


def test_truth_values_may_be_numbers_as_in_hdf5():
    assert Recorded.of_attributes({"scale_estimated": np.int64(1), "phase_estimated": 0}).guessed == ("height",)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"scale_estimated": "no"}, "Attribute `scale_estimated` must be true or false, but is 'no'"),
        ({"recorded_from": "early"}, "Attribute `recorded_from` must be a time in us, but is 'early'"),
        ({"recorded_gaps": [1.0]}, r"Attribute `recorded_gaps` must be pairs of times in us, but is \[1\.0\]"),
        ({"dwell": 0.0}, r"Attribute `dwell` must be a time in us, but is 0\.0"),
    ],
)
def test_attributes_of_another_kind_are_refused(attributes, sentence):
    with pytest.raises(DataError, match=sentence):
        Recorded.of_attributes(attributes)


def test_half_a_point_beyond_the_ends_is_near_enough():
    covered = Recorded(start=1.0, stop=3.0, dwell=0.5).covers(np.arange(0.0, 5.0, 0.25))
    assert np.flatnonzero(covered).tolist() == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


def test_a_gap_was_not_recorded():
    covered = Recorded(dwell=1.0, gaps=((3.0, 5.0),)).covers(np.arange(8.0))
    assert np.flatnonzero(~covered).tolist() == [3, 4, 5]


def test_long_silence_and_what_is_no_number_was_not_recorded():
    m = np.ones((3, 60), dtype=complex)
    m[0, 10:26], m[1, 10:25], m[1, 40], m[2, 50:] = 0, 0, np.nan, 0
    missing = unrecorded(m)
    assert [np.flatnonzero(row).tolist() for row in missing] == [list(range(10, 26)), [40], []]
