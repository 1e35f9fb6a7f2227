"""Names, defaults and refusals of the feature settings."""

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import FeaturesSettings, PointwiseFeatures
from nmr_platform.schema import validate


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"kind": "pointwise", "signal": "magnitude"}, "pointwise-magnitude"),
        ({"kind": "polynomial", "signal": "complex", "rescale": True}, "polynomial-complex-rescaled"),
        ({"kind": "frequency", "signal": "magnitude", "half_width": 100}, "frequency-magnitude-h100"),
        (
            {"kind": "polynomial_frequency", "signal": "complex", "rescale": True, "half_width": 60},
            "polynomial_frequency-complex-rescaled-h60",
        ),
        (
            {"kind": "quantiles", "signal": "log_magnitude", "window": "record", "decimate": 12},
            "quantiles-log_magnitude-record-d12",
        ),
    ],
)
def test_name_says_what_differs_from_the_default(values, name):
    assert [item.name for item in validate(FeaturesSettings, {"sets": [values]}).sets] == [name]


def test_settings_take_the_lists_of_a_yaml_file():
    settings = validate(FeaturesSettings, {"sets": [{"kind": "pointwise", "signal": "magnitude"}]})
    assert settings.sets == (PointwiseFeatures(signal="magnitude"),)


def test_a_combined_set_stands_beside_plain_ones():
    parts = [{"kind": "shape", "signal": "magnitude"}, {"kind": "pointwise", "signal": "phase"}]
    combined = {"kind": "combined", "name": "shape+phase", "of": parts}
    settings = validate(FeaturesSettings, {"sets": [*parts, combined]})
    assert [item.name for item in settings.sets] == ["shape-magnitude", "pointwise-phase", "shape+phase"]
    assert settings.sets[2].parts == settings.sets[0].parts + settings.sets[1].parts


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"sets": []}, "Key `sets` is "),
        (
            {"sets": [{"kind": "pointwise", "signal": "complex"}] * 2},
            "must not name a feature set twice, but holds `pointwise-complex` more than once",
        ),
        ({"sets": [{"kind": "wavelet", "signal": "complex"}]}, "Key `sets.0.kind` is 'wavelet'"),
        ({"sets": [{"kind": "pointwise"}]}, "Key `sets.0.signal` is missing"),
        ({"sets": [{"kind": "pointwise", "signal": "complex", "half_width": 0}]}, "Key `sets.0.half_width` is 0"),
        (
            {"sets": [{"kind": "polynomial", "signal": "complex", "half_width": 19}]},
            "`half_width` must be at least 20 for polynomial features, but is 19",
        ),
        (
            {"sets": [{"kind": "shape", "signal": "complex", "half_width": 19, "decimate": 5}]},
            "`half_width` must be at least 20 for shape features, but is 19",
        ),
        (
            {"sets": [{"kind": "frequency", "signal": "phase"}]},
            "`signal` must be one of magnitude, complex, aligned for frequency features, but is phase",
        ),
        (
            {"sets": [{"kind": "shape", "signal": "aligned"}]},
            "`signal` must be one of magnitude, complex for shape features, but is aligned",
        ),
        (
            {"sets": [{"kind": "polynomial_frequency", "signal": "complex", "window": "record"}]},
            "`window` must be echo for polynomial_frequency features",
        ),
        (
            {"sets": [{"kind": "pointwise", "signal": "complex", "window": "record", "half_width": 90}]},
            "`half_width` must not be given for the window record, but is 90",
        ),
        (
            {"sets": [{"kind": "pointwise", "signal": "phase", "rescale": True}]},
            "`rescale` must not be given for the signal phase, which has no amplitude",
        ),
        (
            {"sets": [{"kind": "shape", "signal": "magnitude", "rescale": True}]},
            "`rescale` must not be given for shape features",
        ),
        (
            {"sets": [{"kind": "combined", "name": "both", "of": [{"kind": "shape", "signal": "magnitude"}]}]},
            "Key `sets.0.of` is .* must have 2 or more entries",
        ),
        (
            {"sets": [{"kind": "combined", "name": "both", "of": [{"kind": "shape", "signal": "magnitude"}] * 2}]},
            "`of` must not name a feature set twice, but holds `shape-magnitude` more than once",
        ),
    ],
)
def test_bad_settings_are_refused_in_a_sentence(values, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(FeaturesSettings, values)
