"""Whether posteriors mean what they say: score, ranks of the truth, and expected coverage."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from nmr_platform.learning.evaluation.explanation import inner_model
from nmr_platform.learning.models import Estimator, Family, JointMixture, Mixture, ScaledTarget

__all__ = ["coverage_table", "expected_coverage", "posterior_columns", "posterior_of", "rank_histogram"]

_BINS = 20
_LEVELS = 21


def rank_histogram(
    posterior: Mixture, true: NDArray[np.float64], *, confidence: float, n_bins: int = _BINS
) -> pd.DataFrame:
    """Simulation-based calibration: where in its posterior the truth lies (Talts et al., arXiv:1804.06788).

    If posteriors are right, the rank of the truth among draws from them is uniform; with as many draws as one likes it
    is the posterior's probability of a smaller value, which a `Mixture` knows. A hump says that posteriors are too
    wide, a bowl that they are too narrow, a slope that they lie to one side.

    Args:
        posterior: Of n curves.
        true: Their true values, shape (n,), in the unit of the posterior.
        confidence: Share of bins that the band holds if all is right, between 0 and 1.
        n_bins: Number of bins; fewer if curves are few, so that each expects five.

    Returns:
        One row a bin: ``low`` and ``high`` (rank, 0 to 1), ``n`` (curves), ``lower`` and ``upper`` (the band, curves).
    """
    n = len(true)
    bins = max(1, min(n_bins, n // 5))
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.histogram(posterior.cdf(true), edges)[0]
    tail = (1.0 - confidence) / 2.0
    lower, upper = binom.ppf([tail, 1.0 - tail], n, 1.0 / bins)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": counts, "lower": lower, "upper": upper})


def expected_coverage(
    posterior: Mixture, true: NDArray[np.float64], *, confidence: float, seed: int = 0
) -> pd.DataFrame:
    """TARP, tests of accuracy with random points (Lemos et al., *ICML* 2023).

    For each curve a point is drawn at random; the region is what lies nearer to that point than the truth does, and its
    posterior probability is the level at which the region just reaches the truth. If posteriors are right, a share c of
    the curves has a level below c: below the diagonal posteriors are too narrow, above it too wide, and unlike the
    coverage of intervals this notices posteriors that ignore the curve.

    Args:
        posterior: Of n curves.
        true: Their true values, shape (n,), in the unit of the posterior.
        confidence: Level of the pointwise band that a right posterior stays in, between 0 and 1.
        seed: Of the random points, which are uniform over the range of the true values.

    Returns:
        ``level``, ``coverage`` (share of the curves), ``lower`` and ``upper`` (the band).
    """
    n = len(true)
    points = np.random.default_rng(seed).uniform(true.min(), true.max(), n)
    reach = np.abs(true - points)
    reached = posterior.cdf(points + reach) - posterior.cdf(points - reach)
    return coverage_table(reached, confidence=confidence)


def coverage_table(reached: NDArray[np.float64], *, confidence: float) -> pd.DataFrame:
    """What `expected_coverage` returns.

    Args:
        reached: Level at which the region of every curve just reaches the truth, shape (n,), between 0 and 1.
        confidence: Level of the pointwise band that a right posterior stays in, between 0 and 1.
    """
    n, levels = len(reached), np.linspace(0.0, 1.0, _LEVELS)
    coverage = (reached[:, np.newaxis] <= levels).mean(axis=0)
    tail = (1.0 - confidence) / 2.0
    lower, upper = binom.ppf(np.array([[tail], [1.0 - tail]]), n, levels) / n
    return pd.DataFrame({"level": levels, "coverage": coverage, "lower": lower, "upper": upper})


def posterior_columns(
    posterior: Mixture, true: NDArray[np.float64], prior: NDArray[np.float64], *, coverage: float
) -> dict[str, NDArray[np.float64]]:
    """What the mean of each of these columns says of posteriors.

    Args:
        posterior: Of n curves.
        true: Their true values, shape (n,), in the unit of the posterior.
        prior: Draws from the prior, shape (m,), likewise: the targets of the training curves.
        coverage: Of central intervals, between 0 and 1.

    Returns:
        ``crps`` and ``prior_crps``, the continuous ranked probability scores of the posteriors and of the prior, in the
        unit of the target; ``posterior_coverage``, whether the central interval of the posterior holds the truth.
    """
    inside = np.abs(posterior.cdf(true) - 0.5) <= 0.5 * coverage
    return {
        "crps": posterior.crps(true),
        "prior_crps": _sampled_crps(prior, true),
        "posterior_coverage": inside.astype(np.float64),
    }


def posterior_of(family: Family, estimator: Estimator, features: pd.DataFrame) -> Mixture | JointMixture | None:
    """The posteriors of some curves in the units of the targets; None if the model has none.

    Args:
        family: Whose model it is.
        estimator: Fitted estimator.
        features: Of n curves, shape (n, n_features).
    """
    posterior = family.posterior(inner_model(estimator), features)
    if posterior is None or not isinstance(estimator, ScaledTarget):
        return posterior
    moved: Mixture | JointMixture = estimator.posterior(features)
    return moved


def _sampled_crps(values: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of one distribution that is given by draws, shape (n,)."""
    drawn = np.sort(values)
    m = len(drawn)
    # Half the mean distance of two draws, from their order (Gini's mean difference).
    spread = float(((2.0 * np.arange(1, m + 1) - m - 1) * drawn).sum() / m**2)
    below = np.concatenate([[0.0], np.cumsum(drawn)])
    place = np.searchsorted(drawn, true)
    distance = (true * place - below[place]) + (below[-1] - below[place] - true * (m - place))
    score: NDArray[np.float64] = distance / m - spread
    return score
