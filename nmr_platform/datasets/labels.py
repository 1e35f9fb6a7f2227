"""What is known about every curve, as a table for learning."""

import pandas as pd
import xarray as xr

__all__ = ["labels_of"]


def labels_of(dataset: xr.Dataset) -> pd.DataFrame:
    """One row a curve: its kernel, number, disorder and parameters.

    Args:
        dataset: What `load` returns.

    Returns:
        Columns ``kernel``, ``curve``, ``disorder`` and every parameter of the data set in its own unit.
    """
    names = [name for name, values in dataset.coords.items() if values.dims == ("curve",) and name != "curve"]
    table = pd.DataFrame({str(name): dataset[name].to_numpy() for name in names})
    table.insert(0, "curve", dataset["curve"].to_numpy())
    return table
