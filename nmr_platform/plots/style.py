"""The house look of every figure, and how a figure is written."""

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from nmr_platform.errors import ConfigurationError
from nmr_platform.files import staged_file
from nmr_platform.plots.spots import KEY, as_text, spots_of

__all__ = [
    "ACCENT",
    "CYCLE",
    "DPI",
    "INK",
    "MAIN",
    "MUTED",
    "SEQUENTIAL",
    "SURFACE",
    "WIDTH",
    "Grid",
    "columns_for",
    "dress",
    "dress_colorbar",
    "figure",
    "heading",
    "legend",
    "rounded",
    "save",
    "title",
]

Grid = Literal["x", "y", "both", "none"]

# Inches: what a telephone can show without letters that are too small to read.
WIDTH = 4.9

# Twice the pixels of a page on which a figure has its natural size, 96 to the inch.
DPI = 192
# Of a title.
_LETTERS_AN_INCH = 12.5
INK = "#2b2b2b"
MUTED = "#8a8a8a"
GRID = "#e6e6e6"
# Okabe and Ito's palette, which colour-blind readers tell apart, without its yellow (too faint on white).
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
MAIN, ACCENT = CYCLE[0], CYCLE[1]
# White to the house's blue: ordered in lightness, so it also prints in grey.
_BLUES = ("#c3dbea", "#5fa3cb", "#0072B2", "#00395c")
SEQUENTIAL: Colormap = LinearSegmentedColormap.from_list("nmr", ["#ffffff", *_BLUES])
# The same without white, where white means that nothing was measured.
SURFACE: Colormap = LinearSegmentedColormap.from_list("nmr-surface", ["#e4eef5", *_BLUES])


def figure(
    n_rows: int = 1,
    n_columns: int = 1,
    *,
    size: tuple[float, float] = (WIDTH, 3.6),
    sharex: bool = False,
    sharey: bool = False,
    height_ratios: Sequence[float] | None = None,
    grid: Grid = "both",
) -> tuple[Figure, list[Axes]]:
    """Make a figure of dressed axes, unknown to pyplot, so that nothing has to be closed.

    Args:
        n_rows: Rows of axes.
        n_columns: Columns of axes.
        size: Width and height in inches.
        sharex: As in `Figure.subplots`.
        sharey: As in `Figure.subplots`.
        height_ratios: Relative heights of the rows.
        grid: Lines of the grid: ``x``, ``y``, ``both`` or ``none``.

    Returns:
        The figure and its axes, row by row.
    """
    made = Figure(figsize=size, dpi=DPI, facecolor="white", layout=ConstrainedLayoutEngine(h_pad=0.08))
    ratios = list(height_ratios) if height_ratios is not None else None
    grid_of_axes = made.subplots(n_rows, n_columns, sharex=sharex, sharey=sharey, height_ratios=ratios, squeeze=False)
    axes = list(grid_of_axes.ravel())
    for ax in axes:
        dress(ax, grid=grid)
    return made, axes


def dress(ax: Axes, *, grid: Grid = "both") -> None:
    """Give axes the house look: two spines, small grey ticks, a light grid behind the data.

    Everything is set on the axes themselves, so that the look does not depend on who draws the figure later.

    Args:
        ax: The axes.
        grid: Lines of the grid: ``x``, ``y``, ``both`` or ``none``.
    """
    ax.set_prop_cycle(color=CYCLE)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED)
        ax.spines[side].set_linewidth(0.8)
    ax.tick_params(labelsize=9, color=MUTED, labelcolor=INK, length=3, width=0.8)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_color(INK)
    if grid != "none":
        ax.grid(axis=grid, color=GRID, linewidth=0.8)


def dress_colorbar(bar: Colorbar, label: str) -> None:
    """Give a colour bar the house look and its label.

    Args:
        bar: The colour bar.
        label: What its colours mean, with the unit if there is one.
    """
    bar.set_label(label, color=INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9, length=0, labelcolor=INK)


def columns_for(n_panels: int, most: int = 3) -> int:
    """Number of columns in which small multiples leave the least room empty.

    Args:
        n_panels: Number of panels.
        most: Largest number of columns; four panels get two whatever it is.
    """
    return 2 if n_panels == 4 else min(most, n_panels)


def heading(drawn: Figure, text: str) -> None:
    """Write a title over the whole figure, flush left, if there is one.

    Args:
        drawn: The figure.
        text: The title; empty for none.
    """
    if text:
        letters = int(_LETTERS_AN_INCH * drawn.get_figwidth())
        drawn.suptitle(textwrap.fill(text, letters), x=0.01, ha="left", fontsize=10, color=INK)


def title(ax: Axes, text: str, *, size: float = 10) -> None:
    """Write a title flush with the left end of the axes, if there is one.

    Args:
        ax: The axes.
        text: The title; empty for none.
        size: Of the letters, in points.
    """
    if text:
        ax.set_title(text, loc="left", fontsize=size, color=INK, pad=8)


def legend(ax: Axes, *, loc: str = "best", columns: int = 1, above: bool = False) -> None:
    """Add a legend in the house look.

    Args:
        ax: The axes whose labelled artists it lists.
        loc: Where inside the axes, as in `Axes.legend`.
        columns: Number of columns.
        above: Put it above the axes instead, flush left, where it covers no data.
    """
    look = {"frameon": False, "fontsize": 9, "labelcolor": INK, "handlelength": 1.6, "ncols": columns}
    if above:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, **look)
    else:
        ax.legend(loc=loc, **look)


def rounded(text: str) -> str:
    """A text with its decimals cut to what an eye takes in: one from 10 on, three digits below.

    Args:
        text: For instance a sequence in words.

    Example:
        >>> rounded("79.3039x - 26.0576 us - 180.801y - 0.0512345 us")
        '79.3x - 26.1 us - 180.8y - 0.0512 us'
    """

    def fewer(number: re.Match[str]) -> str:
        value = float(number[0])
        return f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.3g}"

    return re.sub(r"\d+\.\d+", fewer, text)


def save(drawn: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, with the same bytes for the same picture.

    The layout is worked out once and then kept, and the file names neither program nor date: DVC's hashes of
    figures change only when a figure does. The file says where its marks are, see `read_picture`.

    Args:
        drawn: The figure.
        path: Where to; the folder is made if need be.

    Raises:
        ConfigurationError: The path does not end in ``.png``.
    """
    path = Path(path)
    if path.suffix != ".png":
        message = f"Argument `path` must end in .png, but is `{path.name}`."
        raise ConfigurationError(message, key="path", value=str(path))
    if drawn.get_layout_engine() is not None:
        drawn.draw_without_rendering()
        drawn.set_layout_engine("none")
    metadata: dict[str, str | None] = {"Software": None}
    if spots := spots_of(drawn):
        metadata[KEY] = as_text(spots)
    with staged_file(path) as staging:
        # Not by Figure.savefig, which draws everything once more in vain before it draws.
        FigureCanvasAgg(drawn).print_png(staging, metadata=metadata)
