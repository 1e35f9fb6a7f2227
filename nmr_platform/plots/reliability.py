"""Do probabilities mean what they say? How often a class is true against how probable it was called."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.plots.style import CYCLE, INK, figure, legend
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_reliability"]


def plot_reliability(table: pd.DataFrame, *, text: str = "", title: str = "") -> Figure:
    """Draw a reliability diagram above, and how many curves each point stands for below.

    Args:
        table: One row a class and bin: ``class``, ``predicted`` (mean probability), ``observed`` (share), ``lower``,
            ``upper``, ``n``.
        text: Written into the corner, for instance the calibration error.
        title: Title of the figure.
    """
    made, (top, bottom) = figure(2, size=(5.6, 6.4), sharex=True, height_ratios=(3, 1))
    top.plot([0, 100], [0, 100], color=INK, linewidth=1, linestyle="--", label="perfectly calibrated")
    for number, (name, rows) in enumerate(table.groupby("class", sort=False)):
        x, y = 100 * rows["predicted"].to_numpy(dtype=float), 100 * rows["observed"].to_numpy(dtype=float)
        errors = np.maximum([y - 100 * rows["lower"], 100 * rows["upper"] - y], 0.0)
        color = CYCLE[number % len(CYCLE)]
        top.errorbar(x, y, yerr=errors, fmt="o-", color=color, markersize=5, linewidth=1.3, capsize=3, label=str(name))
        bottom.plot(x, rows["n"].to_numpy(dtype=float), "o-", color=color, markersize=4, linewidth=1.0)
    top.set_ylabel("curves of the class (%)")
    top.set_xlim(-2, 102)
    top.set_ylim(-2, 102)
    top.text(0.97, 0.04, text, transform=top.transAxes, ha="right", va="bottom", fontsize=9.5, color=INK)
    legend(top, loc="upper left")
    set_title(top, title)
    bottom.set_ylim(bottom=0)
    bottom.set_ylabel("curves (number)")
    bottom.set_xlabel("probability given to the class (%)")
    return made
