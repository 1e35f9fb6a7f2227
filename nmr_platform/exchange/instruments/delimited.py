"""Measured echoes as columns of text."""

import re
from pathlib import Path
from typing import Annotated, Literal

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.records.record import INDEX, START, Record, choose
from nmr_platform.exchange.records.sweep import Sweep
from nmr_platform.exchange.tables import (
    MICROSECONDS,
    MOST_OF_A_RECORD,
    NumberTable,
    decoded,
    echo_columns,
    echo_names,
    parse_numbers,
    read_content,
    spacing_of,
)

__all__ = ["FORMAT", "TimeUnit", "read_delimited"]

TimeUnit = Literal["ns", "us", "ms", "s"]
# No receiver takes an echo's points faster: such times are in another unit.
_SHORTEST = 1e-3
_TAU = re.compile(r"tau\d+(\.\d+)?")


def read_delimited(
    path: str | Path,
    *,
    unit: Annotated[TimeUnit | None, Option("unit of its times; by default what their name says, or us")] = None,
    columns: Annotated[
        str | None,
        Option(
            "which are time, real, imaginary: 1,3,2; or time, magnitude: 1,2; by their names if not given", chooses=True
        ),
    ] = None,
    start: Annotated[float | None, START] = None,
    index: Annotated[int | None, INDEX] = None,
) -> Record:
    """Read a measured echo from columns of text.

    Columns are found by their names; without names, there must be three, time, real and imaginary part. Names may be
    those of other programs and languages (``t [ms]``, ``Zeit``, ``Re``, ``M_x``, ``I`` and ``Q``, magnitude and phase
    in deg or rad, or magnitude alone), further columns are skipped, and whatever is not clear is refused. Numbers may
    be separated by commas, semicolons, tabs or blanks, and have decimal points or commas; the encoding is found out.

    Args:
        path: The file; lines that start with ``#``, ``%``, ``!`` or ``//`` are skipped.
        unit: Unit of the times, where their name does not tell it.
        columns: Numbers of the columns of time, real and imaginary part, from 1, for instance ``1,3,2``; or of time and
            magnitude.
        start: Time of the first point after the first pulse in us, where the file counts from another moment.
        index: Which echo of several in columns of their own, from 0.

    Returns:
        The record.

    Raises:
        ConfigurationError: ``columns`` does not fit the file.
        DataError: The file is missing, is no such table, or its times are not evenly spaced; or ``index`` does not fit
            it.

    Example:
        >>> import numpy as np
        >>> np.savetxt("echo.csv", [[k / 4, k, 0] for k in range(16)], header="t/ms imag real")
        >>> record = read_delimited("echo.csv")
        >>> record.dwell, record.signal[2]
        (250.0, np.complex128(2j))
    """
    path = Path(path)
    table = _table(path)
    echoes = echo_columns(table, order=columns, unit=unit)
    if index is None and len(echoes) > 1:
        message = f"File `{path}` holds the echoes {', '.join(echoes)}; say by `--index` which one, from 0."
        raise DataError(message, path=path)
    name, echo = [*echoes.items()][choose(len(echoes), index, path)]
    used = echo.unit or "us"
    dwell = spacing_of(echo.time, table, echo.time_column) * MICROSECONDS[used]
    if echo.unit is None and dwell < _SHORTEST:
        message = (
            f"File `{path}` has times that step by {dwell:.3g} and no unit: say by `--unit` whether they are in ns, "
            "us, ms or s."
        )
        raise DataError(message, path=path)
    begin = float(echo.time[0]) * MICROSECONDS[used] if start is None else start
    details = {"time_unit": used, **({"trace": name} if name else {})}
    return Record(echo.signal, begin, dwell, path, "csv", details, has_phase=echo.has_phase)


def _table(path: Path) -> NumberTable:
    return parse_numbers(decoded(read_content(path, most=MOST_OF_A_RECORD), path), path, fewest=2, titled=True)


def _sweep(path: Path) -> Sweep:
    """The echoes that stand side by side in a file: at values of tau if all of their names say so."""
    names = echo_names(_table(path))
    values = [float(name.removeprefix("tau")) for name in names if _TAU.fullmatch(name)]
    return Sweep(len(names), "tau", tuple(values)) if len(values) == len(names) else Sweep(len(names), labels=names)


FORMAT = Format(
    "record",
    "measured echoes as text, with columns of time, real and imaginary part, or magnitude",
    read_delimited,
    sweep=_sweep,
    measured=True,
    simulated=True,
    suffixes=(".csv", ".txt", ".dat", ".tsv"),
)
