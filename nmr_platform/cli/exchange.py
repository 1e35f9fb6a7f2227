"""`nmr export` and `nmr import`: data sets and measured echoes in other formats."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from nmr_platform.cli.options import JsonOption, say
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    from nmr_platform.exchange import Imported, Option

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
    plot: Annotated[
        Path | None, typer.Option(help="PNG to draw a measured echo to; of several records, the decay of their echoes.")
    ] = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Make a data set of curves of another program, or of measured echoes.

    Example: `nmr import echo.csv --unit ms --experiment hahn.yaml --out echo.zarr`
    """
    from nmr_platform.exchange import import_file  # noqa: PLC0415

    if plot is not None:
        _check_drawable(source, options.get("format"))
    with Console(stderr=True).status(f"Importing {source}"):
        made = import_file(source, out, **options)
    if plot is not None:
        _draw(made, plot)
    size = {"curves": made.curves, "samples": made.samples}
    said = {"told": made.told.attributes()} if made.told else {}
    echoes = {"echoes": {name: echo._asdict() for name, echo in made.echoes.items()}} if made.echoes else {}
    say(str(made), {"path": str(out), **size, "format": made.format, **made.facts, **said, **echoes}, as_json=as_json)


def _check_drawable(source: Path, format: str | None) -> None:
    from nmr_platform.exchange import FORMATS, guess_format  # noqa: PLC0415

    name = format or guess_format(source)
    if not FORMATS[name].measured:
        message = f"Option `--plot` draws measured echoes, but has no meaning for format {name}."
        raise ConfigurationError(message, key="plot")


def _draw(made: "Imported", plot: Path) -> None:
    """The echo that was imported, or the decay of the echoes of several records."""
    from nmr_platform import plots  # noqa: PLC0415
    from nmr_platform.datasets import load_records  # noqa: PLC0415

    curves = {name: (each["time"].to_numpy(), each["m"].to_numpy()) for name, each in load_records(made.path).items()}
    times = {name: echo.time for name, echo in made.echoes.items()}
    title = made.facts["name"]
    if len(curves) == 1:
        [(name, curve)] = curves.items()
        drawn = plots.plot_echoes(*curve, echo_time=times.get(name), title=title)
    elif len(times) == len(curves):
        drawn = plots.plot_decay(*zip(*made.echoes.values(), strict=True), title=title)
    else:
        drawn = plots.plot_records(curves, times, title=title)
    plots.save(drawn, plot)


def export_options() -> list["Option"]:
    """What the writers take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return exchange.export_options()


def import_options() -> list["Option"]:
    """What the readers take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return exchange.import_options()
