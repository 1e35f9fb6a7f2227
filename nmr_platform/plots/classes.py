"""How well classes are told apart: confusion matrices, and whether probabilities mean what they say."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from nmr_platform.plots.style import (
    CYCLE,
    INK,
    SEQUENTIAL,
    WIDTH,
    columns_for,
    dress_colorbar,
    figure,
    heading,
    legend,
)
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_confusion", "plot_confusion_by_bin", "plot_reliability"]


def plot_confusion(matrix: ArrayLike, classes: Sequence[str], *, title: str = "") -> Figure:
    """Draw a confusion matrix: colour and first number are the share of the true class, below it the count.

    Args:
        matrix: Counts, shape (n_classes, n_classes), true class by row, predicted class by column.
        classes: Names of the classes, in the matrix's order.
        title: Title of the figure.
    """
    counts = np.asarray(matrix)
    side = 1.9 + 0.75 * len(classes)
    made, (ax,) = figure(size=(side + 0.75, side), grid="none")
    image = _draw(ax, counts, classes, size=9)
    ax.set_ylabel("true class")
    ax.set_xlabel("predicted class")
    heading(made, title)
    _draw_colorbar(made, image, [ax])
    return made


def plot_confusion_by_bin(matrices: ArrayLike, edges: ArrayLike, classes: Sequence[str], *, title: str = "") -> Figure:
    """Draw one confusion matrix for each bin of the kernel integral W.

    Args:
        matrices: Counts, shape (n_bins, n_classes, n_classes), true class by row, predicted class by column.
        edges: Edges of the bins, shape (n_bins + 1,), MHz.
        classes: Names of the classes, in the matrices' order.
        title: Title of the figure.
    """
    counts, bounds = np.asarray(matrices), np.asarray(edges, dtype=float)
    n_columns = columns_for(len(counts), most=2)
    n_rows = ceil(len(counts) / n_columns)
    side = 0.55 + 0.47 * len(classes)
    size = (max(WIDTH, side * n_columns + 1.0), (side + 0.75) * n_rows + 0.6)
    made, axes = figure(n_rows, n_columns, size=size, grid="none")
    for number, ax in enumerate(axes[: len(counts)]):
        image = _draw(ax, counts[number], classes, size=8)
        set_title(ax, _bin_title(counts[number], bounds[number], bounds[number + 1]), size=8.5)
        first = number % n_columns == 0
        ax.set_ylabel("true class" if first else "")
        ax.tick_params(labelleft=first)
        ax.set_xlabel("predicted class" if number + n_columns >= len(counts) else "")
    for ax in axes[len(counts) :]:
        ax.set_visible(False)
    heading(made, title)
    _draw_colorbar(made, image, axes)
    return made


def plot_reliability(table: pd.DataFrame, *, text: str = "", title: str = "") -> Figure:
    """Draw a reliability diagram above, and how many curves each point stands for below.

    Args:
        table: One row a class and bin: ``class``, ``predicted`` (mean probability), ``observed`` (share), ``lower``,
            ``upper``, ``n``.
        text: Written into the corner, for instance the calibration error.
        title: Title of the figure.
    """
    made, (top, bottom) = figure(2, size=(WIDTH, 5.4), sharex=True, height_ratios=(3, 1))
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
    heading(made, title)
    bottom.set_ylim(bottom=0)
    bottom.set_ylabel("curves (number)")
    bottom.set_xlabel("probability given to the class (%)")
    return made


def _draw(ax: Axes, counts: NDArray[np.generic], classes: Sequence[str], *, size: float) -> AxesImage:
    totals = counts.sum(axis=1, keepdims=True)
    # A class that no curve has keeps a row of zeros; dividing by one says so without a warning.
    shares = counts / np.maximum(totals, 1)
    image = ax.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="equal")
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0%}\n{counts[row, column]:,.0f}" if totals[row, 0] else "none"
        color = "white" if share > 0.55 else INK
        ax.text(column, row, text, ha="center", va="center", fontsize=size, color=color, linespacing=1.3)
    ax.set_xticks(range(len(classes)), classes)
    ax.set_yticks(range(len(classes)), classes, rotation=90, va="center")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return image


def _bin_title(counts: NDArray[np.generic], low: float, high: float) -> str:
    total = int(counts.sum())
    accuracy = f"accuracy {np.trace(counts) / total:.0%}, " if total else ""
    return f"W {low:.3g} to {high:.3g} MHz\n{accuracy}n = {total:,}"


def _draw_colorbar(made: Figure, image: AxesImage, axes: Sequence[Axes]) -> None:
    bar = made.colorbar(image, ax=list(axes), shrink=0.8, aspect=30, format=lambda share, _: f"{share:.0%}")
    dress_colorbar(bar, "share of the true class (%)")
