"""How results are printed."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

__all__ = ["print_table"]

_WIDTH = 120


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, note: str = "") -> None:
    """Print a table with its first column flush left and the others flush right, and a remark below it."""
    table = Table(title=title, title_justify="left", caption=note or None, caption_justify="left")
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console = Console(width=_WIDTH, highlight=False)
    console.print(table)
    console.print()
