"""How true posteriors are: ranks of the truth, expected coverage, their score; and what one of them looks like."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.plots.style import ACCENT, INK, MAIN, MUTED, WIDTH, figure, heading, legend

__all__ = ["plot_corner", "plot_crps", "plot_expected_coverage", "plot_ranks"]

_CORNER_BINS = 30


def plot_ranks(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw how often the truth has which rank in its posterior, and the band of posteriors that are right.

    Args:
        table: One row a bin: ``low``, ``high`` (rank, 0 to 1), ``n`` (curves), ``lower``, ``upper`` (the band, curves).
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(WIDTH, 3.5), grid="y")
    low, width = 100 * table["low"], 100 * (table["high"] - table["low"])
    ax.axhspan(table["lower"].iloc[0], table["upper"].iloc[0], color=MUTED, alpha=0.3, linewidth=0, label="if right")
    ax.bar(low, table["n"], width=0.94 * width, align="edge", color=MAIN, linewidth=0)
    ax.axhline(table["n"].mean(), color=INK, linewidth=1)
    ax.set_xlim(0, 100)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("rank of the truth in its posterior (%)")
    ax.set_ylabel("held-out curves (number)")
    legend(ax, above=True)
    heading(made, title)
    return made


def plot_expected_coverage(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw the expected coverage against the level: the diagonal is right, below it posteriors are too narrow.

    Args:
        table: ``level``, ``coverage``, ``lower``, ``upper`` (the band of posteriors that are right), all shares.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(WIDTH, WIDTH))
    level, coverage, lower, upper = (100 * table[name] for name in ("level", "coverage", "lower", "upper"))
    ax.fill_between(level, lower, upper, color=MUTED, alpha=0.3, linewidth=0, label="if right")
    ax.plot(level, level, color=INK, linewidth=1)
    ax.plot(level, coverage, color=ACCENT, linewidth=1.8, marker="o", markersize=3.5, label="measured")
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 100)
    ax.set_aspect("equal")
    ax.set_xlabel("level of the region (%)")
    ax.set_ylabel("held-out curves that it reaches (%)")
    legend(ax, loc="upper left")
    heading(made, title)
    return made


def plot_crps(posterior: pd.DataFrame, prior: pd.DataFrame, *, unit: str, title: str = "") -> Figure:
    """Draw the score of posteriors by bin of W, beside that of knowing nothing but the prior; smaller is better.

    Args:
        posterior: One row a bin: ``w_low``, ``w_high`` (MHz), ``value``, ``lower``, ``upper`` (in ``unit``).
        prior: Likewise.
        unit: Unit of the target; empty for a plain number.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(WIDTH, 3.5), grid="y")
    for table, color, label in ((prior, MUTED, "prior"), (posterior, MAIN, "posterior")):
        low, high = table["w_low"].to_numpy(dtype=float), table["w_high"].to_numpy(dtype=float)
        errors = np.maximum(np.array([table["value"] - table["lower"], table["upper"] - table["value"]]), 0.0)
        ax.errorbar(
            (low + high) / 2, table["value"], errors, (high - low) / 2, fmt="o", color=color, capsize=3, label=label
        )
    ax.set_ylim(bottom=0)
    ax.set_xlabel("kernel integral W (MHz)")
    ax.set_ylabel(f"score CRPS ({unit})" if unit else "score CRPS")
    legend(ax, columns=2, above=True)
    heading(made, title)
    return made


def plot_corner(table: pd.DataFrame, units: Mapping[str, str], *, title: str = "") -> Figure:
    """Draw a joint posterior: each number by itself on the diagonal, every pair below it, and the truth.

    Args:
        table: A column a number; the truth in the first row, draws from the posterior in the others.
        units: Unit of each number; empty for a plain one.
        title: Title of the figure.
    """
    names = [str(name) for name in table]
    d, truth, drawn = len(names), table.iloc[0], table.iloc[1:]
    made, axes = figure(d, d, size=(2.0 + 1.9 * d, 1.6 + 1.8 * d), grid="none")
    low, high = table.min(), table.max()
    for place, ax in enumerate(axes):
        row, column = names[place // d], names[place % d]
        if place // d < place % d:
            ax.set_visible(False)
            continue
        if row == column:
            ax.hist(drawn[row], bins=_CORNER_BINS, color=MAIN, linewidth=0)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
        else:
            ax.scatter(drawn[column], drawn[row], s=3, color=MAIN, alpha=0.25, linewidth=0)
            ax.axhline(truth[row], color=ACCENT, linewidth=1)
            ax.set_ylim(low[row], high[row])
        ax.axvline(truth[column], color=ACCENT, linewidth=1)
        ax.set_xlim(low[column], high[column])
        ax.locator_params(nbins=4)
        if place // d == d - 1:
            ax.set_xlabel(f"{column} ({units[column]})" if units[column] else column)
        if place % d == 0 and place:
            ax.set_ylabel(f"{row} ({units[row]})" if units[row] else row)
    heading(made, title)
    return made
