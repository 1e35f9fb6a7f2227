"""Whether two models of the same features use the same parts of the records."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

__all__ = ["agreement", "importance_by_place"]

_PLACES = 24


def importance_by_place(intervals: pd.DataFrame, importances: pd.Series) -> pd.Series:
    """Add up importances by place: neighbouring samples say nearly the same, and which of them a model takes is chance.

    Args:
        intervals: One row a feature: ``name``, ``record``, ``axis`` (time or frequency), ``start``, ``stop``.
        importances: By the feature's name, in any unit.

    Returns:
        Shares, which add up to 1, by record, axis and place, of which there are 24 along each axis of a record.
    """
    placed = intervals.assign(importance=intervals["name"].map(importances), middle=0.0)
    placed["middle"] = (placed["start"] + placed["stop"]) / 2
    parts = []
    for (record, axis), rows in placed.groupby(["record", "axis"]):
        edges = np.linspace(rows["start"].min(), rows["stop"].max(), _PLACES + 1)
        place = np.clip(np.searchsorted(edges, rows["middle"], side="right") - 1, 0, _PLACES - 1)
        sums = rows["importance"].groupby(place).sum()
        index = pd.MultiIndex.from_product([[record], [axis], sums.index], names=["record", "axis", "place"])
        parts.append(pd.Series(sums.to_numpy(dtype=float), index=index))
    total = pd.concat(parts)
    return total / (total.sum() or 1.0)


def agreement(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """How far two models agree on where to look.

    Args:
        first: Shares by place, see `importance_by_place`.
        second: Likewise, of the same places.

    Returns:
        ``overlap``: the share of the importance that lies at the same places, 0 to 1; ``rank_correlation``: Spearman's,
        of the shares over the places, 0 for models that have nothing to do with each other, NaN if one has none.
    """
    overlap = float(np.minimum(first, second).sum())
    # Of shares that are all the same there is no rank.
    varies = min(np.ptp(first), np.ptp(second)) > 0.0
    correlation = float(spearmanr(first, second).statistic) if varies else float("nan")
    return {"overlap": overlap, "rank_correlation": correlation}
