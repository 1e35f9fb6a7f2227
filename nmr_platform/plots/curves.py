"""A score against what it depends on: number of curves, noise, lattice size, exponent or strength of the coupling."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmr_platform.plots.style import ACCENT, CYCLE, INK, figure, heading, legend
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_coverage_by_bin", "plot_score_against"]


def plot_score_against(
    table: pd.DataFrame,
    x: str,
    *,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
    reference: float | None = None,
    title: str = "",
) -> Figure:
    """Draw scores with their intervals against a number.

    Args:
        table: Column ``x``, ``value``, ``lower``, ``upper``; a column ``metric``, if there is one, makes a line each.
        x: Name of the column on the horizontal axis.
        xlabel: Label of the horizontal axis, with its unit.
        ylabel: Label of the vertical axis.
        logarithmic: Logarithmic horizontal axis; a value of zero stands at its left end.
        reference: A score to compare with, drawn as a horizontal line.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(6.2, 3.8))
    lines = list(table.groupby("metric", sort=False)) if "metric" in table else [(ylabel, table)]
    for number, (name, rows) in enumerate(lines):
        values = rows["value"].to_numpy(dtype=float)
        errors = np.array([values - rows["lower"], rows["upper"] - values])
        # A bootstrap interval of few rows may leave out the value itself.
        ax.errorbar(
            rows[x].to_numpy(dtype=float),
            values,
            yerr=np.maximum(errors, 0.0),
            fmt="o-",
            color=CYCLE[number],
            markersize=5,
            linewidth=1.4,
            capsize=3,
            label=str(name),
        )
    if logarithmic:
        _make_logarithmic(ax, sorted(set(table[x].astype(float))))
    if reference is not None:
        ax.axhline(reference, color=ACCENT, linewidth=1.2, linestyle="--", label=f"reference ({reference:.3g})")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if len(lines) > 1 or reference is not None:
        legend(ax)
    set_title(ax, title)
    return made


def plot_coverage_by_bin(table: pd.DataFrame, *, nominal: float, title: str = "") -> Figure:
    """Draw in bins of W how many prediction intervals hold the truth.

    Args:
        table: One row a bin: ``w_low``, ``w_high`` (MHz), ``value``, ``lower``, ``upper`` (shares).
        nominal: The share that was asked for.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(6.2, 3.8))
    low, high = table["w_low"].to_numpy(dtype=float), table["w_high"].to_numpy(dtype=float)
    values = table["value"].to_numpy(dtype=float)
    errors = np.maximum(np.array([values - table["lower"], table["upper"] - values]), 0.0)
    ax.bar(low, 100 * values, width=high - low, align="edge", color=CYCLE[5], edgecolor="white", alpha=0.6)
    ax.errorbar((low + high) / 2, 100 * values, yerr=100 * errors, fmt="o", color=INK, markersize=4, capsize=3)
    ax.axhline(100 * nominal, color=ACCENT, linewidth=1.4, linestyle="--", label=f"asked for: {100 * nominal:g} %")
    ax.set_ylim(min(50.0, 100 * float(table["lower"].min()) - 5), 102)
    ax.set_xlabel("kernel integral W (MHz)")
    ax.set_ylabel("intervals that hold the truth (%)")
    legend(ax, above=True)
    heading(made, title)
    return made


def _make_logarithmic(ax: Axes, values: Sequence[float]) -> None:
    if values[0] == 0:
        # Zero has no place on a logarithmic axis: it gets one a decade left of the smallest number.
        ax.set_xscale("symlog", linthresh=values[1] if len(values) > 1 else 1.0)
        return
    ax.set_xscale("log")
    # A few numbers over little more than a decade: they themselves say more than powers of ten.
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()
