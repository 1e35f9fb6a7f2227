"""Is the sequence that was found better than 90/180? Asked on curves that the search never saw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe
from nmr_platform.physics import Hahn
from nmr_platform.pulse_design.objective import TARGETS, Candidate, ScoreObjective
from nmr_platform.pulse_design.resampling import resampled_r2
from nmr_platform.pulse_design.settings import PulseSearchSettings

__all__ = ["Comparison", "Verdict", "compare"]


@dataclass(frozen=True)
class Comparison:
    """One target under two sequences.

    Attributes:
        baseline: Cross-validated R2 under the baseline.
        best: Cross-validated R2 under the sequence found.
        lower: Lower end of the 95 % interval of their difference.
        upper: Upper end of it.
    """

    baseline: float
    best: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Verdict:
    """The sequence found against the baseline, on new curves.

    Attributes:
        targets: One comparison for each of W, X and Z.
        n_curves: Number of new curves.
        time: Time of the samples, us, shape (T,).
        baseline_m: Records of three curves under the baseline, shape (3, T).
        best_m: The same curves under the sequence found, shape (3, T).
    """

    targets: dict[str, Comparison]
    n_curves: int
    time: NDArray[np.float64]
    baseline_m: NDArray[np.complex64]
    best_m: NDArray[np.complex64]


def compare(recipe: Recipe, baseline: Hahn, best: Hahn, settings: PulseSearchSettings) -> Verdict:
    """Score two sequences on the same new curves, with paired confidence intervals.

    The search picked the luckiest of many scores on one set of curves; only new curves tell what the pick is worth.

    Args:
        recipe: The prior, with a seed that the search did not use.
        baseline: Usually 90/180.
        best: The sequence found.
        settings: Those of the search.
    """
    objective = ScoreObjective(recipe, settings.replace(n_curves=recipe.n_curves))
    old, new = objective.evaluate(baseline), objective.evaluate(best)
    return Verdict(
        targets={name: _comparison(old, new, column, settings.seed) for column, name in enumerate(TARGETS)},
        n_curves=recipe.n_curves,
        time=recipe.curve(0).experiment.time,
        baseline_m=old.m[:3],
        best_m=new.m[:3],
    )


def _comparison(old: Candidate, new: Candidate, column: int, seed: int) -> Comparison:
    name = TARGETS[column]
    gain = resampled_r2(new.true[:, column], new.predicted[:, column], seed) - resampled_r2(
        old.true[:, column], old.predicted[:, column], seed
    )
    lower, upper = np.quantile(gain, [0.025, 0.975])
    return Comparison(old.scores[name], new.scores[name], float(lower), float(upper))
