"""Several records of a measurement: which are looked at, where their windows lie, and what is refused by name."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError, UnmetNeedError
from nmr_platform.features import (
    Acquisition,
    CombinedFeatures,
    FeaturesSettings,
    PointwiseFeatures,
    ShapeFeatures,
    extract,
)
from nmr_platform.schema import validate

LONG = Acquisition(echo_index=200, step=0.5, n_samples=300, n_sites=10_000)
SHORT = Acquisition(echo_index=40, step=0.25, n_samples=120, n_sites=10_000)
BOTH = {"s1": LONG, "s2": SHORT}
NEAR = PointwiseFeatures(signal="magnitude", half_width=30)


def curves(n=3):
    """Records of a different length and step each, complex, without structure."""
    rng = np.random.default_rng(5)
    return {
        name: rng.normal(size=(n, taken.n_samples)) + 1j * rng.normal(size=(n, taken.n_samples))
        for name, taken in BOTH.items()
    }


def test_each_record_is_looked_at_around_its_own_echo_and_in_its_own_step():
    m = curves()
    table = extract(m, NEAR, BOTH)
    np.testing.assert_allclose(table["s1.abs_-30"], np.abs(m["s1"][:, 170]), rtol=1e-6)
    np.testing.assert_allclose(table["s2.abs_29"], np.abs(m["s2"][:, 69]), rtol=1e-6)
    places = NEAR.intervals(BOTH).set_index("name")
    assert list(places.loc["s1.abs_0", ["start", "stop", "record"]]) == [99.75, 100.25, "s1"]
    assert list(places.loc["s2.abs_0", ["start", "stop", "record"]]) == [9.875, 10.125, "s2"]
    assert table.attrs == {
        "feature_set": "pointwise-magnitude-h30",
        "echo_index": {"s1": 200, "s2": 40},
        "step": {"s1": 0.5, "s2": 0.25},
    }


def test_a_record_without_a_name_is_the_only_one_and_its_columns_are_not_prefixed():
    m = curves()["s1"]
    alone, named = extract(m, NEAR, LONG), extract({"": m}, NEAR, {"": LONG})
    assert next(iter(alone.columns)) == "abs_-30"
    assert alone.equals(named)
    assert alone.attrs == named.attrs
    assert set(NEAR.intervals(LONG)["record"]) == {""}


def test_an_echo_too_near_to_an_end_has_its_window_moved_inside_the_record():
    m = curves()
    for echo_index, centre in ((10, 30), (115, 90)):
        moved = BOTH | {"s2": SHORT.replace(echo_index=echo_index)}
        table = extract(m, NEAR, moved)
        np.testing.assert_allclose(table["s2.abs_0"], np.abs(m["s2"][:, centre]), rtol=1e-6)
        assert NEAR.needs_by_record(moved)["s2"].samples == ((centre - 30, centre + 30),)
        places = NEAR.intervals(moved).set_index("name")
        assert places.loc["s2.abs_0", "start"] == (centre - 0.5) * 0.25
    with pytest.raises(ConfigurationError, match=r"^Record `s2`: Argument `half_width` must keep .* 61 samples on"):
        extract(m, PointwiseFeatures(signal="magnitude", half_width=61), BOTH)
    with pytest.raises(ConfigurationError, match=r"^Argument `half_width` must keep"):
        extract(m["s2"], NEAR, SHORT.replace(echo_index=10))


def test_a_set_looks_at_the_records_that_it_names_in_its_order():
    m = curves()
    chosen = NEAR.replace(records=("s2", "s1"))
    assert chosen.name == "pointwise-magnitude-h30-of-s2+s1"
    whole = extract(m, NEAR, BOTH)
    assert list(extract(m, chosen, BOTH).columns) == [*whole.columns[60:], *whole.columns[:60]]
    only = NEAR.replace(records=("s2",))
    assert extract(m, only, BOTH).equals(whole[whole.columns[60:]])
    assert only.needs_by_record(BOTH).keys() == {"s2"}
    combined = CombinedFeatures(name="both", of=(only, ShapeFeatures(signal="magnitude", half_width=20)))
    parts = set(combined.intervals(BOTH)[["name", "record"]].itertuples(index=False, name=None))
    assert {("pointwise-magnitude-h30-of-s2.s2.abs_0", "s2"), ("shape-magnitude-h20.s1.echo_height", "s1")} <= parts
    assert list(extract(m, combined, BOTH).columns) == list(combined.intervals(BOTH)["name"])


def test_what_names_no_records_is_dumped_as_it_always_was():
    assert "records" not in NEAR.model_dump()
    line = NEAR.replace(records=("s2",)).model_dump(mode="json")
    assert line["records"] == ["s2"]
    assert validate(FeaturesSettings, {"sets": [line]}).sets[0].records == ("s2",)


def test_a_record_that_lacks_something_is_refused_by_its_name():
    m, complex_signal = curves(), PointwiseFeatures(signal="complex", half_width=30)
    guessed = BOTH | {"s2": SHORT.replace(guessed=("phase",))}
    with pytest.raises(UnmetNeedError, match=r"needs the phase of the record `s2`, but it is a guess: give `--phase`"):
        extract(m, complex_signal, guessed)
    extract(m, NEAR, guessed)
    extract(m, complex_signal.replace(records=("s1",)), guessed)
    with pytest.raises(
        UnmetNeedError, match=r"needs the record `s2` from 2\.5 to 17\.25 us, of which 2\.5 to 4\.75 us"
    ):
        extract(m, NEAR, BOTH | {"s2": SHORT.replace(recorded=((20, 120),))})
    coarse = BOTH | {"s1": LONG.replace(bandwidth=0.5, dwell=3.0)}
    with pytest.raises(
        UnmetNeedError, match="a point every 2 us or more often, but the record `s1` has one every 3 us"
    ):
        extract(m, NEAR, coarse)
    m["s2"][1, 40] = np.nan
    with pytest.raises(DataError, match=r"^Record `s2`: Argument `m` must be finite around the echo, but curve 1 is"):
        extract(m, NEAR, BOTH)


@pytest.mark.parametrize(
    ("change", "feature_set", "match"),
    [
        (lambda m: {"s1": m["s1"]}, NEAR, r"must hold the records of the acquisition \(s1, s2\), but holds s1"),
        (lambda m: {"": m["s1"]}, NEAR, "but holds one without a name"),
        (lambda m: m | {"s3": m["s1"]}, NEAR, "but holds s1, s2, s3"),
        (lambda m: m | {"s2": m["s2"][:, :-1]}, NEAR, "`m` of record `s2` must have 120 samples a curve, but has 119"),
        (lambda m: m | {"s2": m["s2"][:2]}, NEAR, "the same curves in every record, but holds 3 of `s1`, 2 of `s2`"),
        (lambda m: m, NEAR.replace(records=("s3",)), r"`records` must name records .* \(s1, s2\), but names `s3`"),
    ],
)
def test_records_that_do_not_fit_are_refused(change, feature_set, match):
    with pytest.raises(ConfigurationError, match=match):
        extract(change(curves()), feature_set, BOTH)


def test_a_set_of_named_records_says_that_there_are_none():
    with pytest.raises(ConfigurationError, match=r"\(none, for it is of one sequence\), but names `s1`"):
        extract(curves()["s1"], NEAR.replace(records=("s1",)), LONG)
    with pytest.raises(ConfigurationError, match="`records` must not name a record twice, but holds `s1` more than"):
        validate(FeaturesSettings, {"sets": [{"kind": "pointwise", "signal": "complex", "records": ["s1", "s1"]}]})
