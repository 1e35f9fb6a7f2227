"""Held-out scores of several models with their confidence intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.plots.style import ACCENT, CYCLE, INK, MUTED, figure, heading, legend

__all__ = ["plot_scores"]


def plot_scores(
    table: pd.DataFrame,
    *,
    metric: str,
    reference: float | None = None,
    reference_label: str = "published",
    title: str = "",
) -> Figure:
    """Draw one dot with its interval for each model, the best on top.

    Args:
        table: One row a model: ``family``, ``feature_set``, ``score``, ``lower``, ``upper``; a column ``reference``,
            where not missing, is marked by a short line in its row.
        metric: Name of the score, without unit, for instance ``R²`` of W.
        reference: A published score for all rows, drawn as a vertical line.
        reference_label: What the reference is.
        title: Title of the figure.
    """
    rows = table.sort_values("score", kind="stable", ignore_index=True)
    families = list(dict.fromkeys(table["family"]))
    made, (ax,) = figure(size=(7.2, 1.6 + 0.36 * len(rows)), grid="x")
    for number, family in enumerate(families):
        own = rows[rows["family"] == family]
        error = np.array([own["score"] - own["lower"], own["upper"] - own["score"]])
        color = CYCLE[(number if number == 0 else number + 1) % len(CYCLE)]
        ax.errorbar(
            own["score"], own.index, xerr=error, fmt="o", color=color, markersize=5.5, elinewidth=1.8, label=family
        )
    if reference is not None:
        ax.axvline(reference, color=ACCENT, linewidth=1.2, linestyle="--", label=f"{reference_label} ({reference:.3g})")
    if "reference" in rows and rows["reference"].notna().any():
        known = rows[rows["reference"].notna()]
        ax.vlines(
            known["reference"], known.index - 0.34, known.index + 0.34, color=ACCENT, linewidth=2, label=reference_label
        )
    for place, score in zip(rows.index, rows["score"], strict=True):
        ax.annotate(
            f"{score:.3f}", (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=INK
        )
    ax.set_yticks(rows.index, rows["feature_set"])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"{metric} on held-out disorder, with confidence interval")
    ax.set_ylabel("feature set")
    ax.spines["left"].set_color(MUTED)
    legend(ax, columns=4, above=True)
    heading(made, title)
    return made
