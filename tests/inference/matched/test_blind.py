"""The laboratories of the blind trials: broad, and each told by its number."""

import numpy as np
import pandas as pd

from benchmarks.blind import _LONGEST_STEP, _Laboratory, _recipe, _share
from nmr_platform.datasets import QUANTITIES, read_preset

KERNELS = ("gaussian", "power", "rkky")


def laboratory(number):
    return _Laboratory.draw(number, np.random.default_rng(number), KERNELS)


def test_laboratories_differ_in_everything_and_are_told_by_their_number():
    drawn = [laboratory(number) for number in range(60)]
    assert drawn == [laboratory(number) for number in range(60)]
    assert {each.kernel for each in drawn} == set(KERNELS)
    assert {each.format for each in drawn} == {"record", "bruker", "tecmag"}
    assert min(each.tau for each in drawn) < 30
    assert max(each.tau for each in drawn) > 120
    assert min(each.noise for each in drawn) < 0.002
    assert max(each.noise for each in drawn) > 0.02


def test_what_is_measured_is_of_the_preset_and_can_be_simulated_at_the_points():
    settings = read_preset("august2021")
    for number in range(12):
        drawn = laboratory(number)
        experiment = _recipe(settings, drawn).curve(number).experiment
        assert 0.1 <= QUANTITIES["W"].of(experiment) <= 0.3
        assert experiment.step <= _LONGEST_STEP + 1e-9
        assert np.isclose(drawn.dwell / experiment.step, round(drawn.dwell / experiment.step))
        assert experiment.sequence.tau == drawn.tau


def test_samples_of_a_laboratory_differ_and_their_measurement_does_not():
    first, *others = (laboratory(3).of_sample(sample, KERNELS) for sample in range(12))
    assert first == laboratory(3)
    assert {(each.tau, each.fwhm, each.dwell, each.noise, each.dead_time) for each in others} == {
        (first.tau, first.fwhm, first.dwell, first.noise, first.dead_time)
    }
    assert {each.kernel for each in others} == set(KERNELS)
    assert len({each.phase for each in (first, *others)}) == 12


def test_laboratories_that_agree_leave_their_share_more_open_than_independent_trials():
    laboratories = pd.Series(np.repeat(np.arange(8), 5))
    held = laboratories < 6
    assert _share(held, laboratories) == "0.75 (0.38 to 1.00)"
    assert _share(held, pd.Series(range(40))) == "0.75 (0.60 to 0.86)"
