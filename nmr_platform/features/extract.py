"""From settings to a transformer, a feature table, and the place of every feature in time or frequency."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.frequency import SpectrumTransformer, spectrum_intervals, spectrum_length
from nmr_platform.features.pointwise import sample_intervals
from nmr_platform.features.polynomial import PolynomialBins, polynomial_intervals
from nmr_platform.features.settings import FeatureSet
from nmr_platform.features.window import EchoWindow, check_window

__all__ = ["extract", "feature_intervals", "make_transformer"]


def make_transformer(feature_set: FeatureSet, echo_index: int) -> Pipeline:
    """Build the pipeline from raw records M(t) to the feature set's columns.

    It learns nothing, so it may transform unfitted, and it is the first part of a model that predicts from records.

    Args:
        feature_set: What to extract.
        echo_index: Index of the echo in the record.

    Returns:
        Pipeline from shape (n_curves, n_samples), real or complex, to (n_curves, n_features), float32.
    """
    window = EchoWindow(echo_index, feature_set.half_width, feature_set.rescale, feature_set.signal)
    steps: list[tuple[str, StatelessTransformer]] = [("window", window)]
    length = feature_set.window_length
    if _in_frequency(feature_set):
        steps.append(("spectrum", SpectrumTransformer(length, feature_set.components)))
        length = spectrum_length(length)
    if _in_bins(feature_set):
        steps.append(("polynomial", PolynomialBins(length, _prefixes(feature_set))))
    return Pipeline(steps)


def extract(m: NDArray[np.inexact], feature_set: FeatureSet, *, echo_index: int, step: float) -> pd.DataFrame:
    """Extract one feature set from raw records.

    Args:
        m: The records M(t), shape (n_curves, n_samples), real or complex.
        feature_set: What to extract.
        echo_index: Index of the echo in the record.
        step: Time between two samples in us; kept beside the table, as the features themselves count samples.

    Returns:
        One row a curve, float32 columns named by the feature set; ``attrs`` hold ``feature_set``, ``echo_index``
        and ``step``, which Parquet files keep.

    Raises:
        ConfigurationError: The window reaches outside the record.
        DataError: A value inside the window is not finite.
    """
    transformer = make_transformer(feature_set, echo_index)
    table = pd.DataFrame(transformer.transform(m), columns=transformer.get_feature_names_out())
    table.attrs = {"feature_set": feature_set.name, "echo_index": echo_index, "step": step}
    return table


def feature_intervals(feature_set: FeatureSet, *, echo_index: int, step: float, n_samples: int) -> pd.DataFrame:
    """Say where every feature lies, so that its importance can be drawn over the echo.

    Args:
        feature_set: What is extracted.
        echo_index: Index of the echo in the record.
        step: Time between two samples in us.
        n_samples: Length of the record.

    Returns:
        One row a column of the feature table, in its order: ``name``; ``component`` (``abs``, ``re`` or ``im``);
        ``start`` and ``stop``, in us from the first sample where ``axis`` is ``time`` and in MHz where it is
        ``frequency``; ``power`` of the polynomial's coefficient, missing for other features.

    Raises:
        ConfigurationError: The window reaches outside the record.
    """
    check_window(echo_index, feature_set.half_width, n_samples)
    parts = []
    for component, prefix in zip(feature_set.components, _prefixes(feature_set), strict=True):
        if _in_frequency(feature_set):
            part = spectrum_intervals(feature_set.window_length, component, step=step)
        else:
            part = sample_intervals(feature_set.half_width, component, echo_index=echo_index, step=step)
        parts.append(polynomial_intervals(part, prefix) if _in_bins(feature_set) else part)
    return pd.concat(parts, ignore_index=True)


def _in_frequency(feature_set: FeatureSet) -> bool:
    return feature_set.kind in ("frequency", "polynomial_frequency")


def _in_bins(feature_set: FeatureSet) -> bool:
    return feature_set.kind in ("polynomial", "polynomial_frequency")


def _prefixes(feature_set: FeatureSet) -> tuple[str, ...]:
    """Prefixes of polynomial names, one a component: none for |M| in time, which keeps the reference's names."""
    domain = "f_" if _in_frequency(feature_set) else ""
    return tuple(domain if part == "abs" else f"{part}_{domain}" for part in feature_set.components)
