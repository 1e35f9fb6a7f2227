"""Curves simulated on the spot, with their labels: for questions that no stored data set answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, coordinates_of, simulate_curves

__all__ = ["new_curves"]


def new_curves(recipes: Sequence[Recipe]) -> tuple[NDArray[np.complex64], pd.DataFrame]:
    """Simulate all curves of some recipes whose records have the same length.

    Args:
        recipes: One for each kernel.

    Returns:
        Records, shape (n, T), and labels as `labels_of` gives them, n rows.
    """
    records, rows = [], []
    for recipe in recipes:
        curves = [recipe.curve(number) for number in range(recipe.n_curves)]
        for curve, echo in zip(curves, simulate_curves(curves, recipe), strict=True):
            records.append(echo.m.astype(np.complex64))
            rows.append({"curve": curve.number, **coordinates_of(recipe, curve)})
    return np.array(records), pd.DataFrame(rows)
