"""Lines of a score table, from the record that `evaluate` wrote."""

import pytest

from nmr_platform.learning import Score, Standing
from nmr_platform.learning.settings import TuneSettings
from nmr_platform.reporting import CHAMPION, PUBLISHED, compare_published, note_on_ranks, score_rows


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
RANKS = {label: 1 + number for number, label in enumerate(SCORES["models"])}


def rows(task="W"):
    """Lines by label, without the mark of the champion."""
    lines = score_rows(task, "r2", SCORES, RANKS)
    return {f"{line[0].removesuffix(CHAMPION)}/{line[1]}": line for line in lines}


def test_the_best_by_cross_validation_comes_first_whatever_the_test_part_says():
    assert [row[2] for row in score_rows("W", "r2", SCORES, RANKS)] == [0.6, 0.5, 0.4, 0.3, 0.1]


def test_the_champion_is_the_one_that_was_recorded():
    assert [label for label, row in rows().items() if row[0].endswith(CHAMPION)] == ["xgboost/pointwise-magnitude"]


def test_every_model_has_its_rank():
    assert {label: row[5] for label, row in rows().items()} == RANKS


def test_scores_keep_their_intervals():
    row = rows()["random_forest/polynomial-magnitude"]
    assert row[3:5] == [0.3, "0.200 to 0.400"]


def test_a_published_score_stands_beside_the_same_family_on_the_same_kind_of_features_only():
    published = {label: row[6] for label, row in rows().items() if row[6] is not None}
    assert published == {
        "random_forest/pointwise-magnitude": 0.77,
        "random_forest/polynomial-magnitude": 0.757,
    }


def test_other_tasks_have_no_published_score():
    assert {row[6] for row in rows("X").values()} == {None}


@pytest.mark.parametrize("item", PUBLISHED, ids=lambda item: f"{item.task}-{item.recipe}")
def test_published_scores_name_families_that_exist_and_what_to_know(item):
    if item.family:
        assert [family.kind for family in TuneSettings(families=(item.family,)).families] == [item.family]
    assert 0 <= item.value < 1
    assert item.note
    assert item.recipe


def test_the_inflated_score_is_not_passed_off_as_the_published_one():
    (item,) = [item for item in PUBLISHED if item.task == "power_vs_rest"]
    assert item.value == 0.71
    assert "duplicates of training rows" in item.note


RECORD = {**SCORES, "n_train": 30, "n_test": 10}
FROZEN = {"trained_on": "frozen", "tested_on": "fresh", "value": -0.1, "lower": -0.3, "upper": 0.1}
DISORDER = [{"task": "alpha_x", "n_train": 30, "n_test": 10, **FROZEN}]


def counterpart(task, recipe):
    (row,) = [
        row
        for row in compare_published(PUBLISHED, {"W": RECORD, "X": RECORD}, DISORDER)
        if row.item.task == task and recipe in row.item.feature_set + row.item.recipe
    ]
    return row


def test_a_number_of_a_named_model_is_compared_with_exactly_that_model():
    row = counterpart("W", "pointwise-magnitude-rescaled")
    assert (row.model, row.score, row.n_train, row.n_test) == (
        "random_forest/pointwise-magnitude-rescaled",
        0.2,
        30,
        10,
    )
    assert (row.lower, row.upper) == (pytest.approx(0.1), pytest.approx(0.3))


def test_a_number_without_a_model_is_compared_with_the_champion():
    assert counterpart("X", "1000 curves").model == SCORES["champion"]


def test_numbers_about_frozen_disorder_are_compared_with_the_same_pair():
    row = counterpart("alpha_x", "tested on fresh")
    assert (row.score, row.lower, row.upper) == (-0.1, -0.3, 0.1)
    assert counterpart("alpha_x", "trained and tested on one").score is None


def test_what_was_not_run_says_why():
    rows = compare_published(PUBLISHED, {"W": RECORD}, [])
    assert all(row.remark for row in rows if row.score is None)
    assert {row.remark for row in rows if row.item.task == "Z"} == {"no such task in this study", "see Pulses"}


def standing(**behind):
    return [
        Standing(name, Score(0.5, 0.4, 0.6, 40), 1 + (low > 0), Score(low + 0.1, low, low + 0.2, 40))
        for name, low in behind.items()
    ]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (standing(a=-0.1), "a is the only model, so that there is nothing to rank."),
        (standing(a=-0.1, b=0.02, c=0.1), "a is better than every other model beyond doubt (held-out curves, "),
        (
            standing(a=-0.1, b=-0.02),
            "No model can be told apart from the leader, a (held-out curves, ",
        ),
        (
            standing(a=-0.1, b=-0.02, c=0.1),
            "a leads; it cannot be told apart from b (held-out curves, ",
        ),
    ],
)
def test_what_is_said_about_ranks_follows_from_them(found, sentence):
    assert note_on_ranks(found, 0.95).startswith(sentence)
