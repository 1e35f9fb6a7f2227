"""Whether joint posteriors mean what they say: each target by itself, and all of them together."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.learning.evaluation.posterior import coverage_table, posterior_columns, rank_histogram
from nmr_platform.learning.models import JointMixture
from nmr_platform.learning.tasks import Task

__all__ = ["energy_score", "joint_columns", "joint_coverage", "joint_tables"]

# Draws from each posterior, and as many training curves at most that stand for the prior.
_DRAWS = 400


def joint_columns(
    task: Task, posterior: JointMixture, true: NDArray[np.float64], prior: NDArray[np.float64], *, seed: int
) -> dict[str, NDArray[np.float64]]:
    """What the mean of each of these columns says of joint posteriors.

    Args:
        task: Names the targets.
        posterior: Of n curves.
        true: Their true values, shape (n, d), in the units of the targets.
        prior: Draws from the prior, shape (m, d), likewise: the targets of the training curves.
        seed: Of the draws that stand for posteriors.

    Returns:
        ``crps_<target>`` and ``prior_crps_<target>``, see `posterior_columns`; ``energy`` and ``prior_energy``, see
        `energy_score`, in units of the prior's spread.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    for k, ending in enumerate(task.parts):
        own = posterior_columns(posterior.marginal(k), true[:, k], prior[:, k], coverage=0.5)
        columns |= {f"{name}{ending}": own[name] for name in ("crps", "prior_crps")}
    spread = prior.std(axis=0)
    some = np.random.default_rng(seed).permutation(prior)[:_DRAWS]
    known = np.broadcast_to(some, (len(true), *some.shape))
    return {
        **columns,
        "energy": energy_score(posterior.draws(_DRAWS, seed=seed) / spread, true / spread),
        "prior_energy": energy_score(known / spread, true / spread),
    }


def energy_score(drawn: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """The continuous ranked probability score of several numbers (Gneiting and Raftery, *JASA* 102, 359, 2007).

    Args:
        drawn: Independent draws from the posterior of every curve, shape (n, m, d), in units that can be compared.
        true: The true values, shape (n, d), likewise.

    Returns:
        Shape (n,): the mean distance of a draw from the truth less half that of two draws; smaller is better.

    Example:
        >>> float(energy_score(np.zeros((1, 2, 2)), np.array([[3.0, 4.0]]))[0])
        5.0
    """
    to_truth = np.linalg.norm(drawn - true[:, np.newaxis], axis=-1).mean(axis=1)
    apart = np.linalg.norm(drawn - np.roll(drawn, 1, axis=1), axis=-1).mean(axis=1)
    score: NDArray[np.float64] = to_truth - 0.5 * apart
    return score


def joint_coverage(
    posterior: JointMixture,
    true: NDArray[np.float64],
    spread: NDArray[np.float64],
    *,
    confidence: float,
    seed: int = 0,
) -> pd.DataFrame:
    """TARP of all targets together, see `expected_coverage`; regions are balls around random points.

    Args:
        posterior: Of n curves.
        true: Their true values, shape (n, d), in the units of the targets.
        spread: What distances are measured in, shape (d,), likewise.
        confidence: Level of the pointwise band that a right posterior stays in, between 0 and 1.
        seed: Of the random points, which are uniform over the range of the true values, and of draws.
    """
    points = np.random.default_rng(seed).uniform(true.min(axis=0), true.max(axis=0), true.shape)
    reach = np.linalg.norm((true - points) / spread, axis=-1)
    away = np.linalg.norm((posterior.draws(_DRAWS, seed=seed + 1) - points[:, np.newaxis]) / spread, axis=-1)
    # Between the levels that so many draws can tell, so that none reaches 0 or 1 by chance.
    reached = ((away < reach[:, np.newaxis]).sum(axis=1) + 0.5) / (_DRAWS + 1.0)
    return coverage_table(reached, confidence=confidence)


def joint_tables(
    task: Task,
    posterior: JointMixture,
    true: NDArray[np.float64],
    columns: dict[str, NDArray[np.float64]],
    spread: NDArray[np.float64],
    *,
    confidence: float,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Tables that say how far joint posteriors can be trusted.

    Args:
        task: Names the targets.
        posterior: Of n curves.
        true: Their true values, shape (n, d), in the units of the targets.
        columns: From `joint_columns`.
        spread: Of the prior, shape (d,), likewise.
        confidence: Level of bands, between 0 and 1.
        seed: Of draws.

    Returns:
        ``ranks_<target>``, see `rank_histogram`; ``expected_coverage``, see `joint_coverage`; ``correlations``, by
        target (``target``, then a column a target) the mean correlation of their errors that posteriors claim;
        ``corner``, draws from the posterior of the curve of median energy score, a column a target, the truth as row 0.
    """
    names = [part.target for part in task.parts.values()]
    ranks = {
        f"ranks{ending}": rank_histogram(posterior.marginal(k), true[:, k], confidence=confidence)
        for k, ending in enumerate(task.parts)
    }
    middle = int(np.argsort(columns["energy"], kind="stable")[len(true) // 2])
    drawn = posterior.rows(np.array([middle])).draws(5 * _DRAWS, seed=seed)[0]
    correlations = pd.DataFrame(posterior.correlation().mean(axis=0), columns=names)
    correlations.insert(0, "target", names)
    return {
        **ranks,
        "expected_coverage": joint_coverage(posterior, true, spread, confidence=confidence, seed=seed),
        "correlations": correlations,
        "corner": pd.DataFrame(np.vstack([true[middle], drawn]), columns=names),
    }
