"""What is known about every curve, as a table for learning."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

__all__ = ["labels_of"]


def labels_of(dataset: xr.Dataset) -> pd.DataFrame:
    """One row a curve: its kernel, number, disorder and parameters.

    Args:
        dataset: What `load` returns.

    Returns:
        Columns ``kernel``, ``curve``, ``disorder`` and every parameter of the data set in its own unit.
    """
    names = [name for name, values in dataset.coords.items() if values.dims == ("curve",) and name != "curve"]
    table = pd.DataFrame({str(name): _plain(dataset[name].to_numpy()) for name in names})
    table.insert(0, "curve", dataset["curve"].to_numpy())
    return table


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Text of fixed length, which pandas and Parquet know; the store's is of variable length."""
    return np.array(values.tolist()) if values.dtype.kind == "T" else values
