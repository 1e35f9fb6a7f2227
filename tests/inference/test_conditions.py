"""A model refuses what was recorded otherwise than the curves that it learnt from."""

import numpy as np
import pytest

from nmr_platform import Experiment
from nmr_platform.errors import DataError
from nmr_platform.inference import Conditions

HAHN = {"kind": "hahn", "tau": 20.0}


def experiment(sequence=HAHN, **changes):
    return Experiment.model_validate(
        {
            "lattice": {"shape": [4, 4]},
            "kernel": {"kind": "uniform"},
            "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
            "line": {"fwhm": 0.05, "bandwidth": 0.2},
            "sequence": sequence,
            "step": 0.25,
            **changes,
        }
    )


def acquisition(sequence=HAHN, drawn=(), **changes):
    return Conditions.of(experiment(sequence, **changes), drawn)


def custom(*echo_times):
    """Two pulses as free elements, 20 us apart, with the echo expected anywhere."""
    elements = [
        {"kind": "pulse", "theta": 90.0},
        {"kind": "delay", "duration": 20.0},
        {"kind": "pulse", "theta": 180.0, "phi": 90.0},
        {"kind": "delay", "duration": 40.0},
    ]
    return {"kind": "custom", "elements": elements, "echo_times": list(echo_times)}


def test_the_same_times_are_taken_and_a_few_digits_do_not_matter():
    ours = acquisition()
    ours.require_time(ours.time)
    ours.require_time(np.round(ours.time + 0.004, 2))
    ours.require_same(acquisition(coupling={"alpha_x": 0.5, "alpha_y": 0.5, "alpha_z": 0.0}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t * 2, r"a sample every 0\.25 us, .* but has one every 0\.5 us"),
        (lambda t: t * 1.001, r"a sample every 0\.25 us, .* one every 0\.25025 us"),
        (lambda t: t[:-1], r"must have 240 samples, .* echo at 40 us\), but has 239"),
        (lambda t: np.append(t, t[-1] + 0.25), r"must have 240 samples, .* but has 241"),
        (lambda t: t + 0.2, r"sampled from 0 to 59\.75 us .* but is from 0\.2 to 59\.95 us"),
        (lambda t: t * np.nan, "one every nan us"),
        (lambda t: t[:1], "one every nan us"),
    ],
)
def test_another_sampling_is_refused_with_what_differs(change, sentence):
    ours = acquisition()
    with pytest.raises(DataError, match=sentence):
        ours.require_time(change(ours.time))


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (HAHN | {"theta1": 80.0}, r"is of 80x.*: its `theta1` is 80\.0 instead of 90\.0"),
        (HAHN | {"tau": 21.0}, r"is of 90x - 21 us.*: its `tau` is 21\.0 instead of 20\.0"),
        (custom(40.0), "its `echo_times"),
        ({"kind": "cpmg", "echo_spacing": 20.0, "n_echoes": 2}, "its `echo_spacing` is 20"),
    ],
)
def test_another_sequence_is_refused_with_what_differs(other, sentence):
    with pytest.raises(DataError, match=sentence):
        acquisition().require_same(acquisition(other))


def test_another_place_of_the_echo_is_refused():
    with pytest.raises(DataError, match=r"its `echo_times\.0` is 35\.0 instead of 40\.0"):
        acquisition(custom(40.0)).require_same(acquisition(custom(35.0)))


def test_what_training_curves_varied_may_differ_and_nothing_else():
    ours = acquisition(drawn=["sequence.theta1", "coupling.alpha_x"])
    ours.require_same(acquisition(HAHN | {"theta1": 60.0}))
    with pytest.raises(DataError, match="its `theta2` is"):
        ours.require_same(acquisition(HAHN | {"theta1": 60.0, "theta2": 150.0}))
    with pytest.raises(DataError, match=r"its `theta1` varies instead of 90"):
        acquisition().require_same(ours)


def test_a_sequence_without_echo_cannot_be_learnt_from():
    with pytest.raises(DataError, match="must have an echo to learn from, but 90x - 20 us"):
        acquisition(custom())
