"""Pictures of the records M(t) themselves."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from math import ceil

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nmr_platform.plots.style import CYCLE, MAIN, MUTED, WIDTH, columns_for, figure, heading, legend
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_band", "plot_decay", "plot_echoes", "plot_records"]

_MOST_IN_LEGEND = 12


def plot_echoes(
    time: ArrayLike,
    m: ArrayLike,
    labels: Sequence[str] = (),
    *,
    echo_time: float | None = None,
    parts: bool = False,
    ordered: bool = False,
    title: str = "",
) -> Figure:
    """Draw |M|(t) of one or several curves, on request with real and imaginary part below.

    Args:
        time: Shape (n_samples,), us.
        m: Shape (n_samples,) or (n_curves, n_samples), complex or real, in units of hbar per spin.
        labels: One for each curve, or none.
        echo_time: Where the echo is expected, us; marked by a dashed line.
        parts: Add panels with real and imaginary part.
        ordered: The curves are in an order, for instance of their coupling: colours go from light to dark.
        title: Title of the figure.
    """
    curves = np.atleast_2d(np.asarray(m))
    views = {"|M|": np.abs(curves)}
    if parts:
        views |= {"Re M": curves.real, "Im M": curves.imag}
    made, axes = figure(len(views), size=(WIDTH, 3.4 if not parts else 6.0), sharex=True)
    if ordered:
        colours = colormaps["viridis"](np.linspace(0.85, 0.0, len(curves)))
    for ax, (name, values) in zip(axes, views.items(), strict=True):
        if ordered:
            ax.set_prop_cycle(color=colours)
        for values_of_curve, label in zip_longest(values, labels[: len(values)], fillvalue=""):
            ax.plot(np.asarray(time), values_of_curve, linewidth=1.3, label=label or None)
        ax.set_ylabel(f"{name} (ħ per spin)")
        _finish(ax, time, echo_time)
    axes[0].set_ylim(bottom=0)
    axes[-1].set_xlabel("time (µs)")
    heading(made, title)
    if 0 < len(labels) <= _MOST_IN_LEGEND:
        legend(axes[0], columns=1 if len(labels) <= 4 else 2)
    return made


def plot_band(
    time: ArrayLike,
    measured: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    residual: ArrayLike,
    *,
    echo_time: float | None = None,
    title: str = "",
) -> Figure:
    """Draw a measured record over the band that simulated ones lie in, and what is left of it below.

    Args:
        time: Shape (n_samples,), us.
        measured: Shape (n_samples,), complex, in units of hbar per spin; not drawn where it is zero.
        lower: Lower ends of the band of real and imaginary part, shape (n_samples,), complex.
        upper: Upper ends.
        residual: What is left of both parts, in standard deviations of the simulated ones, shape (n_samples,), complex.
        echo_time: Where the echo is expected, us; marked by a dashed line.
        title: Title of the figure.
    """
    t, m = np.asarray(time), np.asarray(measured)
    shown = m != 0
    ends, left = (np.asarray(lower), np.asarray(upper)), np.asarray(residual)
    made, axes = figure(3, size=(7.2, 6.6), sharex=True, height_ratios=(3, 3, 2))
    for ax, name, part in zip(axes, ("Re M", "Im M"), (np.real, np.imag), strict=False):
        ax.fill_between(
            t, part(ends[0]), part(ends[1]), color=CYCLE[0], alpha=0.3, linewidth=0, label="simulated, 90 %"
        )
        ax.plot(t, np.where(shown, part(m), np.nan), color=CYCLE[1], linewidth=1.0, label="measured")
        ax.set_ylabel(f"{name} (ħ per spin)")
    for part, label, color in ((np.real, "Re", CYCLE[1]), (np.imag, "Im", CYCLE[2])):
        axes[2].plot(t, np.where(shown, part(left), np.nan), ".", markersize=2, color=color, label=label)
    axes[2].set_ylabel("residual (σ)")
    axes[2].set_xlabel("time (µs)")
    for ax in axes:
        _finish(ax, t, echo_time)
    set_title(axes[0], title)
    legend(axes[0])
    legend(axes[2], columns=2)
    return made


def plot_records(
    records: Mapping[str, tuple[ArrayLike, ArrayLike]], echo_times: Mapping[str, float], *, title: str = ""
) -> Figure:
    """Draw a few curves of each record side by side, |M|(t) on common scales.

    Args:
        records: For each name, times of shape (n_samples,), us, and curves of shape (n_curves, n_samples) or
            (n_samples,), complex or real, in units of hbar per spin.
        echo_times: Where the echo of a record is expected, us; marked by a dashed line.
        title: Title of the figure.
    """
    n_columns = columns_for(len(records))
    n_rows = ceil(len(records) / n_columns)
    width = max(4.4, 3.0 * n_columns)
    made, axes = figure(n_rows, n_columns, size=(width, 0.5 + 2.4 * n_rows), sharex=True, sharey=True)
    every_time = np.concatenate([np.asarray(time) for time, _ in records.values()])
    for number, (ax, (name, (time, m))) in enumerate(zip(axes, records.items(), strict=False)):
        for curve in np.abs(np.atleast_2d(np.asarray(m))):
            ax.plot(np.asarray(time), curve, linewidth=1.0, alpha=0.75, color=CYCLE[number % len(CYCLE)])
        set_title(ax, name)
        _finish(ax, every_time, echo_times.get(name))
        if number % n_columns == 0:
            ax.set_ylabel("|M| (ħ per spin)")
        if number + n_columns >= len(records):
            ax.set_xlabel("time (µs)")
            ax.tick_params(labelbottom=True)
    # Only now, for it keeps the top where it is.
    axes[0].set_ylim(bottom=0)
    for ax in axes[len(records) :]:
        ax.set_visible(False)
    heading(made, title)
    return made


def plot_decay(time: ArrayLike, height: ArrayLike, *, title: str = "") -> Figure:
    """Draw the heights of the echoes of several records over the times of these echoes.

    Args:
        time: When each echo is, us after the first pulse, 2 tau of Hahn echoes, shape (n_records,).
        height: |M| there, in units of hbar per spin, shape (n_records,).
        title: Title of the figure.
    """
    made, (ax,) = figure()
    order = np.argsort(np.asarray(time))
    ax.plot(np.asarray(time)[order], np.asarray(height)[order], "o-", color=MAIN, markersize=5, linewidth=1.3)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("time of the echo (µs)")
    ax.set_ylabel("|M| at the echo (ħ per spin)")
    set_title(ax, title)
    return made


def _finish(ax: Axes, time: ArrayLike, echo_time: float | None) -> None:
    values = np.asarray(time)
    ax.set_xlim(values.min(), values.max())
    if echo_time is not None:
        ax.axvline(echo_time, color=MUTED, linewidth=0.9, linestyle="--", zorder=0)
