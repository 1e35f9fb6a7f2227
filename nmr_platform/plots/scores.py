"""How good predictions of a number are, and what a score depends on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nmr_platform.plots.spots import mark
from nmr_platform.plots.style import ACCENT, CYCLE, INK, MAIN, MUTED, WIDTH, figure, heading, legend

__all__ = ["plot_coverage_by_bin", "plot_parity", "plot_score_against"]

_MOST_BARS = 60


def plot_parity(
    true: ArrayLike,
    predicted: ArrayLike,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    name: str,
    unit: str,
    score_text: str = "",
    curves: Sequence[str] = (),
) -> Figure:
    """Draw predicted against true values above, and predicted minus true below.

    Args:
        true: Shape (n_curves,), in ``unit``.
        predicted: Shape (n_curves,), in ``unit``.
        lower: Lower ends of the prediction intervals, shape (n_curves,), in ``unit``; drawn for 60 curves at most.
        upper: Upper ends of the prediction intervals, likewise.
        name: Name of the quantity, for instance ``W``.
        unit: Its unit, for instance ``MHz``; empty for a plain number.
        score_text: Written into the corner, for instance the score with its confidence interval.
        curves: Names of the curves, for pages that answer to the mouse.
    """
    x, y = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    made, (top, bottom) = figure(2, size=(WIDTH, 5.4), sharex=True, height_ratios=(3, 1))
    shown = np.concatenate([x, y])
    if lower is not None and upper is not None:
        chosen = _thinned(x)
        low, high = np.asarray(lower, dtype=float)[chosen], np.asarray(upper, dtype=float)[chosen]
        share = "" if len(chosen) == len(x) else f" ({len(chosen)} of {len(x)} shown)"
        top.vlines(x[chosen], low, high, color=MUTED, linewidth=1.1, label=f"prediction interval{share}")
        shown = np.concatenate([shown, low, high])
    _draw_dots(top, x, y)
    limits = _span(shown)
    top.plot(limits, limits, color=INK, linewidth=1, linestyle="--", label="perfect prediction")
    top.set_ylabel(f"predicted {_quantity(name, unit)}")
    top.set_ylim(*limits)
    legend(top, loc="lower right")
    top.text(0.03, 0.97, score_text, transform=top.transAxes, va="top", fontsize=10, color=INK)
    _draw_dots(bottom, x, y - x)
    bottom.axhline(0, color=INK, linewidth=1, linestyle="--")
    bottom.set_ylabel(f"residual{f' ({unit})' if unit else ''}")
    bottom.set_xlabel(f"true {_quantity(name, unit)}")
    bottom.set_xlim(*limits)
    if curves:
        intervals = [""] * len(x)
        if lower is not None and upper is not None:
            ends = zip(np.asarray(lower, dtype=float), np.asarray(upper, dtype=float), strict=True)
            intervals = [f"\ninterval {low:.4g} to {high:.4g}" for low, high in ends]
        told = [
            f"{curve}\ntrue {t:.4g}, predicted {p:.4g}{f' {unit}' if unit else ''}{interval}"
            for curve, t, p, interval in zip(curves, x, y, intervals, strict=True)
        ]
        mark(top, x, y, told)
        mark(bottom, x, y - x, told)
    return made


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
    made, (ax,) = figure(size=(WIDTH, 3.5))
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
        mark(
            ax,
            rows[x].to_numpy(dtype=float),
            values,
            [f"{name!s}: {each.value:.3f}\n{each.lower:.3f} to {each.upper:.3f}" for each in rows.itertuples()],
        )
    if logarithmic:
        _make_logarithmic(ax, sorted(set(table[x].astype(float))))
    if reference is not None:
        ax.axhline(reference, color=ACCENT, linewidth=1.2, linestyle="--", label=f"reference ({reference:.3g})")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if len(lines) > 1 or reference is not None:
        legend(ax)
    heading(made, title)
    return made


def plot_coverage_by_bin(table: pd.DataFrame, *, nominal: float, title: str = "") -> Figure:
    """Draw in bins of W how many prediction intervals hold the truth.

    Args:
        table: One row a bin: ``w_low``, ``w_high`` (MHz), ``value``, ``lower``, ``upper`` (shares).
        nominal: The share that was asked for, between 0 and 1.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(WIDTH, 3.5))
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


def _draw_dots(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Draw smaller and fainter dots the more there are."""
    size, opacity = (np.interp(len(x), [50, 2000], ends) for ends in ([5.5, 3.0], [0.85, 0.4]))
    ax.plot(x, y, "o", color=MAIN, markersize=float(size), alpha=float(opacity), markeredgewidth=0)


def _thinned(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of curves evenly spaced in rank, as the intervals of all would cover each other."""
    ranks = np.linspace(0, len(x) - 1, min(len(x), _MOST_BARS)).round().astype(int)
    chosen: NDArray[np.intp] = np.argsort(x, kind="stable")[ranks]
    return chosen


def _quantity(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = values.min(), values.max()
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def _make_logarithmic(ax: Axes, values: Sequence[float]) -> None:
    if values[0] == 0:
        # Zero has no place on a logarithmic axis: it gets one a decade left of the smallest number.
        ax.set_xscale("symlog", linthresh=values[1] if len(values) > 1 else 1.0)
        return
    ax.set_xscale("log")
    # A few numbers over little more than a decade: they themselves say more than powers of ten.
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()
