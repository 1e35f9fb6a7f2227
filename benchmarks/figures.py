"""Figures of what is measured here, in the look of the platform's own."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nmr_platform.plots.style import ACCENT, CYCLE, GRID, INK, MAIN, MUTED, figure, heading, legend
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_convergence", "plot_phase_story", "plot_twins"]

_MARKERS = "osD^v"


def plot_convergence(
    steps: ArrayLike,
    errors: Mapping[str, ArrayLike],
    *,
    orders: Mapping[str, float] | None = None,
    floor: float | None = None,
    title: str = "",
) -> Figure:
    """Draw error against step, both on logarithmic scales.

    Args:
        steps: Shape (n_steps,), us.
        errors: For each integrator, the largest error of M over the record, shape (n_steps,), units of hbar per spin.
        orders: Fitted order of each integrator, written into the legend.
        floor: Error that single precision adds, in the same units; drawn as a horizontal line.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(6.4, 4.6))
    x = np.asarray(steps, dtype=float)
    for number, (name, values) in enumerate(errors.items()):
        order = f", order {orders[name]:.2f}" if orders and name in orders else ""
        y, marker = np.asarray(values, dtype=float), _MARKERS[number % len(_MARKERS)]
        ax.plot(x, y, marker=marker, markersize=5, linewidth=1.4, label=f"{name}{order}")
    if floor is not None:
        ax.axhline(floor, color=MUTED, linewidth=1, linestyle="--", label="rounding in float32")
    ax.set_xscale("log")
    ax.set_yscale("log")
    # The steps that were taken, and no powers of ten, of which there may be none.
    ax.set_xticks(np.sort(x), minor=False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    ax.minorticks_off()
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_xlabel("step (µs)")
    ax.set_ylabel("largest error of M (ħ per spin)")
    set_title(ax, title)
    # Errors rise to the right: the legend has its room above the left end.
    ax.set_ylim(top=8 * ax.get_ylim()[1])
    legend(ax, loc="upper left")
    return made


def plot_phase_story(
    expected: ArrayLike, measured: ArrayLike, reach: ArrayLike, scores: ArrayLike, shares: ArrayLike, *, label: str
) -> Figure:
    """Draw why a tipped echo tells alpha_z: its phase follows Z, and what is read off depends on how far it turns.

    Args:
        expected: 2 pi Z tau cos theta1 of some curves, rad, shape (n,).
        measured: Phase of their echo against that without alpha_z, rad, shape (n,).
        reach: tau |cos theta1| of the sequences that a search tried, us, shape (k,).
        scores: What they scored, shape (k,).
        shares: On which share of the curves, shape (k,).
        label: Name of the score.
    """
    made, (left, right) = figure(1, 2, size=(9.2, 4.0))
    x, y = np.asarray(expected, float), np.asarray(measured, float)
    ends = np.array([min(0.0, x.min()), x.max()])
    left.plot(ends, ends, color=MUTED, linewidth=1.0, linestyle="--", label="2π Z τ cos θ₁")
    left.plot(x, y, "o", color=MAIN, markersize=4, alpha=0.8, markeredgewidth=0, label="simulated")
    left.set_xlabel("2π Z τ cos θ₁ (rad)")
    left.set_ylabel("phase of the echo (rad)")
    legend(left, columns=2, above=True)
    places, values, judged = np.asarray(reach, float), np.asarray(scores, float), np.asarray(shares, float)
    for is_whole, colour, name in ((False, MUTED, "given up early"), (True, MAIN, "on all curves")):
        chosen = (judged == 1.0) == is_whole
        right.plot(places[chosen], values[chosen], "o", color=colour, markersize=5, markeredgewidth=0, label=name)
    right.set_xlabel("τ |cos θ₁| (µs)")
    right.set_ylabel(label)
    legend(right, columns=2, above=True)
    return made


def plot_twins(
    table: pd.DataFrame, recall: pd.DataFrame, *, curves: Sequence[pd.DataFrame] = (), title: str = ""
) -> Figure:
    """Draw two power laws beside their twins, and how often pairs are told apart, over the exponent.

    Args:
        table: One row a pair: ``exponent`` of the power law, ``kernel`` of its twin, ``accuracy`` of a classifier that
            knows both but for the disorder, between 0.5 and 1, and the ends ``lower`` and ``upper`` of its interval.
        recall: Shares of power laws that a model of the whole prior finds: ``exponent_low``, ``exponent_high``,
            ``value``, ``lower`` and ``upper``.
        curves: Up to two tables of mean curves: column ``time`` in us, and |M| of ``power law`` and of the twin under
            its kernel's name, each with its standard deviation over the disorder in ``<name> std``; ``exponent`` in
            their `attrs`.
        title: Title of the figure.
    """
    made, axes = figure(1, 1 + len(curves), size=(4.6 * (1 + len(curves)), 4.0))
    for ax, pair in zip(axes, curves, strict=False):
        names = [str(name) for name in pair if f"{name} std" in pair]
        for name, color in zip(names, (MAIN, ACCENT), strict=False):
            mean, spread = pair[name], pair[f"{name} std"]
            ax.fill_between(pair["time"], mean - spread, mean + spread, color=color, alpha=0.25, linewidth=0)
            ax.plot(pair["time"], mean, color=color, linewidth=1.4, label=name)
        ax.set_xlabel("time (µs)")
        ax.set_ylabel("|M| (ħ per spin)")
        ax.set_title(f"exponent {pair.attrs['exponent']:g}; bands: spread over the disorder", fontsize=10, color=INK)
        legend(ax, columns=1)
    ax = axes[-1]
    for number, (kernel, rows) in enumerate(table.groupby("kernel", sort=False)):
        error = [rows["accuracy"] - rows["lower"], rows["upper"] - rows["accuracy"]]
        color, label = CYCLE[number + 1], f"from its {kernel} twin"
        ax.errorbar(rows["exponent"], rows["accuracy"], yerr=error, fmt="o-", color=color, label=label)
    low, high = (recall[name].to_numpy(dtype=float) for name in ("exponent_low", "exponent_high"))
    ax.hlines(recall["value"], low, high, color=MAIN, linewidth=2.5, label="found by a model of the whole prior")
    ax.axhline(0.5, color=MUTED, linewidth=1, linestyle=":")
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel("exponent of the power law (number)")
    ax.set_ylabel("score: share told right")
    legend(ax, columns=1)
    heading(made, title)
    return made
