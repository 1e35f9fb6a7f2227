"""`nmr export` and `nmr import`: data sets and measured echoes in other formats."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from nmr_platform.cli.options import JsonOption, say

if TYPE_CHECKING:
    from nmr_platform.exchange import Option

__all__ = ["export", "import_"]


def export(
    dataset: Annotated[Path, typer.Argument(help="Data set, a Zarr folder.")],
    out: Annotated[Path, typer.Option("--out", help="File or folder to write; it must not exist.")],
    *,
    record: Annotated[
        str | None, typer.Option("--record", help="One of several records; all of them by default.")
    ] = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Write a data set in the format of another program; nothing is overwritten.

    Example: `nmr export data/gaussian.zarr --format hdf5 --out gaussian.h5`
    """
    from nmr_platform.datasets import load, load_records  # noqa: PLC0415
    from nmr_platform.exchange import export_dataset  # noqa: PLC0415
    from nmr_platform.progress import progress_bar  # noqa: PLC0415

    loaded = load_records(dataset) if record is None else {"": load(dataset, record)}
    curves = next(iter(loaded.values())).sizes["curve"]
    with progress_bar("Exporting", curves * len(loaded), "records") as advance:
        export_dataset(loaded, out, progress=advance, **options)
    several = "" if "" in loaded else f" of the records {', '.join(loaded)}"
    facts = {"path": str(out), "curves": curves, "format": options["format"]}
    say(f"{out}: {curves} curves{several}.", {**facts, **({"records": [*loaded]} if several else {})}, as_json=as_json)


def import_(
    source: Annotated[Path, typer.Argument(help="File or folder of another program or of an instrument.")],
    out: Annotated[Path, typer.Option("--out", help="Data set to make, a Zarr folder.")],
    *,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Make a data set of curves of another program, or of a measured echo.

    Example: `nmr import echo.csv --unit ms --experiment hahn.yaml --out echo.zarr`
    """
    from nmr_platform.exchange import import_file  # noqa: PLC0415

    with Console(stderr=True).status(f"Importing {source}"):
        made = import_file(source, out, **options)
    size = {"curves": made.curves, "samples": made.samples}
    say(str(made), {"path": str(out), **size, "format": made.format, **made.facts}, as_json=as_json)


def export_options() -> list["Option"]:
    """What the writers take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return exchange.export_options()


def import_options() -> list["Option"]:
    """What the readers take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return exchange.import_options()
