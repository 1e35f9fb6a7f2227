"""Where the marks of a figure are and what they stand for, kept in its file for pages that answer to the mouse."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

__all__ = ["KEY", "Picture", "as_text", "mark", "read_picture", "spots_of"]

# Of the text in a PNG file.
KEY = "Spots"

Spot = tuple[float, float, float, float, str]


class Picture(NamedTuple):
    """What a page needs to know of a figure's file.

    Attributes:
        width: Pixels.
        height: Pixels.
        spots: Marks as JSON: left, top, right and bottom end as shares of width and height, and what is said there;
            empty if the figure has none.
    """

    width: int
    height: int
    spots: str


_MARKED: "WeakKeyDictionary[Figure, list[tuple[Axes, np.ndarray, Sequence[str]]]]" = WeakKeyDictionary()


def mark(
    ax: Axes, x: ArrayLike, y: ArrayLike, texts: Sequence[str], *, to: tuple[ArrayLike, ArrayLike] | None = None
) -> None:
    """Remember what marks of axes stand for.

    Args:
        ax: The axes.
        x: Where they are, or the left ends of boxes, in the unit of the axis, shape (n,).
        y: Likewise.
        texts: What to say of each.
        to: Right and upper ends of boxes, each of shape (n,).
    """
    drawn = ax.get_figure(root=True)
    if drawn is None:
        return
    ends = (x, y) if to is None else to
    places = np.column_stack([np.broadcast_to(np.asarray(each, dtype=float), len(texts)) for each in (x, y, *ends)])
    _MARKED.setdefault(drawn, []).append((ax, places, texts))


def spots_of(drawn: Figure) -> list[Spot]:
    """Marks of a figure whose layout is settled: left, top, right and bottom end as shares of width and height, text.

    Args:
        drawn: The figure.
    """
    size = np.array([drawn.bbox.width, drawn.bbox.height])
    found: list[Spot] = []
    for ax, places, texts in _MARKED.get(drawn, []):
        ends = [ax.transData.transform(places[:, columns]) / size for columns in ([0, 1], [2, 3])]
        left, right = (np.clip(part[:, 0], 0, 1) for part in ends)
        bottom, top = (np.clip(1 - part[:, 1], 0, 1) for part in ends)
        shares = np.column_stack([left, np.minimum(top, bottom), right, np.maximum(top, bottom)]).round(4)
        found += [(*(float(share) for share in row), text) for row, text in zip(shares, texts, strict=True)]  # type: ignore[misc]
    return found


def read_picture(path: Path) -> Picture:
    """Size and marks of a figure that `save` wrote.

    Args:
        path: The PNG file.
    """
    with Image.open(path) as image:
        # Text is read with the pixels only, for it may follow them.
        image.load()
        return Picture(image.width, image.height, str(image.info.get(KEY, "")))


def as_text(spots: Sequence[Spot]) -> str:
    """Marks as JSON that can stand inside a page.

    Args:
        spots: The marks.
    """
    return json.dumps(spots, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
