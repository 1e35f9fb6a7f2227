"""True against predicted values of a regression, with its residuals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nmr_platform.plots.style import INK, MAIN, MUTED, figure, legend

__all__ = ["plot_parity"]

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
) -> Figure:
    """Draw predicted against true values above, and predicted minus true below.

    Args:
        true: Shape (n_curves,), in ``unit``.
        predicted: Shape (n_curves,), in ``unit``.
        lower: Lower ends of the prediction intervals, shape (n_curves,); drawn for 60 curves at most.
        upper: Upper ends of the prediction intervals.
        name: Name of the quantity, for instance ``W``.
        unit: Its unit, for instance ``MHz``; empty for a plain number.
        score_text: Written into the corner, for instance the score with its confidence interval.
    """
    x, y = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    made, (top, bottom) = figure(2, size=(6.0, 6.6), sharex=True, height_ratios=(3, 1))
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
