"""Features of a spin echo: scikit-learn transformers from the complex record M(t) to named float32 columns."""

from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.kinds import (
    ConvolutionFeatures,
    DecayFeatures,
    FrequencyFeatures,
    PointwiseFeatures,
    PolynomialFeatures,
    PolynomialFrequencyFeatures,
    QuantileFeatures,
    ShapeFeatures,
    ShiftFeatures,
)
from nmr_platform.features.needs import Needs
from nmr_platform.features.records import RecordFeatures, by_record, naming_record
from nmr_platform.features.sets import CombinedFeatures, FeatureSet, FeaturesSettings, SingleFeatureSet, extract
from nmr_platform.features.windowed import WindowedFeatures

__all__ = [
    "Acquisition",
    "CombinedFeatures",
    "ConvolutionFeatures",
    "DecayFeatures",
    "FeatureSet",
    "FeaturesSettings",
    "FrequencyFeatures",
    "Needs",
    "PointwiseFeatures",
    "PolynomialFeatures",
    "PolynomialFrequencyFeatures",
    "QuantileFeatures",
    "RecordFeatures",
    "ShapeFeatures",
    "ShiftFeatures",
    "SingleFeatureSet",
    "WindowedFeatures",
    "by_record",
    "extract",
    "naming_record",
]
