"""Pointwise features: the samples of the window themselves, named by their distance from the echo."""

import numpy as np
import pandas as pd

__all__ = ["sample_intervals", "sample_names"]


def sample_names(half_width: int, component: str) -> list[str]:
    """Names of a window's samples, for instance ``abs_-150`` to ``abs_149``; ``abs_0`` is the echo.

    Args:
        half_width: Samples on each side of the echo.
        component: ``abs``, ``re`` or ``im``.
    """
    return [f"{component}_{offset}" for offset in range(-half_width, half_width)]


def sample_intervals(half_width: int, component: str, *, echo_index: int, step: float) -> pd.DataFrame:
    """Where each sample of the window lies in time; a sample stands for the step around it.

    Args:
        half_width: Samples on each side of the echo.
        component: ``abs``, ``re`` or ``im``.
        echo_index: Index of the echo in the record; sample k is at ``k * step``.
        step: Time between two samples in us.

    Returns:
        One row a sample: ``name``, ``component``, ``start`` and ``stop`` (us), ``axis`` (``time``), ``power`` (none).
    """
    samples = echo_index + np.arange(-half_width, half_width)
    return pd.DataFrame(
        {
            "name": sample_names(half_width, component),
            "component": component,
            "start": (samples - 0.5) * step,
            "stop": (samples + 0.5) * step,
            "axis": "time",
            "power": pd.array([pd.NA] * len(samples), dtype="Int64"),
        }
    )
