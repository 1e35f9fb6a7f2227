"""`nmr export` and `nmr import`: data sets and measured echoes in other formats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from nmr_platform.cli.options import JsonOption, say
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["export", "import_"]


ExportFormat = Literal["text", "csv", "hdf5"]
SourceFormat = Literal["text", "csv", "hdf5", "record", "bruker", "tecmag"]
Layout = Literal["spinechosim", "reference", "cuda"]
Table = Literal["long", "curves"]
Unit = Literal["us", "ms", "s"]
Method = Literal["cubic", "bandlimited"]
Outside = Literal["refuse", "zero"]
Kernel = Literal["gaussian", "power", "rkky", "uniform"]
Disorder = Literal["fresh", "frozen"]

_MEASURED = {"experiment", "phase", "offset", "scale", "conjugate", "method", "outside"}
_READING: dict[str, set[str]] = {
    "text": {"kernel", "disorder", "step", "first_step"},
    "csv": set(),
    "hdf5": set(),
    "record": {"unit", "start"} | _MEASURED,
    "bruker": {"start", "index"} | _MEASURED,
    "tecmag": {"start", "index"} | _MEASURED,
}
_WRITING: dict[str, set[str]] = {"text": {"layout", "columns"}, "csv": {"table"}, "hdf5": set()}


def export(
    dataset: Annotated[Path, typer.Argument(help="Data set, a Zarr folder.")],
    out: Annotated[Path, typer.Option("--out", help="What to write: a folder for text and csv, a file for hdf5.")],
    file_format: Annotated[ExportFormat, typer.Option("--format", help="Format to write.")],
    layout: Annotated[Layout | None, typer.Option(help="text: whose file names; spinechosim by default.")] = None,
    columns: Annotated[int | None, typer.Option(help="text: columns of echo_params, 12 or 16.")] = None,
    table: Annotated[Table | None, typer.Option(help="csv: one long table, or a file for each curve.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a data set as text directory, CSV or HDF5; nothing is overwritten.

    Example: `nmr export data/gaussian.zarr --format hdf5 --out gaussian.h5`
    """
    from nmr_platform import exchange  # noqa: PLC0415
    from nmr_platform.datasets import load  # noqa: PLC0415
    from nmr_platform.progress import progress_bar  # noqa: PLC0415

    options = _given({"layout": layout, "columns": columns, "table": table}, _WRITING[file_format], file_format)
    loaded = load(dataset)
    curves = loaded.sizes["curve"]
    write: dict[str, Callable[..., None]] = {
        "text": exchange.write_text,
        "csv": exchange.write_csv,
        "hdf5": exchange.write_hdf5,
    }
    with progress_bar("Exporting", curves, "curves") as advance:
        write[file_format](loaded, out, progress=advance, **options)
    say(f"{out}: {curves} curves.", {"path": str(out), "curves": curves, "format": file_format}, as_json=as_json)


def import_(
    source: Annotated[Path, typer.Argument(help="Text, CSV or Bruker folder; HDF5, CSV or Tecmag file.")],
    out: Annotated[Path, typer.Option("--out", help="Data set to make, a Zarr folder.")],
    file_format: Annotated[SourceFormat | None, typer.Option("--format", help="By its name if not given.")] = None,
    experiment: Annotated[Path | None, typer.Option(help="Measured: YAML of its sequence; MHz, us, degrees.")] = None,
    unit: Annotated[Unit | None, typer.Option(help="record: unit of its times; us by default.")] = None,
    start: Annotated[float | None, typer.Option(help="Measured: us from the first pulse to the first point.")] = None,
    index: Annotated[int | None, typer.Option(min=0, help="bruker, tecmag: which record of several.")] = None,
    phase: Annotated[float | None, typer.Option(help="Measured: zero-order phase, degrees; estimated.")] = None,
    offset: Annotated[float | None, typer.Option(help="Measured: frequency offset, MHz; estimated.")] = None,
    scale: Annotated[float | None, typer.Option(help="Measured: factor; the echo becomes 1/2 high.")] = None,
    conjugate: Annotated[bool | None, typer.Option("--conjugate", help="Measured: spins turn the other way.")] = None,
    method: Annotated[Method | None, typer.Option(help="Measured: resampling; cubic by default.")] = None,
    outside: Annotated[Outside | None, typer.Option(help="Measured: times not recorded; refused.")] = None,
    kernel: Annotated[Kernel | None, typer.Option(help="text: kernel of all curves.")] = None,
    disorder: Annotated[Disorder | None, typer.Option(help="text: fresh by default.")] = None,
    step: Annotated[float | None, typer.Option(help="text: us between samples, without sim_params.txt.")] = None,
    first_step: Annotated[int | None, typer.Option(min=0, help="text: steps before the first sample.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a data set of curves of another program, or of a measured echo.

    Example: `nmr import echo.csv --unit ms --experiment hahn.yaml --out echo.zarr`
    """
    from nmr_platform import exchange  # noqa: PLC0415
    from nmr_platform.datasets import check_target, publish  # noqa: PLC0415

    check_target(out)
    chosen: str = file_format or exchange.guess_format(source)
    options = {
        **{"experiment": experiment, "unit": unit, "start": start, "index": index},
        **{"phase": phase, "offset": offset, "scale": scale, "conjugate": conjugate},
        **{"method": method, "outside": outside},
        **{"kernel": kernel, "disorder": disorder, "step": step, "first_step": first_step},
    }
    given = _given(options, _READING[chosen], chosen)
    measured = "experiment" in _READING[chosen]
    with Console(stderr=True).status(f"Importing {source}"):
        made = _measured(source, chosen, given) if measured else getattr(exchange, f"read_{chosen}")(source, **given)
        made.attrs.pop("format_version", None)
        publish(made, out)
    names = ("name", "digest", "phase", "offset", "scale")
    record = {name: made.attrs[name] for name in names if name in made.attrs}
    curves, samples = made.sizes["curve"], made.sizes["time"]
    done = f"; phase {record['phase']:.1f} degrees, offset {record['offset']:.6f} MHz taken out" if measured else ""
    say(
        f"{out}: {curves} curves of {samples} samples, digest {record.get('digest')}{done}.",
        {"path": str(out), "curves": curves, "samples": samples, "format": chosen, **record},
        as_json=as_json,
    )


def _measured(source: Path, chosen: str, options: Mapping[str, Any]) -> "xr.Dataset":
    from nmr_platform import exchange  # noqa: PLC0415
    from nmr_platform.physics import Experiment  # noqa: PLC0415
    from nmr_platform.schema import read_yaml, validate  # noqa: PLC0415

    if "experiment" not in options:
        message = f"A measured echo ({chosen}) needs its sequence: give `--experiment`, a YAML file."
        raise ConfigurationError(message, key="experiment")
    path = options["experiment"]
    try:
        experiment = validate(Experiment, read_yaml(path))
    except ConfigurationError as error:
        message = f"In `{path}`: {error}"
        raise ConfigurationError(message, key=error.key, value=error.value) from error
    readers: dict[str, Callable[..., exchange.Record]] = {
        "record": exchange.read_delimited,
        "bruker": exchange.read_bruker,
        "tecmag": exchange.read_tecmag,
    }
    record = readers[chosen](source, **{name: options[name] for name in options.keys() - _MEASURED})
    return exchange.measured_curve(
        record, experiment, **{name: options[name] for name in options.keys() & _MEASURED - {"experiment"}}
    )


def _given(options: Mapping[str, Any], takes: set[str], file_format: str) -> dict[str, Any]:
    """The options that were given, as plain values; one that the format would ignore is an error."""
    given = {name: value for name, value in options.items() if value is not None}
    ignored = sorted(set(given) - takes)
    if ignored:
        flag = f"--{ignored[0].replace('_', '-')}"
        message = f"Option `{flag}` has no meaning for format {file_format}."
        raise ConfigurationError(message, key=ignored[0], value=given[ignored[0]])
    return given
