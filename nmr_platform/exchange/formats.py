"""The one table of formats: it drives `nmr import`, `nmr export` and `nmr predict`, their options and `--help`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from nmr_platform.datasets import by_name
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.curves import csv_folder, hdf5, layout, text
from nmr_platform.exchange.format import Format, Option, options_of
from nmr_platform.exchange.instruments import bruker, delimited, dnmr, jcampdx, kea, nmrpipe, simpson, tecmag
from nmr_platform.exchange.records.measured import measured_curves
from nmr_platform.exchange.records.record import Record
from nmr_platform.exchange.records.several import SWEEP, as_said, told_apart
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.progress import Advance, no_progress

__all__ = [
    "CORRECTIONS",
    "EXPERIMENT",
    "FORMATS",
    "export_dataset",
    "export_options",
    "format_of",
    "guess_format",
    "import_options",
    "options_for_import",
    "options_for_reading",
    "predict_options",
    "read_file",
    "read_records",
    "refuse_ignored",
]

# Adding a format: its file, imported above, and its line here. The first that recognises a file or folder has it.
FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        text.FORMAT,
        csv_folder.FORMAT,
        hdf5.FORMAT,
        delimited.FORMAT,
        bruker.FORMAT,
        tecmag.FORMAT,
        dnmr.FORMAT,
        kea.FORMAT,
        jcampdx.FORMAT,
        nmrpipe.FORMAT,
        simpson.FORMAT,
        layout.FORMAT,
    )
}

CORRECTIONS: Mapping[str, Option] = options_of(measured_curves)
"""What can be done to a measured echo of any format."""

EXPERIMENT = Option("YAML of its sequence, or of one for each record; MHz, us, degrees", name="experiment", kind=Path)
"""Which sequences a measured file belongs to."""
_RESAMPLE = replace(
    CORRECTIONS["method"],
    name="resample",
    meaning="onto the model's times, its phase, offset and (without --scale) height corrected",
    default=None,
)


def guess_format(source: str | Path) -> str:
    """Tell the format by the names in a folder or by a file's suffix.

    Args:
        source: What to read.

    Returns:
        A key of `FORMATS`.

    Raises:
        DataError: There is nothing, or nothing known.

    Example:
        >>> Path("echo.tnt").touch()
        >>> guess_format("echo.tnt")
        'tecmag'
    """
    source = Path(source)
    if not source.exists():
        message = f"`{source}` does not exist."
        raise DataError(message, path=source)
    for each in FORMATS.values():
        if each.recognises(source):
            return each.name
    nothing = "is not a data set, and none" if source.is_dir() else "is none"
    message = f"`{source}` {nothing} of the known formats by its name; say which one it is."
    raise DataError(message, path=source)


def read_file(source: str | Path, *, format: str | None = None, **options: Any) -> xr.Dataset | Record:
    """Read a file or folder of another program or instrument.

    Args:
        source: What to read.
        format: A key of `FORMATS`; by its name if None.
        options: What the format's reader takes.

    Returns:
        A data set in the store's layout; of a measured echo the `Record`, for `measured_curve`.

    Raises:
        ConfigurationError: The format has no such option.
        DataError: The source is missing or damaged, of no known format, or has several records.

    See Also:
        `read_records`, for several.

    Example:
        >>> import numpy as np
        >>> np.savetxt("record.csv", [[k / 4, k, 0] for k in range(16)])
        >>> read_file("record.csv", unit="ms").dwell
        250.0
    """
    records = read_records(source, format=format, **options)
    if len(records) > 1:
        message = f"`{source}` has the records {', '.join(records)}, but one is asked for."
        raise DataError(message, path=Path(source))
    return next(iter(records.values()))


def read_records(source: str | Path, *, format: str | None = None, **options: Any) -> dict[str, xr.Dataset | Record]:
    """Read every record of a file or folder of another program or instrument.

    Args:
        source: What to read.
        format: A key of `FORMATS`; by its name if None.
        options: What the format's reader takes.

    Returns:
        By name what `read_file` gives; the empty text is the name of an only one.

    Raises:
        ConfigurationError: The format has no such option.
        DataError: The source is missing or damaged, or of no known format.
    """
    chosen = format_of(source, format)
    refuse_ignored(options, options_for_reading(chosen), [chosen.name])
    choosing = [each.flag for name, each in chosen.reading.items() if each.chooses and options.get(name) is not None]
    if chosen.sweep is not None and not choosing:
        return _swept(chosen, chosen.sweep, Path(source), **options)
    if SWEEP.name in options:
        message = f"Option `--sweep` must be left out where `{choosing[0]}` chooses one record."
        raise ConfigurationError(message, key=SWEEP.name, value=options[SWEEP.name])
    if chosen.records is None:
        return {"": chosen.read(source, **options)}
    return {name: chosen.read(source, record=name, **options) for name in chosen.records(Path(source))}


def _swept(
    chosen: Format, swept: Callable[[Path], Sweep], source: Path, *, sweep: str | None = None, **options: Any
) -> dict[str, xr.Dataset | Record]:
    """Every record of a measured file, each telling what it has of its own."""
    said = as_said(swept(source), sweep, source)
    if said.count == 1:
        return {"": chosen.read(source, **options | {"index": 0})}
    return {
        name: told_apart(chosen.read(source, **options | {"index": index}), said, index)
        for index, name in enumerate(said.names)
    }


def export_dataset(
    records: xr.Dataset | Mapping[str, xr.Dataset],
    out: Path,
    *,
    format: str,
    progress: Advance = no_progress,
    **options: Any,
) -> None:
    """Write a data set in the format of another program; nothing is overwritten.

    Args:
        records: As `nmr_platform.datasets.load` or `nmr_platform.datasets.load_records` gives it.
        out: File or folder to make.
        format: A key of `FORMATS` that can be written.
        progress: Called with the number of curves of a record written.
        options: See `export_options`.

    Raises:
        ConfigurationError: The format has no such option, or is only read.
        DataError: ``out`` exists, or the format cannot hold the data set.

    Example:
        >>> import numpy as np
        >>> from nmr_platform.exchange.curves.layout import curve_dataset
        >>> m, time = np.ones((2, 30), dtype=complex), np.arange(30) / 4
        >>> made = curve_dataset(m, None, time, coordinates={}, attributes={"name": "ones", "step": 0.25})
        >>> export_dataset(made, Path("ones.h5"), format="hdf5")
        >>> read_file("ones.h5").sizes["time"]
        30
    """
    chosen = _format(format)
    if chosen.write is None:
        message = f"Format {chosen.name} is only read; formats that are written are {', '.join(_written())}."
        raise ConfigurationError(message, key="format", value=format)
    refuse_ignored(options, chosen.writing, [chosen.name])
    held = by_name(records)
    if chosen.records is None and len(held) > 1:
        message = (
            f"Format {chosen.name} holds one record, but the data set has {', '.join(held)}: choose one by `--record`."
        )
        raise ConfigurationError(message, key="record")
    written = held if chosen.records else next(iter(held.values()))
    chosen.write(written, out, progress=progress, **options)


def import_options() -> list[Option]:
    """What `nmr import` takes: the format, and the options of all readers and of the corrections."""
    return [_choice(FORMATS, "By its name if not given"), *_merged(options_for_import)]


def export_options() -> list[Option]:
    """What `nmr export` takes: the format, and the options of all writers."""
    return [_choice(_written(), "What to write", required=True), *_merged(lambda each: each.writing)]


def predict_options() -> list[Option]:
    """What `nmr predict` takes: the format, the options of all readers, and how a measured echo is corrected."""
    return [_choice(FORMATS, "By its name if not given"), *_merged(_for_prediction)]


def refuse_ignored(given: Mapping[str, Any], taken: Collection[str], formats: Iterable[str]) -> None:
    """Refuse an option that would be ignored.

    Args:
        given: The options that were given.
        taken: Names of those that have a meaning.
        formats: Names of the formats that are read or written, for the sentence.

    Raises:
        ConfigurationError: An option has no meaning.
    """
    for name in sorted(given.keys() - set(taken)):
        message = f"Option `{Option('', name=name).flag}` has no meaning for format {', '.join(formats)}."
        raise ConfigurationError(message, key=name, value=given[name])


def format_of(source: str | Path, name: str | None) -> Format:
    """The format of that name, or the one that is told by the source's."""
    return _format(name or guess_format(source))


def _format(name: str) -> Format:
    if name not in FORMATS:
        message = f"Argument `format` must be one of {', '.join(FORMATS)}, but is {name!r}."
        raise ConfigurationError(message, key="format", value=name)
    return FORMATS[name]


def _written() -> list[str]:
    return [each.name for each in FORMATS.values() if each.write is not None]


def options_for_reading(each: Format) -> dict[str, Option]:
    """What `read_records` takes for a format."""
    return {**each.reading, **({SWEEP.name: SWEEP} if each.sweep else {})}


def options_for_import(each: Format) -> dict[str, Option]:
    """What `nmr import` takes for a format."""
    return {**options_for_reading(each), **({EXPERIMENT.name: EXPERIMENT, **CORRECTIONS} if each.measured else {})}


def _for_prediction(each: Format) -> dict[str, Option]:
    # A model that does not need what was not recorded may read the rest.
    outside = replace(CORRECTIONS["outside"], default="zero")
    corrections = {name: option for name, option in CORRECTIONS.items() if name != "method"} | {"outside": outside}
    return {**options_for_reading(each), **({_RESAMPLE.name: _RESAMPLE, **corrections} if each.measured else {})}


def _choice(names: Iterable[str], meaning: str, *, required: bool = False) -> Option:
    what = "; ".join(f"{name}: {FORMATS[name].meaning}" for name in names)
    kind = Literal[tuple(names)]  # type: ignore[valid-type]
    return Option(f"{meaning}. {what}.", name="format", kind=kind, required=required)


def _merged(takes: Callable[[Format], Mapping[str, Option]]) -> list[Option]:
    """The options that formats take, each once, told whose it is and what its default is."""
    takers: dict[str, dict[str, Option]] = {}
    for each in FORMATS.values():
        for name, option in takes(each).items():
            takers.setdefault(name, {})[each.name] = option
    return [_told(list(of), list(of.values())) for of in takers.values()]


def _told(formats: Sequence[str], options: Sequence[Option]) -> Option:
    measured = [each.name for each in FORMATS.values() if each.measured]
    whose = "Measured" if list(formats) == measured else ", ".join(formats)
    default = options[0].default
    same = default not in (None, False) and all(option.default == default for option in options)
    return replace(options[0], meaning=f"{whose}: {options[0].meaning}{f'; {default} by default' if same else ''}.")
