"""Data sets as folders of CSV files: curves, parameters, and attributes with units and recipe."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.layout import BLOCK
from nmr_platform.files import staged_folder
from nmr_platform.progress import Advance, no_progress

__all__ = ["FORMAT", "CsvTable", "read_csv", "write_csv"]

CsvTable = Literal["long", "curves"]

_ATTRIBUTES, _PARAMETERS = "attributes.json", "parameters.csv"
_LONG, _CURVES = "curves.csv", "curve_*.csv"
_COLUMNS = ["time_us", "real", "imaginary", "m_z"]


def write_csv(
    dataset: xr.Dataset,
    folder: str | Path,
    *,
    table: Annotated[CsvTable, Option("one long table, or a file for each curve")] = "long",
    progress: Advance = no_progress,
) -> None:
    """Write a data set as CSV.

    Every number has the fewest digits that give the same float32 (curves) or float64 (times, parameters) back.

    Args:
        dataset: Curves in the store's layout.
        folder: Where ``parameters.csv``, ``attributes.json`` and the curves go; it must not exist.
        table: ``long``: all curves in ``curves.csv``, with columns curve, time_us, real, imaginary, m_z. ``curves``: a
            file ``curve_0000000.csv`` for each, without the column curve.
        progress: Called with the number of curves written.

    Raises:
        DataError: The folder exists.
    """
    with staged_folder(Path(folder), replace=False) as target:
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


def read_csv(folder: str | Path) -> xr.Dataset:
    """Read what `write_csv` wrote, either way, to the same bits.

    Args:
        folder: The folder.

    Returns:
        The data set.

    Raises:
        DataError: A file is missing or is not what `write_csv` writes.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / _ATTRIBUTES).read_text(encoding="utf-8"))
        table = pd.read_csv(folder / _PARAMETERS, dtype=str, keep_default_na=False)
        parameters = {name: table[name].to_numpy(str).astype(dtype) for name, dtype in description["dtypes"].items()}
        time, real, imaginary, m_z = _read_curves(folder, len(table))
    except (OSError, KeyError, ValueError) as error:
        message = f"Folder `{folder}` is not a complete data set in CSV: {' '.join(str(error).split())}"
        raise DataError(message, path=folder) from error
    units = description["coordinates"]
    m = np.empty(real.shape, np.complex64)
    m.real, m.imag = real, imaginary
    return xr.Dataset(
        {
            name: (("curve", "time"), values, description["variables"][name])
            for name, values in (("m", m), ("m_z", m_z.astype(np.float32)))
        },
        coords={"time": ("time", time[0], units["time"])}
        | {name: ("curve", values, units[name]) for name, values in parameters.items()},
        attrs=description["attributes"],
    )


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


def _read_curves(folder: Path, n_curves: int) -> list[NDArray[np.float64]]:
    """The columns time, real, imaginary and m_z, each of shape (n_curves, T)."""
    files = [folder / _LONG] if (folder / _LONG).exists() else sorted(folder.glob(_CURVES))
    # NumPy reads every digit, which pandas only does in its newer versions.
    rows = np.concatenate([np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2) for file in files])
    return [column.reshape(n_curves, -1) for column in rows.T[-len(_COLUMNS) :]]


FORMAT = Format(
    "csv",
    "a folder of tables: parameters, attributes, and curves",
    read_csv,
    write_csv,
    sniff=lambda folder: (folder / _ATTRIBUTES).exists(),
)
