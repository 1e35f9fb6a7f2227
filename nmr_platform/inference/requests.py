"""Requests to a served model: rows of a table, with the records of one measurement in each."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recorded, Reference
from nmr_platform.errors import DataError
from nmr_platform.features import naming_record
from nmr_platform.inference.conditions import Conditions

__all__ = ["Request", "example_request", "optional_columns", "read_request"]


class Request(NamedTuple):
    """The records of one measurement by name, the empty text for the only one of a single sequence.

    Attributes:
        m: M(t) where 1/2 is full polarisation, each of shape (1, n_samples).
        time: Time of every sample after the end of the first pulse, us, each of shape (n_samples,).
        sequence: The sequences as text, where they are said.
        recorded: What the records give.
    """

    m: dict[str, NDArray[np.complex128]]
    time: dict[str, NDArray[np.float64]]
    sequence: dict[str, str]
    recorded: dict[str, Recorded]


def read_request(row: Mapping[Any, Any], records: Iterable[str]) -> Request:
    """Read one row of a request.

    Args:
        row: Cells by the name of the column: ``time``, ``real`` and ``imag``, lists of numbers, and perhaps
            ``sequence`` and ``guessed``; of a named record ``time.<record>`` and so on. Others are not read.
        records: Names of the records to read.

    Raises:
        DataError: A cell is missing, or not what it must be.
    """
    request = Request({}, {}, {}, {})
    for record in records:
        with naming_record(record):
            time, m = _curve(row, record)
            guessed = _guessed(row.get(_column("guessed", record)))
        request.m[record], request.time[record], request.recorded[record] = m[None], time, Recorded(guessed=guessed)
        sequence = row.get(_column("sequence", record))
        if isinstance(sequence, str) and sequence:
            request.sequence[record] = sequence
    return request


def example_request(m: Mapping[str, NDArray[np.complexfloating]], conditions: Mapping[str, Conditions]) -> pd.DataFrame:
    """A request for one curve that was recorded as the training curves were.

    Args:
        m: Its records by name, each of shape (n_samples,).
        conditions: How each was recorded.
    """
    cells: dict[str, list[Any]] = {}
    for record, own in conditions.items():
        values = {
            "time": own.time.tolist(),
            "real": m[record].real.astype(np.float64).tolist(),
            "imag": m[record].imag.astype(np.float64).tolist(),
            "sequence": own.sequence,
            "guessed": "",
        }
        cells |= {_column(name, record): [value] for name, value in values.items()}
    return pd.DataFrame(cells)


def optional_columns(records: Iterable[str]) -> tuple[str, ...]:
    """The columns of a request that may be left out."""
    return tuple(_column(name, record) for record in records for name in ("sequence", "guessed"))


def _column(name: str, record: str) -> str:
    return f"{name}.{record}" if record else name


def _curve(row: Mapping[Any, Any], record: str) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Times and M of one record."""
    try:
        time, real, imag = (np.asarray(row[_column(name, record)], np.float64) for name in ("time", "real", "imag"))
    except (KeyError, TypeError, ValueError) as error:
        message = f"A curve must have lists of numbers `time` (us), `real` and `imag`, but: {error}."
        raise DataError(message) from error
    if not time.shape == real.shape == imag.shape or time.ndim != 1:
        message = (
            f"Lists `time`, `real` and `imag` must be equally long, but have shapes {time.shape}, {real.shape} and "
            f"{imag.shape}."
        )
        raise DataError(message)
    return time, real + 1j * imag


def _guessed(cell: object) -> tuple[Reference, ...]:
    """What a request says is not known of its record; nothing where it says nothing."""
    names = [name.strip() for name in cell.split(",") if name.strip()] if isinstance(cell, str) else []
    known = get_args(Reference)
    for name in names:
        if name not in known:
            message = f"Text `guessed` must name {', '.join(known)}, but names {name!r}."
            raise DataError(message)
    return tuple(name for name in known if name in names)
