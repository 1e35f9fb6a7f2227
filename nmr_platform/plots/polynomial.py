"""Importances of polynomial features as the reference draws them: a bar for every bin and power."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.plots.style import CYCLE, figure, heading, legend

__all__ = ["plot_polynomial_bars"]

_AXES = {"time": "time (µs)", "frequency": "frequency (MHz)"}


def plot_polynomial_bars(intervals: pd.DataFrame, *, label: str = "importance", title: str = "") -> Figure:
    """Draw one panel for each number of bins, and in it a bar for each bin and power.

    Args:
        intervals: One row a feature: ``start``, ``stop``, ``power``, ``importance``; ``axis`` (``time`` in us, the
            default, or ``frequency`` in MHz). Features of several components in one bin are added up.
        label: What the importance is.
        title: Title of the figure.
    """
    # The widths of one panel's bins differ by rounding, the panels' widths by a fifth at least.
    width = (intervals["stop"] - intervals["start"]).map(lambda value: f"{value:.4g}")
    summed = intervals.assign(width=width).groupby(["width", "start", "stop", "power"], as_index=False)
    bars = summed["importance"].sum()
    panels = sorted(bars.groupby("width"), key=lambda item: -float(str(item[0])))
    powers = sorted(bars["power"].unique())
    made, axes = figure(len(panels), size=(7.2, 1.2 + 1.7 * len(panels)), sharex=True, sharey=True, grid="y")
    for ax, (_, rows) in zip(axes, panels, strict=True):
        for rank, power in enumerate(powers):
            own = rows[rows["power"] == power]
            lane = (own["stop"] - own["start"]) / (len(powers) + 1)
            ax.bar(
                own["start"] + (rank + 0.5) * lane,
                own["importance"],
                width=lane,
                align="edge",
                color=CYCLE[rank % len(CYCLE)],
                linewidth=0,
                label=f"$x^{power}$",
            )
        for edge in np.unique(rows[["start", "stop"]].to_numpy(dtype=float)):
            ax.axvline(edge, color="#d0d0d0", linewidth=0.6, zorder=0)
        ax.set_ylabel(f"{label}\n{rows['start'].nunique()} bins")
    axes[-1].set_xlabel(_AXES[str(intervals["axis"].iloc[0]) if "axis" in intervals else "time"])
    legend(axes[0], columns=len(powers), above=True)
    heading(made, title)
    return made
