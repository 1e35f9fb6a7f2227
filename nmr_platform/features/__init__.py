"""Features of a spin echo: scikit-learn transformers from the complex record M(t) to named float32 columns."""

from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.extraction import extract, feature_intervals, make_transformer, window_span
from nmr_platform.features.frequency import SpectrumTransformer
from nmr_platform.features.polynomial import PolynomialBins
from nmr_platform.features.quantiles import DyadicQuantiles
from nmr_platform.features.settings import AnyFeatureSet, CombinedSet, FeatureSet, FeaturesSettings
from nmr_platform.features.shape import EchoShape
from nmr_platform.features.signals import SignalReader, disorder_floor
from nmr_platform.features.window import RecordWindow, WindowSpan

__all__ = [
    "Acquisition",
    "AnyFeatureSet",
    "CombinedSet",
    "DyadicQuantiles",
    "EchoShape",
    "FeatureSet",
    "FeaturesSettings",
    "PolynomialBins",
    "RecordWindow",
    "SignalReader",
    "SpectrumTransformer",
    "WindowSpan",
    "disorder_floor",
    "extract",
    "feature_intervals",
    "make_transformer",
    "window_span",
]
