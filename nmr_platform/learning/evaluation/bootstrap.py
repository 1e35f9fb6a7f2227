"""Bootstrap of test rows, vectorised: a resample is a row of counts, a statistic a product with them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bootstrap", "Score", "Statistics"]

# Counts of this many resamples are held at a time: 3000 rows then take 5 MB.
_BLOCK = 200

Statistics = Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]
"""From how often each row is drawn, shape (b, n), to named values, shape (b,)."""


@dataclass(frozen=True)
class Score:
    """A score with its confidence interval.

    Attributes:
        value: The score on the rows as they are.
        lower: Lower end of the interval.
        upper: Upper end of the interval.
        n: Number of rows.
    """

    value: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap over groups of rows.

    Rows that share disorder are drawn together: they are no independent evidence.

    Attributes:
        n_resamples: Number of resamples.
        confidence: Level of the intervals, between 0 and 1.
        seed: Seed of the draws.
    """

    n_resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def scores(self, statistics: Statistics, groups: NDArray[np.intp]) -> dict[str, Score]:
        """Evaluate statistics and their intervals.

        Args:
            statistics: From how often each row is drawn, shape (b, n), to named values, shape (b,).
            groups: Group of every row, shape (n,).
        """
        n = len(groups)
        values = statistics(np.ones((1, n)))
        resampled = self.resampled(statistics, groups)
        return {name: self.score(float(value[0]), resampled[name], n) for name, value in values.items()}

    def score(self, value: float, resampled: NDArray[np.float64], n: int) -> Score:
        """A score with the interval that its resamples give.

        Args:
            value: The score on the rows as they are.
            resampled: The score on resamples, shape (n_resamples,).
            n: Number of rows.
        """
        # A resample of one distinct row has no R2; the others tell the spread.
        pooled = resampled[np.isfinite(resampled)]
        tail = (1.0 - self.confidence) / 2.0
        ends = np.quantile(pooled, [tail, 1.0 - tail]) if pooled.size else np.full(2, np.nan)
        return Score(value, float(ends[0]), float(ends[1]), n)

    def resampled(self, statistics: Statistics, groups: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """Evaluate statistics on every resample; equal seeds and groups draw the same rows, so differences are paired.

        Args:
            statistics: As in `scores`.
            groups: Group of every row, shape (n,).

        Returns:
            Values by name, shape (n_resamples,).
        """
        codes = np.unique(groups, return_inverse=True)[1]
        n_groups = int(codes.max()) + 1
        rng = np.random.default_rng(self.seed)
        blocks = []
        for start in range(0, self.n_resamples, _BLOCK):
            size = min(_BLOCK, self.n_resamples - start)
            counts = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=size)
            blocks.append(statistics(counts[:, codes].astype(np.float64)))
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
