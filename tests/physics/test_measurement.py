"""One sample under several sequences, and the short way to write them."""

import pytest

from nmr_platform import ConfigurationError, Measurement
from nmr_platform.physics import Experiment
from nmr_platform.schema import validate
from tests.builders import experiment_values

HAHN = {"kind": "hahn", "tau": 3.0}


def values(**sequences):
    return {key: value for key, value in experiment_values().items() if key != "sequence"} | sequences


def measurement(**sequences):
    return validate(Measurement, values(**sequences))


def test_one_sequence_is_one_record_without_a_name():
    one = measurement(sequence=HAHN)
    assert one.experiments == {"": validate(Experiment, values(sequence=HAHN))}
    assert one.first == one.experiments[""]


def test_several_sequences_are_experiments_that_differ_in_nothing_else():
    several = measurement(sequences={"b": HAHN, "a": HAHN | {"tau": 5.0}})
    assert list(several.experiments) == ["b", "a"]
    for name, tau in (("b", 3.0), ("a", 5.0)):
        assert several.experiments[name] == validate(Experiment, values(sequence=HAHN | {"tau": tau}))


def test_a_sweep_is_a_short_way_to_write_several_sequences():
    swept = measurement(
        sequences={
            "decay": {"kind": "hahn", "sweep": {"tau": [2.5, 5]}},
            "plain": HAHN,
            "angle": {"kind": "hahn", "sweep": {"tau": [2, 4], "theta1": [30, -60]}},
        }
    )
    written = {
        "decay-tau2.5": HAHN | {"tau": 2.5},
        "decay-tau5": HAHN | {"tau": 5},
        "plain": HAHN,
        "angle-tau2-theta1_30": HAHN | {"tau": 2, "theta1": 30},
        "angle-tau4-theta1_-60": HAHN | {"tau": 4, "theta1": -60},
    }
    assert list(swept.sequences) == list(written)
    assert swept == measurement(sequences=written)


def test_a_sweep_of_the_only_sequence_makes_several():
    swept = measurement(sequence={"kind": "hahn", "sweep": {"tau": [2, 4]}})
    assert swept == measurement(sequences={"tau2": HAHN | {"tau": 2}, "tau4": HAHN | {"tau": 4}})


def test_it_survives_a_round_trip_through_json():
    for each in (measurement(sequence=HAHN), measurement(sequences={"a": {"kind": "hahn", "sweep": {"tau": [2, 4]}}})):
        assert Measurement.model_validate(each.model_dump()) == each
        assert Measurement.model_validate_json(each.model_dump_json()) == each


def test_what_one_sequence_must_be_every_sequence_must_be():
    with pytest.raises(ConfigurationError, match=r"^Key `step` must be shorter .* 0 samples \(record `b`\)\.$"):
        measurement(sequences={"a": HAHN, "b": HAHN | {"tau": 1e-6}})
    with pytest.raises(ConfigurationError, match=r"^Key `sequences\.b\.tau` must leave at most 10,000,000 steps"):
        measurement(sequences={"a": HAHN, "b": HAHN | {"tau": 1e9}})


@pytest.mark.parametrize(
    ("sequences", "match"),
    [
        ({}, r"^Key `sequence` is missing; several may stand under `sequences`\.$"),
        ({"sequence": HAHN, "sequences": {"a": HAHN}}, r"^Key `sequence` must not stand beside `sequences`"),
        ({"sequences": {}}, r"^Key `sequences` is {}, but "),
        ({"sequences": [HAHN]}, r"^Key `sequences` is \[.*, but it must be a valid dictionary"),
        ({"sequences": {"": HAHN}}, r"^Key `sequences.*it must be a name of up to 64 letters.*but is ''"),
        ({"sequences": {"a/b": HAHN}}, r"it must be a name of up to 64 letters.*but is 'a/b'"),
        ({"sequences": {"a": HAHN | {"tau": -3.0}}}, r"^Key `sequences\.a\.tau` is -3\.0, .* greater than 0 \(us\)\.$"),
        ({"sequences": {"a": {"kind": "han"}}}, r"^Key `sequences\.a\.kind` is 'han', .*Did you mean `hahn`\?"),
        (
            {"sequences": {"a": {"kind": "hahn", "sweep": {"tau": 3}}}},
            r"^Key `sequences\.a\.sweep` must hold lists of n",
        ),
        (
            {"sequence": {"kind": "hahn", "sweep": {}}},
            r"^Key `sequence\.sweep` must hold lists of numbers by key, .*{}",
        ),
        ({"sequence": HAHN | {"sweep": {"tau": [3.0]}}}, r"^Key `sequence\.sweep` must not list `tau`, which stands"),
        (
            {"sequence": {"kind": "hahn", "sweep": {"tau": [3.0, 4.0], "theta1": [90.0]}}},
            r"^Key `sequence\.sweep` must have lists of equal length, but tau has 2, theta1 has 1\.$",
        ),
        ({"sequences": {"a-tau3": HAHN, "a": {"kind": "hahn", "sweep": {"tau": [3]}}}}, r"two are called `a-tau3`\.$"),
        (
            {"sequence": {"kind": "hahn", "sweep": {"tau": [3, 3]}}},
            r"^Key `sequences` must have .* two are called `tau3`",
        ),
        ({"sequence": HAHN | {"sweep": {"taau": [3]}}}, r"^Key `sequences\.taau3\.taau` is not known\. .* `tau`\?"),
        ({"sequence": {"kind": "hahn", "sweep": {"tau": [-3]}}}, r"^Key `sequences\.tau-3\.tau` is -3, but it must be"),
    ],
)
def test_bad_sequences_are_refused_with_a_sentence(sequences, match):
    with pytest.raises(ConfigurationError, match=match):
        measurement(**sequences)
