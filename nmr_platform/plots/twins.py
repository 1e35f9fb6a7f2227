"""How often two kernels are told apart that were chosen to look alike."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.plots.style import ACCENT, CYCLE, INK, MAIN, MUTED, figure, heading, legend

__all__ = ["plot_twins"]


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
