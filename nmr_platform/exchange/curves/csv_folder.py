"""Data sets as folders of CSV files: curves, parameters, and attributes with units and recipe."""

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from nmr_platform.datasets import by_name
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.curves.layout import BLOCK, checked, joined
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.tables import MOST_OF_A_RECORD, check_file, decoded, read_content
from nmr_platform.files import staged_folder
from nmr_platform.progress import Advance, no_progress
from nmr_platform.schema import Name, Schema, validate

__all__ = ["FORMAT", "CsvTable", "read_csv", "records_in_csv", "write_csv"]

CsvTable = Literal["long", "curves"]

_ATTRIBUTES, _PARAMETERS, _NAMES = "attributes.json", "parameters.csv", "records.json"
_LONG = "curves.csv"
_COLUMNS = ["time_us", "real", "imaginary", "m_z"]
_ANY_SIZE = 2**63
_LONGEST_LINE = 2**12


class _Description(Schema):
    """What is in ``attributes.json``.

    Attributes:
        attributes: Attributes of the data set.
        variables: Attributes of ``m`` and ``m_z``.
        coordinates: Attributes of every coordinate.
        dtypes: What the columns of ``parameters.csv`` hold.
    """

    attributes: dict[str, Any]
    variables: dict[str, dict[str, Any]]
    coordinates: dict[str, dict[str, Any]]
    dtypes: dict[str, Literal["str", "bool", "int32", "int64", "uint32", "uint64", "float32", "float64"]]


class _Records(Schema):
    """What is in ``records.json`` of several records, each in a folder of its name.

    Attributes:
        records: The names in order.
    """

    records: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]


def write_csv(
    records: xr.Dataset | Mapping[str, xr.Dataset],
    folder: str | Path,
    *,
    table: Annotated[CsvTable, Option("one long table, or a file for each curve")] = "long",
    progress: Advance = no_progress,
) -> None:
    """Write a data set as CSV.

    Every number has the fewest digits that give the same float32 (curves) or float64 (times, parameters) back.

    Args:
        records: Curves in the store's layout, of several records by name.
        folder: Where ``parameters.csv``, ``attributes.json`` and the curves go, of several records each to a folder of
            its name; it must not exist.
        table: ``long``: all curves in ``curves.csv``, with columns curve, time_us, real, imaginary, m_z. ``curves``: a
            file ``curve_0000000.csv`` for each, without the column curve.
        progress: Called with the number of curves of a record written.

    Raises:
        DataError: The folder exists.
    """
    held = by_name(records)
    with staged_folder(Path(folder), replace=False) as target:
        if "" not in held:
            (target / _NAMES).write_text(json.dumps({"records": [*held]}, indent=2), encoding="utf-8")
        for name, dataset in held.items():
            (target / name).mkdir(exist_ok=True)
            _write_record(dataset, target / name, table, progress)


def _write_record(dataset: xr.Dataset, target: Path, table: CsvTable, progress: Advance) -> None:
    (target / _ATTRIBUTES).write_text(json.dumps(_description(dataset), indent=2), encoding="utf-8")
    parameters = [name for name, values in dataset.coords.items() if values.dims == ("curve",)]
    columns = {str(name): dataset[name].to_numpy() for name in ("curve", *parameters)}
    pd.DataFrame(columns).to_csv(target / _PARAMETERS, index=False, na_rep="nan")
    for start in range(0, dataset.sizes["curve"], BLOCK):
        block = dataset.isel(curve=slice(start, start + BLOCK)).load()
        frames = [_frame(block.isel(curve=i)) for i in range(block.sizes["curve"])]
        if table == "long":
            long = pd.concat(frames, keys=block["curve"].to_numpy(), names=["curve", "sample"])
            long = long.reset_index("sample", drop=True).reset_index()
            long.to_csv(target / _LONG, mode="a", header=start == 0, index=False, na_rep="nan")
        else:
            for number, frame in zip(block["curve"].to_numpy(), frames, strict=True):
                frame.to_csv(target / f"curve_{number:07d}.csv", index=False, na_rep="nan")
        progress(len(frames))


def records_in_csv(folder: Path) -> tuple[str, ...]:
    """Names of the records that `write_csv` wrote; the empty text for an only one.

    Raises:
        DataError: The list of names is damaged.
    """
    path = folder / _NAMES
    if not path.exists():
        return ("",)
    try:
        return validate(_Records, json.loads(decoded(read_content(path, most=MOST_OF_A_RECORD), path))).records
    except (ValueError, RecursionError, ConfigurationError) as error:
        message = f"File `{path}` is damaged: {error}"
        raise DataError(message, path=path) from error


def read_csv(folder: str | Path, *, record: str = "") -> xr.Dataset:
    """Read what `write_csv` wrote, either way, to the same bits.

    Args:
        folder: The folder.
        record: Name of one of several records.

    Returns:
        The data set.

    Raises:
        DataError: A file is missing or is not what `write_csv` writes.
    """
    folder = Path(folder) / record
    description = _read_description(folder / _ATTRIBUTES)
    parameters = _read_parameters(folder / _PARAMETERS, description)
    time, real, imaginary, m_z = _read_curves(folder, parameters["curve"])
    units = description.coordinates
    m = joined(real, imaginary)
    with np.errstate(over="ignore"):
        m_z = m_z.astype(np.float32)
    dataset = xr.Dataset(
        {name: (("curve", "time"), values, description.variables[name]) for name, values in (("m", m), ("m_z", m_z))},
        coords={"time": ("time", time, units["time"])}
        | {name: ("curve", values, units[name]) for name, values in parameters.items()},
        attrs=description.attributes,
    )
    return checked(dataset, folder)


def _description(dataset: xr.Dataset) -> dict[str, Any]:
    """Attributes of the data set and of everything in it, and what the columns of parameters.csv hold."""
    along = {str(name): values for name, values in dataset.coords.items() if values.dims == ("curve",)}
    return {
        "attributes": {name: _jsonable(value) for name, value in dataset.attrs.items()},
        "variables": {str(name): values.attrs for name, values in dataset.data_vars.items()},
        "coordinates": {str(name): values.attrs for name, values in dataset.coords.items()},
        "dtypes": {name: str(values.dtype) if values.dtype.kind in "iufb" else "str" for name, values in along.items()},
    }


def _jsonable(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _frame(curve: xr.Dataset) -> pd.DataFrame:
    m = curve["m"].to_numpy()
    values = (curve["time"].to_numpy(), m.real, m.imag, curve["m_z"].to_numpy())
    return pd.DataFrame(dict(zip(_COLUMNS, values, strict=True)))


def _read_description(path: Path) -> _Description:
    content = decoded(read_content(path, most=MOST_OF_A_RECORD), path)
    try:
        description = validate(_Description, json.loads(content))
    except (ValueError, RecursionError, ConfigurationError) as error:
        message = f"File `{path}` is damaged: {error}"
        raise DataError(message, path=path) from error
    named = {"time", "curve", *description.dtypes}
    lost = [name for name in named if name not in description.coordinates] or {
        "m",
        "m_z",
    } - description.variables.keys()
    if lost or "curve" not in description.dtypes:
        message = f"File `{path}` is damaged: it says nothing about `{min(lost, default='curve')}`."
        raise DataError(message, path=path)
    return description


def _read_parameters(path: Path, description: _Description) -> dict[str, NDArray[Any]]:
    """What is known about every curve, each of shape (n_curves,), with the number of the curve."""
    text = decoded(read_content(path, most=MOST_OF_A_RECORD), path)
    try:
        table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
        parameters = {name: table[name].to_numpy(str).astype(dtype) for name, dtype in description.dtypes.items()}
    except (KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        message = f"File `{path}` is not the table of parameters that `{_ATTRIBUTES}` describes: {reason}"
        raise DataError(message, path=path) from error
    if not len(table):
        message = f"File `{path}` has no curves."
        raise DataError(message, path=path)
    return parameters


def _read_curves(folder: Path, numbers: NDArray[Any]) -> list[NDArray[np.float64]]:
    """The times of all curves, shape (T,), and real, imaginary and m_z, each of shape (n_curves, T)."""
    n_curves = len(numbers)
    if (folder / _LONG).exists():
        rows = _read_rows(folder / _LONG, ["curve", *_COLUMNS])
        if len(rows) % n_curves:
            message = (
                f"File `{folder / _LONG}` has {len(rows)} rows, but must have as many of each of {n_curves} curves."
            )
            raise DataError(message, path=folder)
        blocks = rows.reshape(n_curves, -1, rows.shape[1])
        if (blocks[:, :, 0] != numbers[:, None]).any():
            message = f"File `{folder / _LONG}` must have the curves of `{_PARAMETERS}` one after another, but has not."
            raise DataError(message, path=folder)
        blocks = blocks[:, :, 1:]
    elif not any(folder.glob("curve_*.csv")):
        message = f"Folder `{folder}` is not a complete data set in CSV: it has neither `{_LONG}` nor `curve_*.csv`."
        raise DataError(message, path=folder)
    else:
        curves = [_read_rows(folder / f"curve_{number:07d}.csv", _COLUMNS) for number in numbers]
        lengths = {len(curve) for curve in curves}
        if len(lengths) > 1:
            message = (
                f"Folder `{folder}` has curves of {min(lengths)} to {max(lengths)} rows, but they must be as long."
            )
            raise DataError(message, path=folder)
        blocks = np.stack(curves)
    time, *records = np.moveaxis(blocks, 2, 0)
    if (time != time[0]).any():
        curve = numbers[np.flatnonzero((time != time[0]).any(axis=1))[0]]
        message = f"Folder `{folder}`: the times of curve {curve} are not those of the first one."
        raise DataError(message, path=folder)
    return [time[0], *records]


def _read_rows(path: Path, names: list[str]) -> NDArray[np.float64]:
    """The columns of these names, shape (n, len(names))."""
    check_file(path, most=_ANY_SIZE)
    try:
        with path.open(encoding="utf-8-sig") as file:
            named = file.readline(_LONGEST_LINE).rstrip("\n").split(",")
            if sorted(named) != sorted(names):
                message = (
                    f"File `{path}`, line 1 must name the columns {', '.join(names)}, but is `{','.join(named)[:80]}`."
                )
                raise DataError(message, path=path)
            # NumPy reads every digit, which pandas only does in its newer versions.
            rows = np.loadtxt(
                file, delimiter=",", ndmin=2, usecols=[named.index(name) for name in names], comments=None
            )
    except (OSError, ValueError) as error:
        message = f"File `{path}` is not a table of numbers (rows are counted from line 2): {error}"
        raise DataError(message, path=path) from error
    return rows


FORMAT = Format(
    "csv",
    "a folder of tables: parameters, attributes, and curves",
    read_csv,
    write_csv,
    records=records_in_csv,
    sniff=lambda folder: (folder / _ATTRIBUTES).exists() or (folder / _NAMES).exists(),
)
