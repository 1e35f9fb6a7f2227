"""Lines of a score table, from the record that `evaluate` wrote."""

import pytest

from nmr_platform.learning.settings import TuneSettings
from nmr_platform.reporting import PUBLISHED, score_rows


def model(cv, value):
    return {"cv_mean": cv, "scores": {"r2": {"value": value, "lower": value - 0.1, "upper": value + 0.1}}}


SCORES = {
    "champion": "xgboost/pointwise-magnitude",
    "models": {
        "random_forest/pointwise-magnitude": model(0.5, 0.9),
        "random_forest/polynomial-magnitude": model(0.4, 0.3),
        "random_forest/pointwise-complex": model(0.3, 0.8),
        "random_forest/pointwise-magnitude-rescaled": model(0.1, 0.2),
        "xgboost/pointwise-magnitude": model(0.6, 0.5),
    },
}


def rows(task="W"):
    return {f"{row.family}/{row.features}": row for row in score_rows(task, "r2", SCORES)}


def test_the_best_by_cross_validation_comes_first_whatever_the_test_part_says():
    assert [row.cv for row in score_rows("W", "r2", SCORES)] == [0.6, 0.5, 0.4, 0.3, 0.1]


def test_the_champion_is_the_one_that_was_recorded():
    assert [label for label, row in rows().items() if row.champion] == ["xgboost/pointwise-magnitude"]


def test_scores_keep_their_intervals():
    row = rows()["random_forest/polynomial-magnitude"]
    assert (row.score, row.lower, row.upper) == (0.3, pytest.approx(0.2), pytest.approx(0.4))


def test_a_published_score_stands_beside_the_same_family_on_the_same_kind_of_features_only():
    published = {label: row.published for label, row in rows().items() if row.published is not None}
    assert published == {
        "random_forest/pointwise-magnitude": 0.77,
        "random_forest/polynomial-magnitude": 0.757,
    }


def test_other_tasks_have_no_published_score():
    assert {row.published for row in rows("X").values()} == {None}


@pytest.mark.parametrize("item", PUBLISHED, ids=lambda item: f"{item.task}-{item.feature_kind}")
def test_published_scores_name_families_that_exist_and_what_to_know(item):
    assert TuneSettings(families=(item.family,)).families == (item.family,)
    assert 0 < item.value < 1
    assert item.note


def test_the_inflated_score_is_not_passed_off_as_the_published_one():
    (item,) = [item for item in PUBLISHED if item.task == "power_vs_rest"]
    assert item.value == 0.71
    assert "duplicates of training rows" in item.note
