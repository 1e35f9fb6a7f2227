"""From settings to a transformer, a feature table, and the place of every feature in time or frequency."""

from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.pipeline import FeatureUnion, Pipeline

from nmr_platform.errors import ConfigurationError
from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.frequency import SpectrumTransformer, spectrum_intervals, spectrum_length
from nmr_platform.features.pointwise import sample_intervals
from nmr_platform.features.polynomial import PolynomialBins, polynomial_intervals
from nmr_platform.features.quantiles import DyadicQuantiles, quantile_intervals
from nmr_platform.features.settings import AnyFeatureSet, FeatureSet
from nmr_platform.features.shape import EchoShape
from nmr_platform.features.signals import SignalReader, disorder_floor
from nmr_platform.features.window import RecordWindow, WindowSpan, check_window

__all__ = ["extract", "feature_intervals", "make_transformer", "window_span"]

T = TypeVar("T", int, float)


def make_transformer(
    feature_set: AnyFeatureSet,
    echo_index: int,
    *,
    n_samples: int | None = None,
    step: float | None = None,
    n_sites: int | None = None,
) -> TransformerMixin:
    """Build the transformer from raw records M(t) to the feature set's columns.

    It learns nothing, so it may transform unfitted, and it is the first part of a model that predicts from records.

    Args:
        feature_set: What to extract.
        echo_index: Index of the echo in the record.
        n_samples: Length of the record; needed by the window ``record``.
        step: Time between two samples in us; needed by shape features and the signal ``instantaneous_frequency``.
        n_sites: Number of spins, whose disorder limits how small |M| can be; needed by shape features and by
            the signals ``log_magnitude``, ``phase`` and ``instantaneous_frequency``.

    Returns:
        Transformer from shape (n_curves, n_samples), real or complex, to (n_curves, n_features), float32: a pipeline,
        or a union of pipelines for a combined set.

    Raises:
        ConfigurationError: Something that the set needs is not given, or its window reaches outside the record.
    """
    pipelines = [
        (part.name, _pipeline(part, window_span(part, echo_index, n_samples), step, n_sites))
        for part in feature_set.parts
    ]
    return pipelines[0][1] if isinstance(feature_set, FeatureSet) else _Combination(pipelines)


def extract(
    m: NDArray[np.inexact],
    feature_set: AnyFeatureSet,
    *,
    echo_index: int,
    step: float,
    n_sites: int | None = None,
) -> pd.DataFrame:
    """Extract one feature set from raw records.

    Args:
        m: The records M(t), shape (n_curves, n_samples), real or complex.
        feature_set: What to extract.
        echo_index: Index of the echo in the record.
        step: Time between two samples in us.
        n_sites: Number of spins; `make_transformer` says which sets need it.

    Returns:
        One row a curve, float32 columns named by the feature set; ``attrs`` hold ``feature_set``, ``echo_index``
        and ``step``, which Parquet files keep.

    Raises:
        ConfigurationError: The window reaches outside the record, or the number of spins is needed.
        DataError: A value inside the window is not finite.
    """
    n_samples = m.shape[-1]
    transformer = make_transformer(feature_set, echo_index, n_samples=n_samples, step=step, n_sites=n_sites)
    table = pd.DataFrame(transformer.transform(m), columns=transformer.get_feature_names_out())
    table.attrs = {"feature_set": feature_set.name, "echo_index": echo_index, "step": step}
    return table


def feature_intervals(feature_set: AnyFeatureSet, *, echo_index: int, step: float, n_samples: int) -> pd.DataFrame:
    """Say where every feature lies, so that its importance can be drawn over the echo.

    Args:
        feature_set: What is extracted.
        echo_index: Index of the echo in the record.
        step: Time between two samples in us.
        n_samples: Length of the record.

    Returns:
        One row a column of the feature table, in its order: ``name``; ``component``, what M(t) was read as (``abs``,
        ``re``, ``im``, ``inphase``, ``quadrature``, ``log``, ``cos``, ``sin``, ``freq`` or, for shapes, ``phase``);
        ``start`` and ``stop``, in us from the first sample where ``axis`` is ``time`` and in MHz where it is
        ``frequency``; ``power`` of the polynomial's coefficient, missing for other features.

    Raises:
        ConfigurationError: The window reaches outside the record.
    """
    tables = []
    for part in feature_set.parts:
        table = _intervals(part, window_span(part, echo_index, n_samples), step)
        if part is not feature_set:
            table["name"] = f"{part.name}." + table["name"]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def window_span(feature_set: FeatureSet, echo_index: int, n_samples: int | None = None) -> WindowSpan:
    """The part of the record that a feature set looks at.

    Args:
        feature_set: What is extracted.
        echo_index: Index of the echo in the record.
        n_samples: Length of the record, if it is known already; needed by the window ``record``.

    Raises:
        ConfigurationError: The window reaches outside the record, holds too few samples, or asks for its length.
    """
    width = feature_set.decimate
    reach = feature_set.half_width // width
    around = WindowSpan(echo_index, reach, reach, width)
    if n_samples is None:
        if feature_set.window == "record":
            message = f"Argument `n_samples` must be given for `{feature_set.name}`, which looks at the whole record."
            raise ConfigurationError(message, key="n_samples")
        return around
    if feature_set.window == "echo" or feature_set.kind == "shape":
        check_window(around, n_samples)
    if feature_set.window == "echo":
        return around
    span = WindowSpan(echo_index, echo_index // width, (n_samples - echo_index) // width, width)
    check_window(span, n_samples)
    if span.n_bins < feature_set.fewest_samples:
        message = (
            f"Argument `decimate` must leave {feature_set.fewest_samples} samples or more for {feature_set.kind} "
            f"features, but {width} leaves {span.n_bins} of {n_samples}."
        )
        raise ConfigurationError(message, key="decimate", value=width)
    return span


class _Combination(FeatureUnion):
    """Pipelines side by side; they learn nothing, so that an unfitted union may transform."""

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<set>.<column>``."""
        names = [f"{part}.{name}" for part, pipe in self.transformer_list for name in pipe.get_feature_names_out()]
        return np.array(names, dtype=object)


def _pipeline(feature_set: FeatureSet, span: WindowSpan, step: float | None, n_sites: int | None) -> Pipeline:
    floor = disorder_floor(_given(n_sites, "n_sites", feature_set)) if feature_set.needs_floor else 0.0
    timed = feature_set.kind == "shape" or feature_set.signal == "instantaneous_frequency"
    known_step = _given(step, "step", feature_set) if timed else 1.0
    components, length = feature_set.components, span.n_bins
    steps: list[tuple[str, StatelessTransformer]] = [
        ("window", RecordWindow(span)),
        ("signal", SignalReader(components, span, feature_set.rescale, floor, known_step)),
    ]
    if _in_frequency(feature_set):
        steps.append(("spectrum", SpectrumTransformer(length, components)))
        length = spectrum_length(length)
    if _in_bins(feature_set):
        steps.append(("polynomial", PolynomialBins(length, _prefixes(feature_set))))
    if feature_set.kind == "quantiles":
        steps.append(("quantiles", DyadicQuantiles(length, components)))
    if feature_set.kind == "shape":
        steps.append(("shape", _shape(feature_set, span, known_step, floor)))
    return Pipeline(steps)


def _intervals(feature_set: FeatureSet, span: WindowSpan, step: float) -> pd.DataFrame:
    """Names and places of one set's columns."""
    if feature_set.kind == "shape":
        return _shape(feature_set, span, step).intervals()
    parts = []
    for component, prefix in zip(feature_set.components, _prefixes(feature_set), strict=True):
        if _in_frequency(feature_set):
            part = spectrum_intervals(span.n_bins, component, step=span.width * step)
        else:
            part = sample_intervals(span, component, step=step)
        if _in_bins(feature_set):
            part = polynomial_intervals(part, prefix)
        elif feature_set.kind == "quantiles":
            part = quantile_intervals(part)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _shape(feature_set: FeatureSet, span: WindowSpan, step: float, floor: float = 0.0) -> EchoShape:
    record = feature_set.window == "record"
    return EchoShape(span, feature_set.half_width, feature_set.signal, record, step, floor)


def _given(value: T | None, name: str, feature_set: FeatureSet) -> T:
    if value is None:
        message = f"Argument `{name}` must be given for `{feature_set.name}`."
        raise ConfigurationError(message, key=name)
    return value


def _in_frequency(feature_set: FeatureSet) -> bool:
    return feature_set.kind in ("frequency", "polynomial_frequency")


def _in_bins(feature_set: FeatureSet) -> bool:
    return feature_set.kind in ("polynomial", "polynomial_frequency")


def _prefixes(feature_set: FeatureSet) -> tuple[str, ...]:
    """Prefixes of polynomial names, one a component: none for |M| in time, which keeps the reference's names."""
    domain = "f_" if _in_frequency(feature_set) else ""
    return tuple(domain if part == "abs" else f"{part}_{domain}" for part in feature_set.components)
