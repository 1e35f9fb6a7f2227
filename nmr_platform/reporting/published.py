"""Published scores that ours stand beside."""

from typing import NamedTuple

__all__ = ["PUBLISHED", "SOURCE", "PublishedScore"]

SOURCE = "Decoding-Quantum-States-with-NMR (github.com/Anantha-Rao12, 2021), 5000 curves per kernel on 100x100"


class PublishedScore(NamedTuple):
    """One published number.

    Attributes:
        task: The task of ours that asks the same question.
        family: Model family.
        feature_kind: Kind of the features.
        metric: Name of the score.
        value: The score.
        note: What to know when comparing.
    """

    task: str
    family: str
    feature_kind: str
    metric: str
    value: float
    note: str


PUBLISHED = (
    PublishedScore("W", "random_forest", "pointwise", "r2", 0.77, "rows rescaled to their maximum"),
    PublishedScore("W", "random_forest", "polynomial", "r2", 0.757, "rows rescaled to their maximum"),
    PublishedScore("W", "random_forest", "frequency", "r2", 0.76, "rows rescaled to their maximum"),
    PublishedScore("W", "random_forest", "polynomial_frequency", "r2", 0.695, "rows rescaled to their maximum"),
    PublishedScore(
        "power_vs_rest",
        "random_forest",
        "pointwise",
        "f1_weighted",
        0.71,
        "the honest number; the quoted 0.88 to 0.90 had duplicates of training rows in the test set",
    ),
)
