"""Features of a spin echo: scikit-learn transformers from the complex record M(t) to named float32 columns."""

from nmr_platform.features.extract import extract, feature_intervals, make_transformer
from nmr_platform.features.frequency import SpectrumTransformer
from nmr_platform.features.polynomial import PolynomialBins
from nmr_platform.features.settings import FeatureSet, FeaturesSettings
from nmr_platform.features.window import EchoWindow

__all__ = [
    "EchoWindow",
    "FeatureSet",
    "FeaturesSettings",
    "PolynomialBins",
    "SpectrumTransformer",
    "extract",
    "feature_intervals",
    "make_transformer",
]
