"""The store's layout, which every format is read to, and the store itself as a format."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets import attributes_of, load, load_records
from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format

__all__ = ["BLOCK", "FORMAT", "checked", "curve_dataset", "experiment_values", "joined"]

BLOCK = 256
"""Curves that an export holds in memory at a time."""


def curve_dataset(
    m: NDArray[Any],
    m_z: NDArray[Any] | None,
    time: NDArray[np.float64],
    *,
    coordinates: Mapping[str, NDArray[Any]],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Lay out curves as the store does.

    Args:
        m: M(t), complex, dimensionless, shape (n_curves, T).
        m_z: <Iz>, dimensionless, shape (n_curves, T); NaN in the data set where it is not known.
        time: Time after the first pulse, us, shape (T,).
        coordinates: What is known about every curve, each of shape (n_curves,).
        attributes: Attributes of the data set; ``digest``, the hash of the numbers, is added.

    Returns:
        A data set like `nmr_platform.datasets.load` gives.
    """
    m = np.asarray(m, np.complex64)
    m_z = np.full(m.shape, np.nan, np.float32) if m_z is None else np.asarray(m_z, np.float32)
    named = {name: ("curve", values, attributes_of(name, {})) for name, values in coordinates.items()}
    digest = hashlib.sha256(m.tobytes() + time.tobytes()).hexdigest()[:16]
    return xr.Dataset(
        {
            "m": (("curve", "time"), m, {"long_name": "<Ix> + i <Iy>"}),
            "m_z": (("curve", "time"), m_z, {"long_name": "<Iz>; NaN where it is not known"}),
        },
        coords={"curve": np.arange(len(m)), "time": ("time", time, {"units": "us"}), **named},
        attrs={**attributes, "digest": digest},
    )


def joined(real: NDArray[Any], imaginary: NDArray[Any]) -> NDArray[np.complex64]:
    """M of its parts, dimensionless, each of shape (n_curves, T); what is too large becomes infinite."""
    m = np.empty(real.shape, np.complex64)
    with np.errstate(over="ignore"):
        m.real, m.imag = real, imaginary
    return m


def checked(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Refuse what has not the layout of the store, however a file came to hold it.

    Args:
        dataset: What was read.
        path: The file or folder.

    Raises:
        DataError: Records, times or attributes are not what they must be.
    """
    for name in ("m", "m_z"):
        if dataset[name].dims != ("curve", "time"):
            message = (
                f"`{path}` has {name} along {', '.join(map(str, dataset[name].dims))}, but a data set has it along "
                "curve and time (in HDF5, dimension scales of these names)."
            )
            raise DataError(message, path=path)
    along = {"curve": "i", "time": "f"}
    lost = [name for name, kind in along.items() if name not in dataset.coords or dataset[name].dtype.kind != kind]
    if lost or not dataset["m"].size:
        message = f"`{path}` has no values of {lost[0] if lost else 'm'}, but a data set has."
        raise DataError(message, path=path)
    if not (np.isfinite(dataset["m"]).all() and np.isfinite(dataset["time"]).all()) or np.isinf(dataset["m_z"]).any():
        message = f"`{path}` has a number that is not finite, or too large, among its records or times."
        raise DataError(message, path=path)
    for name in ("recipe", "experiment"):
        _check_json(dataset.attrs.get(name, "{}"), name, path)
    return dataset


def _check_json(text: Any, name: str, path: Path) -> None:
    try:
        is_mapping = isinstance(json.loads(text), dict)
    except (ValueError, TypeError, RecursionError):
        is_mapping = False
    if not is_mapping:
        message = f"`{path}` has an attribute `{name}` that is not JSON with keys of its own."
        raise DataError(message, path=path)


def experiment_values(dataset: xr.Dataset) -> dict[str, Any]:
    """The experiment behind a data set as plain data; keys that were drawn for every curve may be missing.

    Raises:
        DataError: The data set does not say how it was made.
    """
    if "experiment" in dataset.attrs:
        values: dict[str, Any] = json.loads(dataset.attrs["experiment"])
    elif "recipe" in dataset.attrs:
        values = json.loads(dataset.attrs["recipe"])["experiment"]
    else:
        name = dataset.attrs.get("name", "(unnamed)")
        message = f"Data set `{name}` has neither a `recipe` nor an `experiment` attribute, but its lattice is needed."
        raise DataError(message)
    return values


FORMAT = Format(
    "zarr",
    "a data set of this package, a Zarr folder",
    load,
    records=lambda folder: tuple(load_records(folder)),
    sniff=lambda folder: any((folder / name).exists() for name in ("zarr.json", ".zmetadata")),
)
