"""Names, defaults and refusals of the feature settings."""

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import FeatureSet, FeaturesSettings
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
    ],
)
def test_name_says_what_differs_from_the_default(values, name):
    assert FeatureSet.model_validate(values).name == name


def test_settings_take_the_lists_of_a_yaml_file():
    settings = validate(FeaturesSettings, {"sets": [{"kind": "pointwise", "signal": "magnitude"}]})
    assert settings.sets == (FeatureSet(kind="pointwise", signal="magnitude"),)


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
    ],
)
def test_bad_settings_are_refused_in_a_sentence(values, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(FeaturesSettings, values)
