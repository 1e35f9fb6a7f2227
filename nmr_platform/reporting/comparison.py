"""Every published number beside ours of the same recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmr_platform.reporting.published import PublishedScore

__all__ = ["ComparisonRow", "compare_published"]

_PAIRS = {
    "trained_frozen_tested_frozen": ("frozen", "frozen"),
    "trained_frozen_tested_fresh": ("frozen", "fresh"),
}


@dataclass(frozen=True)
class ComparisonRow:
    """One published number and its counterpart.

    Attributes:
        item: What was published.
        model: Our model and features; empty if ours was not run.
        score: Our score; None if it was not run.
        lower: Lower end of its confidence interval.
        upper: Upper end of its confidence interval.
        n_train: Our training curves.
        n_test: Our held-out curves.
        remark: Why there is no score of ours; empty if there is one.
    """

    item: PublishedScore
    model: str = ""
    score: float | None = None
    lower: float | None = None
    upper: float | None = None
    n_train: int | None = None
    n_test: int | None = None
    remark: str = ""


def compare_published(
    published: Sequence[PublishedScore], scores: Mapping[str, Mapping[str, Any]], disorder: Sequence[Mapping[str, Any]]
) -> list[ComparisonRow]:
    """Find our counterpart of every published number.

    A number of a named model on named features is compared with exactly those; one that names none, with the champion
    of the task.

    Args:
        published: The published numbers.
        scores: What `evaluate` wrote for every task, by name.
        disorder: Rows of the comparison of fresh with frozen disorder.
    """
    return [_row(item, scores.get(item.task), disorder) for item in published]


def _row(
    item: PublishedScore, scores: Mapping[str, Any] | None, disorder: Sequence[Mapping[str, Any]]
) -> ComparisonRow:
    if item.found == "pulses":
        return ComparisonRow(item, remark="see Pulses")
    if item.found != "held_out":
        return _from_disorder(item, disorder)
    if scores is None:
        return ComparisonRow(item, remark="no such task in this study")
    label = f"{item.family}/{item.feature_set}" if item.family else scores["champion"]
    if label not in scores["models"]:
        return ComparisonRow(item, remark="these features are not in this study")
    score = scores["models"][label]["scores"][item.metric]
    return ComparisonRow(
        item, label, score["value"], score["lower"], score["upper"], scores["n_train"], scores["n_test"]
    )


def _from_disorder(item: PublishedScore, disorder: Sequence[Mapping[str, Any]]) -> ComparisonRow:
    for row in disorder:
        if row["task"] == item.task and (row["trained_on"], row["tested_on"]) == _PAIRS[item.found]:
            return ComparisonRow(
                item, "extra_trees", row["value"], row["lower"], row["upper"], row["n_train"], row["n_test"]
            )
    return ComparisonRow(item, remark="not a target of the comparison")
