"""Sentences about results say what the numbers say, whichever way they turn out."""

import pytest

from nmr_platform.learning import JointTask, RegressionTask, Score
from nmr_platform.reporting import (
    PUBLISHED,
    Answer,
    CeilingRow,
    Ceilings,
    answer_of,
    best_published,
    note_on_disorder,
    note_on_point,
    verdict_on_published,
)


def answer(task, lower, upper, published):
    return Answer(task, "a question", "R2", "linear/x", Score((lower + upper) / 2, lower, upper, 40), "", published)


def test_a_question_without_a_published_score_stands_nowhere():
    assert answer("W", 0.7, 0.8, None).standing == ""
    assert verdict_on_published([answer("W", 0.7, 0.8, None)]) == ""


@pytest.mark.parametrize(
    ("lower", "upper", "standing", "sentence"),
    [
        (0.8, 0.9, "above", "Against the best published score, of other curves, ours is above it for W."),
        (0.6, 0.7, "below", "Against the best published score, of other curves, ours is below it for W."),
        (
            0.7,
            0.8,
            "level",
            "Against the best published score, of other curves, ours is level with it, to within the interval, for W.",
        ),
    ],
)
def test_the_standing_follows_from_the_interval(lower, upper, standing, sentence):
    found = answer("W", lower, upper, 0.75)
    assert found.standing == standing
    assert verdict_on_published([found]) == sentence


def test_answers_that_stand_alike_share_a_clause():
    answers = [answer("W", 0.8, 0.9, 0.75), answer("X", 0.1, 0.2, 0.98), answer("Z", 0.7, 0.8, 0.6)]
    assert verdict_on_published(answers).endswith("ours is above it for W, Z; below it for X.")


def test_the_best_published_score_is_one_on_held_out_curves():
    assert best_published("W", "r2") == 0.77
    assert best_published("alpha_x", "r2") is None
    assert max(item.value for item in PUBLISHED if item.task == "W") == 0.94


@pytest.mark.parametrize(
    ("task", "errors", "told"),
    [
        (RegressionTask(target="X", kernels=("gaussian",)), {"rmse": 0.0123}, "± 0.0123 MHz"),
        (
            JointTask(targets=("X", "xi"), kernels=("gaussian",)),
            {"rmse_X": 0.0123, "rmse_xi": 1.5},
            "X ± 0.0123 MHz, xi ± 1.5 lattice constants",
        ),
    ],
)
def test_an_answer_says_how_far_its_numbers_err_in_their_units(task, errors, told):
    score = {"value": 0.8, "lower": 0.7, "upper": 0.9, "n": 40}
    own = {"r2": score, **{name: {**score, "value": value} for name, value in errors.items()}}
    found = answer_of("asked", task, {"champion": "linear/x", "models": {"linear/x": {"scores": own}}})
    assert found.told == told


def comparison(**found):
    """Rows of targets trained on frozen disorder: lower and upper end on their own realisation, and on fresh."""
    rows = []
    for task, ends in found.items():
        for tested, (lower, upper) in zip(("frozen", "fresh"), ends, strict=True):
            value = (lower + upper) / 2
            rows.append({"task": task, "trained_on": "frozen", "tested_on": tested, "value": value})
            rows[-1] |= {"lower": lower, "upper": upper}
    return rows


FALLS, STAYS = [(0.9, 1.0), (0.0, 0.2)], [(0.9, 1.0), (0.8, 0.94)]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            {"xi": FALLS},
            "scores lower on fresh disorder than on its own, beyond both intervals, for xi (0.95 there, 0.10 on "
            "fresh).",
        ),
        (
            {"X": STAYS},
            "scores on fresh disorder as on its own, as far as the intervals show, for X (0.95 there, 0.87 on fresh).",
        ),
        (
            {"xi": FALLS, "X": STAYS},
            "for xi (0.95 there, 0.10 on fresh); it does not, as far as the intervals show, for X (0.95 there, 0.87 on "
            "fresh).",
        ),
    ],
)
def test_what_is_said_about_frozen_disorder_follows_from_the_scores(found, sentence):
    assert note_on_disorder(comparison(**found)).endswith(sentence)


@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [
        (0.3, 0.5, "lower than on"),
        (0.95, 0.99, "higher than on"),
        (0.7, 0.9, "within the intervals the same as on"),
    ],
)
def test_a_single_point_is_compared_with_the_score_as_it_is(lower, upper, outcome):
    there, own = Score((lower + upper) / 2, lower, upper, 40), Score(0.85, 0.8, 0.9, 100)
    said = note_on_point("On new curves of lattices of 36 spins", "R2", there, own)
    assert said.startswith(
        f"On new curves of lattices of 36 spins, R2 is {there.value:.3f} ({lower:.3f} to {upper:.3f})"
    )
    assert f"{outcome} the held-out curves as they are (0.850)." in said


@pytest.mark.parametrize(("learnt", "is_said"), [(0.5, True), (0.97, False), (0.995, False)])
def test_something_is_called_unlearnt_only_where_something_is(learnt, is_said):
    row = CeilingRow("W", "gaussian", Score(learnt, 0.4, 0.99, 40), 0.9, 0.99, 0.01)
    assert ("left unlearnt" in Ceilings([row]).verdict) is is_said
