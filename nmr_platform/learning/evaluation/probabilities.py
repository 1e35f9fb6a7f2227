"""Scores of probabilities: are they sharp, and do they mean what they say?"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["probability_statistics"]

_BINS = 10
# A probability of 0 for the true class would make the log loss infinite; scikit-learn clips there, too.
_SMALLEST = 1e-15


class _Given(Protocol):
    """The part of `Predictions` that matters here."""

    @property
    def true(self) -> NDArray[np.generic]:
        """Class of every row, shape (n,)."""

    @property
    def probabilities(self) -> NDArray[np.float64] | None:
        """Shape (n, n_classes)."""


def probability_statistics(
    predictions: _Given, class_names: Sequence[str]
) -> Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Brier score, log loss and expected calibration error, as statistics of the bootstrap.

    The Brier score is the squared distance between probabilities and truth, halved for two classes as is custom. The
    calibration error compares the probability of the likeliest class with how often it is right, in ten equal bins
    (Guo et al., ICML 2017).

    Args:
        predictions: True classes and probabilities, columns in the order of ``class_names``.
        class_names: The classes.

    Returns:
        From how often each row is drawn, shape (b, n), to named values, shape (b,); no names without probabilities.
    """
    probabilities = predictions.probabilities
    if probabilities is None:
        return lambda _: {}
    codes = pd.Index(class_names).get_indexer(pd.Index(predictions.true))
    truth = np.eye(len(class_names))[codes]
    brier = ((probabilities - truth) ** 2).sum(axis=1) / (2.0 if len(class_names) == 2 else 1.0)
    log_loss = -np.log(np.maximum(probabilities[np.arange(len(codes)), codes], _SMALLEST))
    confidence = probabilities.max(axis=1)
    excess = confidence - (probabilities.argmax(axis=1) == codes)
    in_bin = np.eye(_BINS)[np.minimum((confidence * _BINS).astype(np.intp), _BINS - 1)]

    def statistics(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = counts.sum(axis=1)
        gaps = np.abs(counts @ (in_bin * excess[:, np.newaxis]))
        return {"brier": counts @ brier / n, "log_loss": counts @ log_loss / n, "ece": gaps.sum(axis=1) / n}

    return statistics
