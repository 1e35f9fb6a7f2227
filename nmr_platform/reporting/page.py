"""The report as a page and as Markdown: sections of sentences, tables and figures, below one summary."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nmr_platform.learning import Score
from nmr_platform.pages import render
from nmr_platform.reporting.answers import Answer

__all__ = ["Cell", "Content", "Figure", "Section", "Table", "render_html", "render_markdown", "table"]

Cell = str | int | float | Score | None

_NUMBER = re.compile(r"[+-]?\d[\d.]*( |%|$)")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        titles: Of the columns.
        rows: Cells, as many a row as there are titles.
        numeric: Which columns hold numbers.
        champion: Index of the row that stands out; None for none.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]
    champion: int | None = None


def table(titles: Sequence[str], rows: Sequence[Sequence[Cell]], *, champion: int | None = None) -> Table:
    """A table; numbers get three decimals, scores their interval, and None an empty cell.

    Args:
        titles: Of the columns.
        rows: Cells, as many a row as there are titles.
        champion: Index of the row that stands out.

    Example:
        >>> made = table(["model", "R2"], [["linear", Score(0.7, 0.6, 0.8, 40)]])
        >>> list(made.rows), list(made.numeric)
        ([['linear', '0.700 (0.600 to 0.800)']], [False, True])
    """
    told = [[_told(cell) for cell in row] for row in rows]
    filled = [[row[place] for row in told if row[place]] for place in range(len(titles))]
    numeric = [bool(column) and all(_NUMBER.match(cell) for cell in column) for column in filled]
    return Table(titles, told, numeric, champion)


def _told(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Score):
        return f"{cell.value:.3f} ({cell.lower:.3f} to {cell.upper:.3f})"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


@dataclass(frozen=True)
class Figure:
    """A picture of the report.

    Attributes:
        path: Relative to the report.
        caption: One sentence.
        width: On the page, in its pixels.
        height: Likewise.
        spots: Marks that answer to the mouse, as JSON, see `nmr_platform.plots.Picture`; empty for none.
    """

    path: str
    caption: str
    width: int
    height: int
    spots: str = ""


@dataclass(frozen=True)
class Section:
    """What is folded away below a title.

    Attributes:
        anchor: Its name in addresses.
        title: The title.
        brief: One line beside the title.
        texts: Paragraphs above the table.
        table: The table; None for none.
        notes: Paragraphs below it.
        figures: Pictures.
        parts: Sections of this one, which then stays open itself.
    """

    anchor: str
    title: str
    brief: str = ""
    texts: Sequence[str] = ()
    table: Table | None = None
    notes: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    parts: Sequence["Section"] = ()


@dataclass(frozen=True)
class Content:
    """The whole report.

    Attributes:
        verdicts: Sentences of the summary.
        answers: One a task.
        sections: What follows.
    """

    verdicts: Sequence[str]
    answers: Sequence[Answer]
    sections: Sequence[Section]


def render_html(content: Content) -> str:
    """The report as one HTML page with its style and its script; its pictures lie beside it."""
    return render("nmr_platform.reporting", "report.html.jinja", content=content)


def render_markdown(content: Content) -> str:
    """The report as Markdown."""
    return render("nmr_platform.reporting", "report.md.jinja", content=content)
