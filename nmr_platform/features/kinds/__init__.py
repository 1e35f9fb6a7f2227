"""The kinds of features, one file each."""

from nmr_platform.features.kinds.convolutions import ConvolutionFeatures
from nmr_platform.features.kinds.decay import DecayFeatures
from nmr_platform.features.kinds.frequency import FrequencyFeatures
from nmr_platform.features.kinds.pointwise import PointwiseFeatures
from nmr_platform.features.kinds.polynomial import PolynomialFeatures, PolynomialFrequencyFeatures
from nmr_platform.features.kinds.quantiles import QuantileFeatures
from nmr_platform.features.kinds.shape import ShapeFeatures
from nmr_platform.features.kinds.shift import ShiftFeatures

__all__ = [
    "ConvolutionFeatures",
    "DecayFeatures",
    "FrequencyFeatures",
    "PointwiseFeatures",
    "PolynomialFeatures",
    "PolynomialFrequencyFeatures",
    "QuantileFeatures",
    "ShapeFeatures",
    "ShiftFeatures",
]
