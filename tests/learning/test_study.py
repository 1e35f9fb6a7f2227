"""Studies: resumable, deterministic, honest about failures."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import numpy as np
import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.trial import TrialState
from pydantic import PrivateAttr

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models.families import FAMILIES
from nmr_platform.learning.models.family import search_space
from nmr_platform.learning.models.forests import ExtraTrees
from nmr_platform.learning.models.xgboost import XGBoost
from nmr_platform.learning.tuning.study import StudyError, help_study, run_study
from nmr_platform.processes import this_process
from nmr_platform.studies import run_trials
from nmr_platform.studies.attempts import OWNER
from nmr_platform.studies.storage import JOURNAL, STORAGE_VARIABLE, open_storage
from nmr_platform.studies.trials import LAST_STEP
from tests.learning.problems import W_TASK, QuickFamily, quick_plan, quick_study
from tests.learning.recording import RecordingTracker
from tests.studies.test_loop import OTHER

ROOT = Path(__file__).parents[2]


class WiderFamily(QuickFamily):
    def search_space(self, trial):
        return {**super().search_space(trial), "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 1.0)}


class FragileFamily(QuickFamily):
    """Fails below some depth."""

    least_depth: int

    def build(self, params, task, *, seed, n_jobs=1):
        if params["max_depth"] < self.least_depth:
            message = f"too shallow: {params['max_depth']}"
            raise ValueError(message)
        return super().build(params, task, seed=seed)


class InterruptedFamily(QuickFamily):
    """Interrupts the study at its third trial, once."""

    interruption: type[BaseException] = KeyboardInterrupt
    _builds: list[int] = PrivateAttr(default_factory=list)

    def build(self, params, task, *, seed, n_jobs=1):
        self._builds.append(seed)
        if len(self._builds) == 7:
            raise self.interruption("at its third trial")
        return super().build(params, task, seed=seed)


def trials_of(folder, states=None):
    storage = open_storage(folder)
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).get_trials(states=states)


def tried(folder):
    return [trial.params for trial in trials_of(folder, (TrialState.COMPLETE,))]


def only_run(tracker):
    (run,) = tracker.runs.values()
    return run


def test_every_trial_is_recorded_with_scores_folds_and_duration(tmp_path, tracker):
    result = quick_study(tmp_path, tracker)
    run = only_run(tracker)
    assert sorted(run.trials) == [0, 1, 2, 3]
    trial = run.trials[result.best_trial]
    folds = [trial.metrics[f"fold_{index}_r2"] for index in range(3)]
    assert trial.metrics["cv_r2"] == pytest.approx(np.mean(folds)) == result.cv_mean
    assert trial.metrics["cv_r2_std"] == pytest.approx(np.std(folds)) == result.cv_std
    assert 0 < trial.metrics["fit_seconds"] <= trial.end - trial.start + 1e-3
    assert trial.params == result.best_params
    assert trial.params["n_estimators"] == 5
    assert result.cv_mean == max(each.metrics["cv_r2"] for each in run.trials.values())


def test_the_parent_run_has_settings_best_parameters_and_score(tmp_path, tracker):
    result = quick_study(tmp_path, tracker)
    run = only_run(tracker)
    assert (run.record.experiment, run.record.name, run.state) == ("w", result.run_name, "finished")
    assert run.record.params["task_target"] == "W"
    assert run.record.tags == {"study": result.study_name, "disorder": "fresh"}
    assert run.params == {f"best_{name}": value for name, value in result.best_params.items()}
    assert run.metrics["cv_r2"] == result.cv_mean
    assert run.metrics["n_trials"] == 4


def test_the_same_settings_give_the_same_trials_whatever_the_threads(tmp_path):
    quick_study(tmp_path / "one", RecordingTracker(), n_trials=6, n_jobs=1)
    quick_study(tmp_path / "two", RecordingTracker(), n_trials=6, n_jobs=2)
    assert tried(tmp_path / "one") == tried(tmp_path / "two")


def test_another_seed_is_another_study(tmp_path, tracker):
    first, second = (quick_study(tmp_path, tracker, seed=seed) for seed in (0, 1))
    assert first.study_name != second.study_name
    assert len(tracker.runs) == 2


def test_a_study_run_again_runs_nothing_and_gives_the_same_result(tmp_path, tracker):
    first = quick_study(tmp_path, tracker)
    again = quick_study(tmp_path, tracker)
    assert len(trials_of(tmp_path)) == 4
    assert again.replace(wall_seconds=0.0) == first.replace(wall_seconds=0.0)


def test_more_trials_continue_the_study_as_if_it_had_been_longer_from_the_start(tmp_path, tracker):
    quick_study(tmp_path / "a", tracker, n_trials=3)
    quick_study(tmp_path / "a", tracker, n_trials=7)
    quick_study(tmp_path / "b", RecordingTracker(), n_trials=7)
    assert tried(tmp_path / "a") == tried(tmp_path / "b")
    assert sorted(only_run(tracker).trials) == list(range(7))


def test_a_shorter_search_finds_the_same_whether_or_not_a_longer_one_went_before(tmp_path, tracker):
    alone = quick_study(tmp_path / "a", tracker, n_trials=3)
    quick_study(tmp_path / "b", RecordingTracker(), n_trials=7)
    after = quick_study(tmp_path / "b", RecordingTracker(), n_trials=3)
    passing = {"run_id": "", "trial_seconds": 0.0, "wall_seconds": 0.0, "tracking_seconds": 0.0}
    assert after.replace(**passing) == alone.replace(**passing)


@pytest.mark.parametrize(
    "changed",
    [
        {"family": WiderFamily()},
        {"n_per_kernel": 31},
        {"task": W_TASK.replace(target="xi")},
        {"sampler": "random"},
    ],
    ids=["search space", "data", "task", "sampler"],
)
def test_changed_inputs_start_another_study_instead_of_mixing(tmp_path, tracker, changed):
    first = quick_study(tmp_path, tracker)
    second = quick_study(tmp_path, tracker, **changed)
    assert first.study_name != second.study_name
    assert second.n_trials == 4


class HopelessFamily(XGBoost):
    """Its third trial and all later ones learn next to nothing."""

    kind: Literal["hopeless"] = "hopeless"

    def search_space(self, trial):
        rate = 0.3 if trial.number < 2 else 1e-4
        return {"n_estimators": 50, "max_depth": trial.suggest_int("max_depth", 3, 5), "learning_rate": rate}


class HopelessForest(ExtraTrees):
    """Its third trial and all later ones hardly split."""

    kind: Literal["hopeless forest"] = "hopeless forest"

    def search_space(self, trial):
        depth, leaf = (trial.suggest_int("max_depth", 6, 8), 1) if trial.number < 2 else (1, 20)
        return {"n_estimators": 10, "max_depth": depth, "min_samples_leaf": leaf}


@pytest.mark.parametrize("family", [HopelessFamily(), HopelessForest()], ids=["by rounds", "by folds"])
def test_hopeless_trials_are_pruned_and_recorded_as_such(tmp_path, tracker, family):
    result = quick_study(tmp_path, tracker, family, n_trials=5, pruner="median")
    assert (result.n_trials, result.n_pruned, result.n_failed) == (2, 3, 0)
    assert result.best_trial < 2
    run = only_run(tracker)
    assert [run.trials[number].state for number in range(5)] == ["finished"] * 2 + ["pruned"] * 3
    assert set(run.trials[2].metrics) - {"score_by_round"} == {"score"}
    assert run.metrics["n_pruned"] == 3


def test_boosting_is_stopped_before_its_rounds_are_over(tmp_path, tracker):
    quick_study(tmp_path, tracker, HopelessFamily(), n_trials=3, pruner="median")
    *_, pruned = trials_of(tmp_path)
    assert list(pruned.intermediate_values) == [25]


def test_rounds_of_boosting_are_reported_before_what_a_trial_came_to(tmp_path, tracker):
    quick_study(tmp_path, tracker, HopelessFamily(), n_trials=1, pruner="median")
    assert list(trials_of(tmp_path)[0].intermediate_values) == [25, 50, LAST_STEP]
    for kind in FAMILIES:
        if kind.is_installed():
            searched = search_space(kind()).values()
            assert all(each.high < LAST_STEP for each in searched if isinstance(each, IntDistribution))


def test_pruning_can_be_turned_off(tmp_path, tracker):
    result = quick_study(tmp_path, tracker, HopelessFamily(), n_trials=4, pruner="none")
    assert (result.n_trials, result.n_pruned) == (4, 0)


def test_a_pruned_study_continues_as_if_it_had_been_longer_from_the_start(tmp_path, tracker):
    quick_study(tmp_path / "a", tracker, HopelessFamily(), n_trials=3, pruner="median")
    longer = quick_study(tmp_path / "a", tracker, HopelessFamily(), n_trials=5, pruner="median")
    whole = quick_study(tmp_path / "b", RecordingTracker(), HopelessFamily(), n_trials=5, pruner="median")
    assert (longer.n_trials, longer.n_pruned) == (whole.n_trials, whole.n_pruned) == (2, 3)
    first, second = ([trial.params for trial in trials_of(tmp_path / name)] for name in "ab")
    assert first == second


def test_a_failing_trial_is_recorded_and_does_not_end_the_study(tmp_path, tracker):
    result = quick_study(tmp_path, tracker, FragileFamily(least_depth=3), n_trials=8)
    run = only_run(tracker)
    failed = [trial for trial in run.trials.values() if trial.state == "failed"]
    assert 0 < len(failed) == result.n_failed < 8
    assert failed[0].metrics == {}
    assert failed[0].tags["error"].startswith("ValueError: too shallow")
    assert failed[0].params["max_depth"] < 3
    assert run.state == "finished"


def test_a_study_whose_every_trial_fails_says_why(tmp_path, tracker):
    with pytest.raises(StudyError, match="all 4 failed, the last one with ValueError: too shallow"):
        quick_study(tmp_path, tracker, FragileFamily(least_depth=99))
    assert only_run(tracker).state == "failed"


def test_trials_left_running_by_a_dead_process_are_failed_and_tried_again(tmp_path, tracker):
    quick_study(tmp_path, tracker, n_trials=2)
    storage = open_storage(tmp_path)
    (name,) = optuna.get_all_study_names(storage)
    trial = optuna.load_study(study_name=name, storage=storage).ask()
    host, _, token = this_process().rsplit(":", 2)
    trial.set_user_attr(OWNER, f"{host}:{2**22 + 1}:{token}")
    left = QuickFamily().search_space(trial)
    result = quick_study(tmp_path, tracker, n_trials=4)
    states = [trial.state for trial in trials_of(tmp_path)]
    assert states == [TrialState.COMPLETE] * 2 + [TrialState.FAIL] + [TrialState.COMPLETE] * 2
    assert trials_of(tmp_path)[3].params["max_depth"] == left["max_depth"]
    assert (result.n_trials, result.n_failed) == (4, 0)
    assert sorted(only_run(tracker).trials) == [0, 1, 2, 3]


def test_a_trial_of_a_live_worker_is_left_alone(tmp_path, tracker):
    quick_study(tmp_path, tracker, n_trials=2)
    storage = open_storage(tmp_path)
    (name,) = optuna.get_all_study_names(storage)
    trial = optuna.load_study(study_name=name, storage=storage).ask()
    # The process that started these tests lives, and is another one.
    trial.set_user_attr(OWNER, OTHER)
    quick_study(tmp_path, tracker, n_trials=2)
    assert trials_of(tmp_path)[2].state is TrialState.RUNNING


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_study_resumes_as_if_nothing_had_happened(tmp_path, tracker, interruption):
    with pytest.raises(interruption, match="at its third trial"):
        quick_study(tmp_path / "a", tracker, InterruptedFamily(interruption=interruption), n_trials=5)
    assert only_run(tracker).state == "failed"
    assert not [trial for trial in trials_of(tmp_path / "a") if trial.state is TrialState.RUNNING]
    quick_study(tmp_path / "a", tracker, n_trials=5)
    quick_study(tmp_path / "b", RecordingTracker(), n_trials=5)
    assert tried(tmp_path / "a") == tried(tmp_path / "b")


CHILD = """
import sys, time
from pathlib import Path
from typing import ClassVar
from tests.learning.problems import QuickFamily, quick_study
from tests.learning.recording import RecordingTracker

class Hanging(QuickFamily):
    builds: ClassVar[int] = 0
    def build(self, params, task, *, seed, n_jobs=1):
        Hanging.builds += 1
        if Hanging.builds == 8:
            print("in the third trial", flush=True)
            time.sleep(60)
        return super().build(params, task, seed=seed)

quick_study(Path(sys.argv[1]), RecordingTracker(), Hanging(), n_trials=5)
"""


def test_a_study_killed_by_the_system_keeps_its_finished_trials_and_doubles_none(tmp_path, tracker):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "a")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with child:
        assert child.stdout.readline() == "in the third trial\n"
        child.send_signal(signal.SIGKILL)
    before = trials_of(tmp_path / "a")
    assert [trial.state for trial in before] == [TrialState.COMPLETE] * 2 + [TrialState.RUNNING]

    result = quick_study(tmp_path / "a", tracker, n_trials=5)
    after = trials_of(tmp_path / "a")
    assert [trial.values for trial in after[:2]] == [trial.values for trial in before[:2]]
    assert after[2].state is TrialState.FAIL
    assert result.n_trials == 5
    quick_study(tmp_path / "b", RecordingTracker(), n_trials=5)
    assert tried(tmp_path / "a") == tried(tmp_path / "b")
    # The child had a tracker of its own: what it had finished is recorded again by the one that resumes.
    assert sorted(only_run(tracker).trials) == [0, 1, 2, 3, 4]


def test_a_torn_last_line_of_the_journal_is_dropped(tmp_path, tracker):
    quick_study(tmp_path, tracker, n_trials=2)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":6,"worker')
    assert quick_study(tmp_path, tracker, n_trials=3).n_trials == 3


def test_a_time_limit_stops_between_trials(tmp_path, tracker):
    class Slow(QuickFamily):
        def build(self, params, task, *, seed, n_jobs=1):
            time.sleep(0.05)
            return super().build(params, task, seed=seed)

    result = quick_study(tmp_path, tracker, Slow(), n_trials=100, timeout=0.2)
    assert 1 <= result.n_trials < 10


def test_a_database_url_takes_the_place_of_the_journal(tmp_path, tracker, monkeypatch):
    monkeypatch.setenv(STORAGE_VARIABLE, f"sqlite:///{tmp_path / 'studies.db'}")
    result = quick_study(tmp_path / "unused", tracker, n_trials=2)
    assert result.n_trials == 2
    assert (tmp_path / "studies.db").exists()
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [("studies.db", "must be a database URL"), ("sqlite:////nowhere/at/all.db", "that can be opened, but: ")],
)
def test_a_wrong_database_url_is_refused_with_a_sentence(tmp_path, monkeypatch, url, message):
    monkeypatch.setenv(STORAGE_VARIABLE, url)
    with pytest.raises(ConfigurationError, match=message):
        open_storage(tmp_path)


def test_progress_is_told_after_every_trial(tmp_path, tracker):
    seen = []
    result = run_study(quick_plan(n_trials=3), open_storage(tmp_path), tracker, seen.append)
    assert [(each.study, each.done, each.total) for each in seen] == [("quick/plain", done, 3) for done in (1, 2, 3, 3)]
    assert seen[-1].best == result.cv_mean


def test_progress_counts_the_trials_of_others(tmp_path, tracker, monkeypatch):
    def run_by_others(study, total, evaluate, *, on_settled, **options):
        del on_settled
        run_trials(study, total, evaluate, on_settled=lambda _: None, **options)

    monkeypatch.setattr("nmr_platform.learning.tuning.study.run_trials", run_by_others)
    seen = []
    run_study(quick_plan(n_trials=3), open_storage(tmp_path), tracker, seen.append)
    assert [each.done for each in seen] == [3]


def test_a_helper_that_comes_when_all_is_done_closes_the_run_that_it_opened(tmp_path, tracker):
    plan, storage = quick_plan(n_trials=2), open_storage(tmp_path)
    run_study(plan, storage, tracker)
    help_study(plan, storage, tracker)
    assert [run.state for run in tracker.runs.values()] == ["finished"]
