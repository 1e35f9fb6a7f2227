"""A trial's point depends on the history and its place in it, not on how often the study was opened."""

import pytest

from nmr_platform.studies import STORAGE_VARIABLE
from tests.studies.test_loop import fails_on_the_left, parabola, run_trials, study_in


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


def points(folder, total, *, at_a_time=None, evaluate=parabola, **settings):
    for so_far in range(at_a_time or total, total + 1, at_a_time or total):
        study = study_in(folder, **settings)
        run_trials(study, so_far, evaluate, on_settled=lambda _: None)
    return [trial.params["x"] for trial in study.trials]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_study_opened_for_every_trial_tries_the_same_points(tmp_path, sampler):
    whole = points(tmp_path / "whole", 6, sampler=sampler)
    assert points(tmp_path / "parts", 6, at_a_time=1, sampler=sampler) == whole


def test_no_point_is_tried_twice_in_the_start_up_phase(tmp_path):
    tried = points(tmp_path, 6, at_a_time=2, startup_trials=10)
    assert len(set(tried)) == 6


def test_another_seed_tries_other_points(tmp_path):
    assert not set(points(tmp_path / "a", 4, seed=0)) & set(points(tmp_path / "b", 4, seed=1))


def test_the_kind_of_sampler_matters_only_after_the_start_up_phase(tmp_path):
    tpe = points(tmp_path / "tpe", 6, startup_trials=3)
    random = points(tmp_path / "random", 6, startup_trials=3, sampler="random")
    assert tpe[:3] == random[:3]
    assert tpe[3:] != random[3:]


def test_a_point_that_failed_is_not_tried_again(tmp_path):
    tried = points(tmp_path, 8, evaluate=fails_on_the_left)
    assert len(set(tried)) == len(tried)
