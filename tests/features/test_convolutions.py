"""Random convolutions: the loop in plain Python that they replace, what they respond to, and their places."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, ConvolutionFeatures, FeaturesSettings
from nmr_platform.features.kinds.convolutions import RandomConvolutions, dilations, random_kernels
from nmr_platform.schema import validate
from tests.naive.convolutions import convolved

RNG = np.random.default_rng(12)
N = 50
HOSTILE = {
    "noise": RNG.normal(size=N),
    "walk": RNG.normal(size=N).cumsum(),
    "zeros": np.zeros(N),
    "constant": np.full(N, 0.1),
    "line": np.linspace(-1, 1, N),
    "step": np.repeat([0.0, 1.0], N // 2),
    "one sample": np.eye(1, N, 20)[0],
    "first sample": np.eye(1, N)[0],
    "alternating": np.tile([1.0, -1.0], N // 2),
    "equal responses": np.tile([0.0, 0.0, 1.0, 1.0, 0.0], N // 5),
    "few levels": RNG.integers(0, 2, N).astype(float),
    "huge": 1e30 * RNG.normal(size=N),
    "tiny": 1e-30 * RNG.normal(size=N),
    "far from zero": 1e9 + RNG.normal(size=N),
}


def computed_in_a_loop(signal, n_kernels, segments, seed):
    steps = dilations(len(signal))
    kernels = random_kernels(len(steps), n_kernels, seed).tolist()
    return np.array(convolved(signal, kernels, steps, segments), dtype=np.float32)


@pytest.mark.parametrize("signal", HOSTILE.values(), ids=HOSTILE.keys())
def test_columns_equal_those_of_the_loop_to_the_bit(signal):
    found = RandomConvolutions(N, kernels=7, segments=3, seed=7).transform(signal[np.newaxis])
    np.testing.assert_array_equal(found[0], computed_in_a_loop(signal, 7, 3, 7))


@pytest.mark.parametrize("n_samples", [16, 17, 33, 34, 101])
@pytest.mark.parametrize("segments", [1, 2, 8])
def test_columns_of_any_length_equal_those_of_the_loop(n_samples, segments):
    signals = np.random.default_rng(n_samples).normal(size=(2, 2, n_samples))
    found = RandomConvolutions(n_samples, ("re", "im"), 5, segments, 3).transform(signals.reshape(2, -1))
    expected = [np.concatenate([computed_in_a_loop(part, 5, segments, 3) for part in curve]) for curve in signals]
    np.testing.assert_array_equal(found, expected)


def test_one_curve_more_does_not_change_the_others():
    signals = np.random.default_rng(9).normal(size=(1030, 20))
    transformer = RandomConvolutions(20, kernels=2)
    np.testing.assert_array_equal(transformer.transform(signals)[:700], transformer.transform(signals[:700]))


def test_kernels_see_no_constant_and_are_those_of_their_seed():
    kernels = random_kernels(2, 3, 5)
    assert kernels.shape == (2, 9, 3)
    np.testing.assert_allclose(kernels.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.abs(kernels).sum(axis=1), 1)
    # A longer record has more dilations, and the same kernels at those that it shares with a shorter one.
    np.testing.assert_array_equal(kernels[0], random_kernels(1, 3, 5)[0])
    assert not np.array_equal(kernels, random_kernels(2, 3, 6))
    transformer = RandomConvolutions(N, seed=5)
    np.testing.assert_array_equal(transformer.transform(np.full((1, N), -3.3)), 0)


def test_a_signal_upside_down_changes_positive_for_negative_responses():
    signal = np.random.default_rng(1).normal(size=(1, N))
    plain, turned = (RandomConvolutions(N, segments=2).transform(sign * signal).reshape(-1, 2, 64) for sign in (1, -1))
    np.testing.assert_array_equal(turned[:, 0], -plain[:, 1])
    assert (plain[:, 0] >= 0).all()
    assert (plain[:, 1] <= 0).all()


def test_nothing_jumps_where_a_response_changes_its_sign():
    signal = np.random.default_rng(4).normal(size=N)
    transformer = RandomConvolutions(N)
    sizes = np.linspace(-1, 1, 2001)
    columns = transformer.transform(sizes[:, np.newaxis] * signal + np.sin(np.arange(N)))
    assert np.abs(np.diff(columns, axis=0)).max() < 2 * np.abs(signal).max() * 1e-3


@pytest.mark.parametrize(("n_samples", "expected"), [(16, 1), (33, 1), (34, 2), (300, 16), (1884, 64)])
def test_kernels_are_no_longer_than_half_the_window(n_samples, expected):
    assert max(dilations(n_samples)) == expected
    assert n_samples < 34 or 8 * expected + 1 <= n_samples // 2


def test_names_tell_component_dilation_kernel_segment_and_sign():
    transformer = RandomConvolutions(300, ("re", "im"), kernels=3)
    names = list(transformer.get_feature_names_out())
    assert names[:4] == ["re_1_1_1_pos", "re_1_2_1_pos", "re_1_3_1_pos", "re_1_1_1_neg"]
    assert names[-1] == "im_16_3_4_neg"
    assert len(names) == transformer.transform(np.zeros((1, 600))).shape[1]


def test_intervals_hold_the_samples_that_a_column_is_computed_of():
    feature_set = ConvolutionFeatures(signal="magnitude", half_width=32, kernels=5, segments=2)
    taken = Acquisition(echo_index=100, step=0.5, n_samples=200)
    intervals = feature_set.intervals(taken).set_index("name")
    # Samples 68 to 131; kernels of nine samples begin at 56 places, the first 28 end with sample 68 + 27 + 8.
    assert list(intervals.loc["abs_1_3_1_pos", ["start", "stop"]]) == [33.75, 51.75]
    assert list(intervals.loc["abs_1_3_2_neg", ["start", "stop"]]) == [47.75, 65.75]
    # 17 samples, 48 places.
    assert list(intervals.loc["abs_2_1_2_pos", ["start", "stop"]]) == [45.75, 65.75]
    samples = np.random.default_rng(2).normal(size=(1, 64))
    transformer = RandomConvolutions(64, kernels=5, segments=2)
    plain, names = transformer.transform(samples)[0], transformer.get_feature_names_out()
    for sample in range(0, 64, 7):
        changed = samples.copy()
        changed[0, sample] += 5.0
        # The first sample is what all are counted from, which no kernel sees.
        moved = names[~np.isclose(transformer.transform(changed)[0], plain, rtol=1e-5, atol=1e-6)]
        time = (68 + sample) * 0.5
        assert ((intervals.loc[moved, "start"] <= time) & (time <= intervals.loc[moved, "stop"])).all()
        assert len(moved)


def test_the_name_says_what_differs_from_the_default():
    def name(**settings):
        return ConvolutionFeatures(signal="magnitude", **settings).name

    assert name() == "convolutions-magnitude"
    changed = name(decimate=3, kernels=16, segments=1, seed=9, records=("s1",))
    assert changed == "convolutions-magnitude-d3-k16-p1-s9-of-s1"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kernels": 513}, r"Key `sets.0.kernels` is 513, but it must be less than or equal to 512"),
        ({"segments": 9}, r"Key `sets.0.segments` is 9, but it must be less than or equal to 8"),
        ({"seed": -1}, r"Key `sets.0.seed` is -1, but it must be greater than or equal to 0"),
        ({"half_width": 7}, r"Key `half_width` must be at least 8 for convolutions features, but is 7"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        validate(FeaturesSettings, {"sets": [{"kind": "convolutions", "signal": "magnitude", **settings}]})


def test_columns_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"must have 1 x 300 columns .* but has shape \(2, 299\)"):
        RandomConvolutions(300).transform(np.zeros((2, 299)))
