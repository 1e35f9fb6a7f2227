"""The loop of every search, with an objective that costs nothing."""

import os
import socket
import time
from datetime import datetime

import optuna
import psutil
import pytest
from matplotlib import rcParams
from optuna import TrialPruned
from optuna.trial import TrialState, create_trial
from sqlalchemy.exc import OperationalError

from nmr_platform.errors import ConfigurationError
from nmr_platform.processes import this_process
from nmr_platform.studies import (
    STORAGE_VARIABLE,
    Outcome,
    StudyRun,
    best_trial,
    error_of,
    finished_trials,
    keep_run,
    kept_run,
    last_step,
    line_up,
    list_studies,
    open_storage,
    open_study,
    over_trials,
    run_trials,
    settled_trials,
    show_study,
    study_metrics,
    trial_entry,
    trial_times,
)
from nmr_platform.studies.attempts import OWNER
from nmr_platform.studies.figures import draw_study
from nmr_platform.tracking import DatasetEntry, RunEntry
from tests.learning.recording import RecordingTracker

# The process that started these tests: it lives, and is not this one.
OTHER = f"{socket.gethostname()}:{os.getppid()}:{psutil.Process(os.getppid()).create_time():.2f}"


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
    assert {error_of(trial) for trial in failed} == {"ValueError: left"}
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
    assert len(error_of(told[0])) == 500


@pytest.mark.parametrize("score", ["nan", "inf", "-inf"])
def test_an_outcome_that_is_not_a_number_fails_its_trial(tmp_path, score):
    study, told = run(tmp_path, 2, lambda trial: Outcome(parabola(trial).value * 0 + float(score)))
    assert [error_of(trial) for trial in told] == [f"ValueError: The score must be finite, but is {score}."] * 2
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
        run_trials_alone(other)
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
    assert seen == [this_process(), this_process()]


@pytest.mark.parametrize("moment", ["before", "while", "after"])
def test_a_point_that_was_lined_up_is_tried_even_if_its_first_trial_dies(tmp_path, moment):
    def dies(trial):
        if moment == "before":
            raise KeyboardInterrupt(moment)
        trial.suggest_float("x", -1.0, 1.0)
        if moment == "while":
            raise KeyboardInterrupt(moment)
        trial.suggest_float("y", 0.0, 1.0)
        raise KeyboardInterrupt(moment)

    study = study_in(tmp_path)
    line_up(study, {"x": 0.5})
    with pytest.raises(KeyboardInterrupt, match=moment):
        run_trials(study, 3, dies, on_settled=lambda _: None)
    study, _ = run(tmp_path, 3)
    assert finished_trials(study)[0].params["x"] == 0.5
    assert [trial.state for trial in study.trials].count(TrialState.RUNNING) == 0


@pytest.mark.parametrize("moment", ["before_trial", "after_trial"])
def test_an_interruption_inside_optuna_leaves_nothing_running(tmp_path, moment):
    study = study_in(tmp_path)
    setattr(study.sampler, moment, interrupted)
    with pytest.raises(KeyboardInterrupt, match="inside Optuna"):
        run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert not [trial for trial in study.trials if trial.state is TrialState.RUNNING]
    again, _ = run(tmp_path, 3)
    whole, _ = run(tmp_path / "whole", 3)
    assert [trial.params for trial in finished_trials(again)] == [trial.params for trial in finished_trials(whole)]


def interrupted(*_):
    raise KeyboardInterrupt("inside Optuna")


def test_another_search_under_the_same_name_is_refused_rather_than_mixed(tmp_path):
    study_in(tmp_path)
    with pytest.raises(ConfigurationError, match=r"Study `parabola` must be continued .* but of changed"):
        open_study(open_storage(tmp_path), "parabola", {"of": "another"}, seed=0)
    assert study_in(tmp_path).user_attrs["identity"] == {"of": "x"}


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


def test_a_study_ends_when_nothing_better_comes(tmp_path):
    def worse(trial):
        trial.suggest_float("x", -1.0, 1.0)
        return Outcome(-float(trial.number))

    study, _ = run(tmp_path, 50, worse, patience=4)
    assert len(finished_trials(study)) == 5, "the first is the best, and four more were given a chance"


def test_trials_that_failed_are_no_chance_that_was_given(tmp_path):
    def fails_after_the_first(trial):
        trial.suggest_float("x", -1.0, 1.0)
        if trial.number in {1, 2, 3}:
            message = "no score"
            raise ValueError(message)
        return Outcome(-float(trial.number))

    study, _ = run(tmp_path, 50, fails_after_the_first, patience=2)
    assert [trial.number for trial in finished_trials(study)] == [0, 4, 5]


def test_pruned_trials_are_told_of_and_count(tmp_path):
    def pruned(trial):
        trial.suggest_float("x", -1.0, 1.0)
        raise TrialPruned

    study, told = run(tmp_path, 3, pruned)
    assert [trial_entry(trial).state for trial in told] == ["pruned"] * 3
    assert len(over_trials(study)) == 3


@pytest.mark.parametrize("error", [MemoryError("full"), OSError(28, "No space left on device")])
def test_what_fails_for_want_of_memory_or_disk_is_tried_again(tmp_path, error):
    tried = []

    def fails_once(trial):
        outcome = parabola(trial)
        tried.append(trial.params["x"])
        if len(tried) == 1:
            raise error
        return outcome

    study, told = run(tmp_path, 2, fails_once)
    assert tried[0] == tried[1]
    assert [trial.params["x"] for trial in told] == tried[1:]
    assert len(finished_trials(study)) == 2


def test_a_point_that_fails_three_times_for_want_of_memory_is_given_up(tmp_path):
    def always(trial):
        parabola(trial)
        raise MemoryError

    study, told = run(tmp_path, 2, always)
    assert len(told) == 2
    assert error_of(told[0]).startswith("Given up after 3 attempts: MemoryError")
    assert len(study.trials) == 6


def test_a_point_whose_processes_die_again_and_again_is_given_up(tmp_path):
    def dies(trial):
        parabola(trial)
        raise KeyboardInterrupt("again")

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt, match="again"):
            run(tmp_path, 1, dies)
    study, told = run(tmp_path, 1)
    assert {trial.params["x"] for trial in study.trials[:3]} == {told[0].params["x"]}
    assert "the process of each went away" in error_of(told[0])
    assert told[1].params != told[0].params


def test_a_score_that_was_told_without_an_answer_is_neither_lost_nor_computed_again(tmp_path):
    computed = []

    def counted(trial):
        computed.append(trial.number)
        return parabola(trial)

    study = study_in(tmp_path)
    tell = study.sampler.after_trial
    silent = [True, True]

    def gone(*arguments):
        tell(*arguments)
        if silent:
            silent.pop()
            raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

    study.sampler.after_trial = gone
    told = []
    run_trials(study, 3, counted, on_settled=told.append)
    assert computed == [trial.number for trial in told] == [0, 1, 2]
    assert len(finished_trials(study)) == 3


def test_a_trial_that_optuna_forgets_when_its_database_goes_away_is_told_once(tmp_path):
    storage = open_storage(tmp_path)
    get_trial, computed, away = storage.get_trial, [], []

    def counted(trial):
        computed.append(trial.number)
        away.append(trial.number == 1)
        return parabola(trial)

    def asked(trial_id):
        # Optuna asks for the trial when it is told, and for what became of it when that fails.
        if away and away.pop():
            raise OperationalError("SELECT", {}, Exception("server closed the connection unexpectedly"))
        return get_trial(trial_id)

    storage.get_trial = asked
    study = open_study(storage, "parabola", {"of": "x"}, seed=0)
    told = []
    run_trials(study, 3, counted, on_settled=told.append)
    assert computed == [trial.number for trial in told] == [0, 1, 2]


def test_a_trial_that_others_took_for_dead_changes_nothing_when_it_ends(tmp_path):
    def overtaken(trial):
        outcome = parabola(trial)
        if trial.number == 0:
            trial.study.tell(trial.number, state=TrialState.FAIL)
        return outcome

    study, told = run(tmp_path, 2, overtaken)
    assert [trial.number for trial in told] == [0, 1]
    assert study.trials[0].state is TrialState.FAIL


def test_of_equal_scores_the_earliest_is_the_best(tmp_path):
    study, _ = run(tmp_path, 4, lambda trial: Outcome(parabola(trial).value * 0 + (trial.number > 0)))
    assert [trial.value for trial in finished_trials(study)] == [0, 1, 1, 1]
    assert best_trial(study).number == 1


def test_no_trial_is_started_beside_those_of_others_that_will_be_the_last(tmp_path):
    study = study_in(tmp_path)
    study.ask().set_user_attr(OWNER, OTHER)
    run_trials(study, 1, parabola, on_settled=lambda _: None, helping=True, timeout=1.0)
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]


def test_a_trial_of_ours_that_another_worker_lost_to_its_database_is_not_left_running(tmp_path):
    study = study_in(tmp_path)
    line_up(study, {"x": 0.5})
    study.ask()
    run_trials(study, 2, parabola, on_settled=lambda _: None)
    assert not [trial for trial in study.trials if trial.state is TrialState.RUNNING]
    assert len(finished_trials(study)) == 2
    run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert sorted(trial.number for trial in finished_trials(study)) == [0, 1, 2]
    assert 0.5 in {trial.params["x"] for trial in finished_trials(study)}


def test_a_trial_that_another_live_process_settled_is_told_of_by_that_process(tmp_path):
    study = study_in(tmp_path)
    for owner in (OTHER, this_process()):
        study.add_trial(create_trial(value=0.0, user_attrs={OWNER: owner}))
    told = []
    run_trials(study, 2, parabola, on_settled=told.append)
    assert [trial.number for trial in told] == [1]


def test_a_worker_finds_its_trial_superfluous_if_others_were_faster(tmp_path, monkeypatch):
    study = study_in(tmp_path)
    other = study_in(tmp_path)

    def overtaken(study, params):
        run_trials_alone(other)
        line_up(study, params)

    monkeypatch.setattr("nmr_platform.studies.loop.line_up", overtaken)
    run_trials(study, 1, parabola, on_settled=lambda _: None)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.FAIL]
    assert len(finished_trials(study)) == 1
    assert settled_trials(study) == finished_trials(study)


def run_trials_alone(study):
    if not finished_trials(study):
        trial = study.ask()
        study.tell(trial, parabola(trial).value)


def test_a_run_is_kept_with_its_study(tmp_path):
    run_entry = RunEntry("W", "forest", {"seed": 0}, {"a": "b"}, (DatasetEntry("gaussian", "00ff", "data"),))
    keep_run(study_in(tmp_path), run_entry)
    assert kept_run(study_in(tmp_path)) == run_entry


def test_a_study_that_kept_no_run_or_metrics_can_still_be_shown(tmp_path):
    study, _ = run(tmp_path, 1)
    assert kept_run(study).experiment == "parabola"
    (trial,) = finished_trials(study)
    assert trial_entry(trial).metrics == {"score": trial.value}


def test_trials_beside_each_other_are_counted_once_and_pauses_never():
    study = optuna.create_study()
    times = [(0.0, 10.0), (5.0, 12.0), (100.0, 103.0)]
    for start, end in times:
        begin, finish = (datetime.fromtimestamp(each) for each in (start, end))
        trial = create_trial(value=1.0)
        trial.datetime_start, trial.datetime_complete = begin, finish
        study.add_trial(trial)
    shown = study_metrics(study)
    assert (shown["search_seconds"], shown["trial_seconds"]) == pytest.approx((15.0, 20.0))


def test_a_study_says_what_it_took_and_curves_keep_their_steps(tmp_path):
    def curved(trial):
        for step, score in ((25, 0.1), (50, 0.2)):
            trial.report(score, step)
        trial.report(0.3, last_step(trial))
        return Outcome(trial.suggest_float("x", 0.0, 1.0), metrics={"folds_r2": {0: 0.1, 1: 0.2}})

    study = study_in(tmp_path)
    run_trials(study, 2, curved, on_settled=lambda _: None)
    kept = study_in(tmp_path)
    curves = {"folds_r2": {0: 0.1, 1: 0.2}, "score_by_round": {25: 0.1, 50: 0.2}}
    assert trial_entry(finished_trials(kept)[0]).metrics == curves
    shown = study_metrics(kept)
    assert shown.items() >= curves.items()
    assert shown["system/processor_seconds"] >= 0.0
    assert shown["system/peak_memory_mb"] > 10.0


def test_what_a_trial_came_to_is_one_step_of_a_study_beyond_rounds_or_the_first(tmp_path):
    def reporting(rounds):
        def objective(trial):
            for step in rounds:
                trial.report(0.1, step)
            trial.report(0.2, last_step(trial))
            return Outcome(trial.suggest_float("x", 0.0, 1.0))

        return objective

    for name, rounds, last in (("rounds", (25, 50), 500), ("none", (), 0)):
        study = study_in(tmp_path / name)
        run_trials(study, 2, reporting(rounds), on_settled=lambda _: None)
        assert [max(trial.intermediate_values) for trial in finished_trials(study)] == [last] * 2
    older = study_in(tmp_path / "older")
    older.add_trial(create_trial(value=1.0, intermediate_values={1_000_000: 0.2}))
    assert last_step(older.ask()) == 1_000_000


def test_a_study_shows_the_same_when_it_is_shown_again_from_what_it_kept(tmp_path):
    def shown(trial):
        x = trial.suggest_float("x", -1.0, 1.0)
        return Outcome(
            -(x**2), metrics={"r2": -(x**2)}, params={"x": x, "fixed": 1}, tags={"name": "a"}, pruned=trial.number == 1
        )

    study = study_in(tmp_path)
    keep_run(study, RunEntry("W", "forest", {"seed": 0}, {"a": "b"}), "cross-validated r2")
    live, again = RecordingTracker(), RecordingTracker()
    run = StudyRun.open(study, live)
    with run.closing():
        run_trials(study, 5, shown, on_settled=run.log_trial)
        run.log_summary()
    assert show_study(study_in(tmp_path), again) == 5
    (kept,), (rebuilt,) = live.runs.values(), again.runs.values()
    best = best_trial(study)
    assert best.number != 1, "a trial that was stopped early is no best one"
    assert kept.metrics["best_score"] == kept.metrics["r2"] == best.value
    assert [kept.metrics[name] for name in ("n_trials", "n_finished", "n_pruned", "n_failed")] == [5.0, 4.0, 1.0, 0.0]
    assert kept.params == {"best_x": best.params["x"], "best_fixed": 1}
    assert [kept.trials[number].state for number in range(3)] == ["finished", "pruned", "finished"]
    assert kept.trials[0].tags == {"name": "a", **live.provenance}
    assert kept.record.provenance == live.provenance
    assert "study/history.png" in kept.artefacts
    assert (rebuilt.record, rebuilt.trials, rebuilt.params, rebuilt.state) == (
        kept.record,
        kept.trials,
        kept.params,
        kept.state,
    )
    best_so_far = [
        max(-(trial.params["x"] ** 2) for trial in finished_trials(study) if trial.number <= number)
        for number in (0, 2, 3, 4)
    ]
    assert list(kept.metrics["best_so_far"].items()) == list(zip((0, 2, 3, 4), best_so_far, strict=True))
    assert rebuilt.metrics == kept.metrics
    assert rebuilt.artefacts.keys() == kept.artefacts.keys()


def test_a_study_that_came_to_nothing_is_shown_as_failed(tmp_path):
    def fails(trial):
        message = "nothing"
        raise ValueError(message)

    study, _ = run(tmp_path, 1, fails)
    tracker = RecordingTracker()
    assert show_study(study, tracker) == 1
    assert [kept.state for kept in tracker.runs.values()] == ["failed"]


def test_a_listed_study_ended_with_its_last_trial(tmp_path):
    study = study_in(tmp_path)
    for hour in (11, 12, 10):
        trial = create_trial(value=0.0)
        trial.datetime_start = trial.datetime_complete = datetime(2026, 1, 1, hour)
        study.add_trial(trial)
    (summary,) = list_studies(open_storage(tmp_path))
    assert summary.last == "2026-01-01T12:00:00"


def test_studies_are_listed_with_their_best(tmp_path):
    study, _ = run(tmp_path, 6, fails_on_the_left)
    (summary,) = list_studies(open_storage(tmp_path))
    assert (summary.name, summary.finished + summary.failed, summary.running) == ("parabola", 6, 0)
    assert summary.best == best_trial(study).value
    assert summary.last == max(trial.datetime_complete for trial in study.trials).isoformat(timespec="seconds")


def test_optuna_draws_history_timeline_importances_and_contours(tmp_path):
    def saddle(trial):
        x, y = trial.suggest_float("x", -1.0, 1.0), trial.suggest_float("y", -1.0, 1.0)
        return Outcome(x * y + x)

    few, _ = run(tmp_path / "few", 9, saddle)
    assert list(draw_study(few)) == ["history", "timeline"]
    study, _ = run(tmp_path, 10, saddle)
    before = dict(rcParams)
    figures = draw_study(study)
    assert dict(rcParams) == before, "later figures of this process keep their style"
    assert list(figures) == ["history", "timeline", "parameter_importances", "contour"]
    assert all(figure.axes for figure in figures.values())
    assert list(draw_study(study_in(tmp_path / "empty"))) == []
