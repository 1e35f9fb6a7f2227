"""The loop of every search, with an objective that costs nothing."""

import time

import pytest
from optuna.trial import TrialState

from nmr_platform.studies import (
    ERROR,
    STORAGE_VARIABLE,
    Outcome,
    finished_trials,
    line_up,
    open_storage,
    open_study,
    run_trials,
    settled_trials,
    trial_times,
)
from nmr_platform.studies.abandoned import OWNER, owner


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


def parabola(trial):
    x = trial.suggest_float("x", -1.0, 1.0)
    return Outcome(-(x**2), {"square": x**2})


def fails_on_the_left(trial):
    outcome = parabola(trial)
    if trial.params["x"] < 0:
        message = "left"
        raise ValueError(message)
    return outcome


def study_in(folder, **settings):
    return open_study(open_storage(folder), "parabola", {"of": "x"}, **{"seed": 0, "startup_trials": 3} | settings)


def run(folder, total, evaluate=parabola, **settings):
    """Run the study and return it with the trials that were told of."""
    told = []
    study = study_in(folder)
    run_trials(study, total, evaluate, on_settled=told.append, **settings)
    return study, told


def test_an_outcome_is_kept_with_its_trial(tmp_path):
    study, _ = run(tmp_path, 2)
    for trial in finished_trials(study):
        assert trial.value == -trial.user_attrs["square"] == -(trial.params["x"] ** 2)


def test_trials_of_earlier_calls_are_told_again_first_and_in_order(tmp_path):
    run(tmp_path, 2)
    _, told = run(tmp_path, 4)
    assert [trial.number for trial in told] == [0, 1, 2, 3]


def test_a_study_that_has_enough_trials_runs_none(tmp_path):
    run(tmp_path, 3)
    study, told = run(tmp_path, 2)
    assert len(finished_trials(study)) == len(told) == 3


def test_a_failing_trial_is_told_with_its_error_and_the_search_goes_on(tmp_path):
    study, told = run(tmp_path, 6, fails_on_the_left)
    failed = [trial for trial in told if trial.state is TrialState.FAIL]
    assert 0 < len(failed) < 6
    assert {trial.user_attrs[ERROR] for trial in failed} == {"ValueError: left"}
    assert all(trial.params["x"] < 0 for trial in failed)
    assert settled_trials(study) == told
    assert len(finished_trials(study)) == 6 - len(failed)


def test_a_search_whose_every_trial_fails_comes_to_an_end(tmp_path):
    def always(trial):
        message = "always " * 200
        raise RuntimeError(message)

    study, told = run(tmp_path, 4, always)
    assert len(told) == 4
    assert finished_trials(study) == []
    assert len(told[0].user_attrs[ERROR]) == 500


def test_an_outcome_that_is_not_a_number_fails_its_trial(tmp_path):
    study, told = run(tmp_path, 2, lambda trial: Outcome(parabola(trial).value * float("nan")))
    assert [trial.user_attrs[ERROR] for trial in told] == ["ValueError: The score must be finite, but is nan."] * 2
    assert settled_trials(study) == told
    assert told[0].params != told[1].params


def test_no_trial_starts_after_the_timeout_but_the_running_one_ends(tmp_path):
    def slow(trial):
        time.sleep(0.1)
        return parabola(trial)

    study, _ = run(tmp_path, 50, slow, timeout=0.15)
    assert 1 <= len(finished_trials(study)) <= 3
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}


def test_trials_that_another_worker_finished_count(tmp_path):
    other = study_in(tmp_path)

    def with_help(trial):
        run_trials(other, 1, parabola, on_settled=lambda _: None)
        return parabola(trial)

    study, _ = run(tmp_path, 3, with_help)
    assert len(finished_trials(study)) == 3


def test_a_trial_bears_its_owner_from_its_first_moment(tmp_path):
    study = study_in(tmp_path)
    seen = []
    sampler = study.sampler
    before = sampler.before_trial

    def spy(study, trial):
        seen.append(trial.user_attrs.get(OWNER))
        before(study, trial)

    sampler.before_trial = spy
    run_trials(study, 2, parabola, on_settled=lambda _: None)
    assert seen == [owner(), owner()]


@pytest.mark.parametrize("moment", ["before", "while", "after"])
def test_a_point_that_was_lined_up_is_tried_even_if_its_first_trial_dies(tmp_path, moment):
    def dies(trial):
        if moment == "before":
            raise KeyboardInterrupt
        x = trial.suggest_float("x", -1.0, 1.0)
        if moment == "while":
            raise KeyboardInterrupt
        trial.suggest_float("y", 0.0, 1.0)
        raise KeyboardInterrupt(x)

    study = study_in(tmp_path)
    line_up(study, {"x": 0.5})
    with pytest.raises(KeyboardInterrupt):
        run_trials(study, 3, dies, on_settled=lambda _: None)
    study, _ = run(tmp_path, 3)
    assert finished_trials(study)[0].params["x"] == 0.5
    assert [trial.state for trial in study.trials].count(TrialState.RUNNING) == 0


def test_an_interruption_while_asking_leaves_nothing_running(tmp_path):
    study = study_in(tmp_path)
    study.sampler.before_trial = interrupted
    with pytest.raises(KeyboardInterrupt):
        run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert not [trial for trial in study.trials if trial.state is TrialState.RUNNING]
    again, _ = run(tmp_path, 3)
    whole, _ = run(tmp_path / "whole", 3)
    assert [trial.params for trial in finished_trials(again)] == [trial.params for trial in finished_trials(whole)]


def interrupted(*_):
    raise KeyboardInterrupt


def test_the_identity_of_the_first_call_stays(tmp_path):
    study_in(tmp_path)
    study = open_study(open_storage(tmp_path), "parabola", {"of": "another"}, seed=0)
    assert study.user_attrs["identity"] == {"of": "x"}


def test_times_are_seconds_since_the_epoch(tmp_path):
    began = time.time()
    study, _ = run(tmp_path, 1)
    start, end = trial_times(finished_trials(study)[0])
    assert began - 1e-3 <= start <= end <= time.time() + 1e-3


def test_a_lock_left_by_a_killed_process_does_not_hold_up_the_next(tmp_path):
    run(tmp_path, 1)
    # What Optuna's own lock leaves behind: a link to the journal.
    (tmp_path / "studies.journal.lock").symlink_to(tmp_path / "studies.journal")
    began = time.monotonic()
    study, _ = run(tmp_path, 2)
    assert len(finished_trials(study)) == 2
    assert time.monotonic() - began < 10
