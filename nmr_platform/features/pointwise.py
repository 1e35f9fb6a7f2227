"""Pointwise features: the samples of the window themselves, named by their distance from the echo."""

import pandas as pd

from nmr_platform.features.window import WindowSpan

__all__ = ["sample_intervals"]


def sample_intervals(span: WindowSpan, component: str, *, step: float) -> pd.DataFrame:
    """Where each sample of the window lies in time; a sample stands for the step around it, a bin for its samples.

    Args:
        span: The window.
        component: What M(t) is read as, for instance ``abs``, ``re`` or ``im``.
        step: Time between two samples of the record in us; sample k is at ``k * step``.

    Returns:
        One row a column: ``name`` (``abs_-150`` is 150 samples before the echo), ``component``, ``start`` and ``stop``
        (us), ``axis`` (``time``), ``power`` (none).
    """
    first = span.echo_index + span.offsets
    return pd.DataFrame(
        {
            "name": [f"{component}_{offset}" for offset in span.offsets.tolist()],
            "component": component,
            "start": (first - 0.5) * step,
            "stop": (first + span.width - 0.5) * step,
            "axis": "time",
            "power": pd.array([pd.NA] * len(first), dtype="Int64"),
        }
    )
