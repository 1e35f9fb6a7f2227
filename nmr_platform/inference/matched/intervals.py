"""Intervals of a width of their own, by conformalised quantile regression among the curves that are like the record."""

from dataclasses import dataclass
from math import ceil, log
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import KFold, cross_val_predict
from xgboost import XGBRegressor

from nmr_platform.learning import is_informative

__all__ = ["FEWEST_CURVES", "LEVEL", "Interval", "Quantiles", "curves_alike"]

LEVEL = 0.9
"""Probability that an interval holds the truth."""

FEWEST_CURVES = 10
"""No fewer tell where 90 % of them lie."""

_TAIL = (1 - LEVEL) / 2
# What follows from a few predictions is smooth: small trees of many curves.
_QUANTILES: dict[str, Any] = {
    "objective": "reg:quantileerror",
    "quantile_alpha": [_TAIL, 0.5, 1 - _TAIL],
    "n_estimators": 80,
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_child_weight": 15,
    "n_jobs": 1,
    "random_state": 0,
}
# Curves whose echo shows a line within this ratio of the record's are like it, and the nearest so many in any case.
_RATIO, _FEWEST_ALIKE = 1.12, 60


@dataclass(frozen=True)
class Interval:
    """What is known of a quantity.

    Attributes:
        value: Its median.
        lower: Lower end of the interval.
        upper: Upper end of the interval.
        level: Probability that the interval holds the truth.
        unit: Of all three; empty for a plain number.
        informative: Whether the record tells more than the prior does.
    """

    value: float
    lower: float
    upper: float
    level: float
    unit: str
    informative: bool


@dataclass(frozen=True)
class Quantiles:
    """Conformalised quantile regression (Romano, Patterson, Candes, NeurIPS 32 (2019)) of one quantity.

    Couplings that make an echo look unusual are also those that one errs about: by how far the ends are moved is told
    by the simulated curves that look like the record, not by all.

    Attributes:
        model: Of the lower end, the middle and the upper end.
        scores: By how much each simulated curve lies outside of the ends by models that have not seen it
            (cross-conformal prediction: Vovk, Annals of Mathematics and Artificial Intelligence 74, 9 (2015)),
            negative inside, shape (n,).
        prior: Ends of the prior's interval of the same level, and of all curves.
        unit: Of the quantity.
    """

    model: Any
    scores: NDArray[np.float64]
    prior: tuple[float, float, float, float]
    unit: str

    @classmethod
    def fit(cls, x: NDArray[Any], y: NDArray[Any], unit: str) -> Self:
        """Learn the ends, and how far off they are.

        Args:
            x: What is known of curves by models that have not seen them, shape (n, n_columns).
            y: The quantity, shape (n,).
            unit: Of the quantity.
        """
        model = XGBRegressor(**_QUANTILES)
        folds = KFold(FEWEST_CURVES, shuffle=True, random_state=0)
        low, _, high = cross_val_predict(model, x, y, cv=folds).T
        first, last = np.quantile(y, [_TAIL, 1 - _TAIL])
        prior = (float(first), float(last), float(y.min()), float(y.max()))
        return cls(model.fit(x, y), np.maximum(low - y, y - high).astype(np.float64), prior, unit)

    def of(self, x: NDArray[Any], alike: NDArray[np.intp]) -> Interval:
        """The interval of one record.

        Args:
            x: What is known of it, shape (1, n_columns).
            alike: Rows of the simulated curves that are like it, shape (k,).
        """
        low, middle, high = (float(each) for each in self.model.predict(x)[0])
        first, last, least, most = self.prior
        margin = float(np.sort(self.scores[alike])[ceil((len(alike) + 1) * LEVEL) - 1])
        lower, upper = (float(np.clip(end, least, most)) for end in (low - margin, high + margin))
        lower, upper = min(lower, upper), max(lower, upper)
        informative = is_informative(upper - lower, last - first)
        return Interval(float(np.clip(middle, lower, upper)), lower, upper, LEVEL, self.unit, informative)


def curves_alike(curves: pd.DataFrame, line: float) -> NDArray[np.intp]:
    """The simulated curves whose first echo shows such a line as a record's does.

    Args:
        curves: Their features, with the column ``look_line``, see `Matched.features_of`.
        line: Width of the line that the record shows, MHz.

    Returns:
        Their rows, shape (k,).
    """
    off = np.abs(curves["look_line"].to_numpy(dtype=np.float64) - log(line))
    n_alike = max(_FEWEST_ALIKE, int((off <= log(_RATIO)).sum()))
    return np.argsort(off, kind="stable")[:n_alike]
