"""Resumable studies: search each family's parameters on each feature table by cross-validation."""

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from optuna.exceptions import TrialPruned
from optuna.pruners import MedianPruner
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from threadpoolctl import threadpool_limits

from nmr_platform.errors import NmrPlatformError
from nmr_platform.learning.models import Estimator, fit_beside_others, search_space, without_threads
from nmr_platform.learning.settings import SplitSettings, TuneSettings
from nmr_platform.learning.splitting import Fold, task_rows
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning.plan import StudyPlan, study_plans
from nmr_platform.learning.tuning.summary import StudyResult, TuneSummary
from nmr_platform.studies import (
    Outcome,
    StudyRun,
    beside,
    best_of,
    best_trial,
    closing_storage,
    error_of,
    first_trials,
    keep_run,
    last_step,
    open_study,
    over_trials,
    run_trials,
    score_of,
)
from nmr_platform.tracking import DatasetEntry, Series, Tracker

__all__ = ["StudyError", "StudyProgress", "help_study", "run_study", "tune_task"]

_PARAMS, _FOLDS = "params", "folds"


class StudyError(NmrPlatformError):
    """No trial of a study finished."""


@dataclass(frozen=True)
class StudyProgress:
    """Where a study stands, for a progress bar.

    Attributes:
        study: Family and feature set.
        done: Trials that are over.
        total: Trials there shall be.
        best: Best score so far; NaN if there is none.
    """

    study: str
    done: int
    total: int
    best: float


def tune_task(
    task_name: str,
    task: Task,
    features: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    *,
    tune: TuneSettings,
    split: SplitSettings,
    tracker: Tracker,
    storage: Path,
    datasets: Sequence[DatasetEntry] = (),
    progress: Callable[[StudyProgress], None] | None = None,
) -> TuneSummary:
    """Run or resume all studies of one task.

    Args:
        task_name: Name of the task, and of the experiment in the tracker.
        task: What to learn.
        features: Feature tables by name, float32, rows in the order of ``labels``.
        labels: Labels with ``kernel``, ``curve``, ``disorder``, ``W`` and the target.
        tune: Families, feature sets and length of the search.
        split: What is held out; none of it reaches a study.
        tracker: Where runs are shown.
        storage: Folder of the study journal, unless `NMR_STUDY_STORAGE` names a database.
        datasets: The data sets behind the features; their digests are part of every study's identity.
        progress: Called after every trial.

    Raises:
        ConfigurationError: A feature set is not among ``features``.
        DataError: The rows cannot be split honestly or are too few.
        StudyError: Every trial of a study failed.
    """
    tables = task_rows(task, features, labels, split)
    with closing_storage(storage) as opened, beside() as do:
        studies = tuple(
            run_study(plan, opened, tracker, progress, do)
            for plan in study_plans(task_name, task, tables, tune, datasets)
        )
    return TuneSummary(
        task_name=task_name,
        task=task,
        disorder=tables.split.disorder,
        split_digest=tables.split.digest,
        split=split,
        tune=tune,
        n_train=int((~tables.split.in_test).sum()),
        studies=studies,
    )


def run_study(
    plan: StudyPlan,
    storage: BaseStorage,
    tracker: Tracker,
    progress: Callable[[StudyProgress], None] | None = None,
    do: Callable[[Callable[[], None]], None] | None = None,
) -> StudyResult:
    """Run the trials that the study still lacks, show each in the tracker, and return the best.

    The study's name carries a digest of its identity, so that a study is continued only if it would try the same
    things on the same data. Trials run one after the other, their folds in parallel: that is what makes the result
    independent of the number of cores.

    Args:
        plan: What to search, and on what.
        storage: Where the study remembers its trials, see `open_storage`.
        tracker: Where trials are shown.
        progress: Called after every trial.
        do: From `studies.beside`, to go on to the next study while pictures of this one are written; None to wait.

    Raises:
        StudyError: Every trial failed.
    """
    start, tracking = time.perf_counter(), tracker.seconds
    run = _open(plan, storage, tracker, do)

    def report(_: FrozenTrial | None = None) -> None:
        if progress is not None:
            best = best_trial(run.study)
            score = np.nan if best is None else score_of(best)
            progress(StudyProgress(plan.label, len(over_trials(run.study)), plan.settings.n_trials, score))

    with run.closing():
        _run_trials(plan, run, report)
        # The last trials may be those of others.
        report()
        result = _result(plan, run)
        run.log_summary()
    return result.replace(
        wall_seconds=time.perf_counter() - start, tracking_seconds=max(0.0, tracker.seconds - tracking)
    )


def help_study(plan: StudyPlan, storage: BaseStorage, tracker: Tracker) -> None:
    """Run trials beside the process that runs the study, which waits for them and sums up.

    Args:
        plan: What to search, and on what.
        storage: Where the study remembers its trials; the other process must reach it too.
        tracker: Where trials are shown.
    """
    run = _open(plan, storage, tracker)
    # Whoever ends last closes it: we may open it when the other process has done everything.
    with run.closing():
        _run_trials(plan, run, helping=True)


def _open(
    plan: StudyPlan,
    storage: BaseStorage,
    tracker: Tracker,
    do: Callable[[Callable[[], None]], None] | None = None,
) -> StudyRun:
    settings = plan.settings
    study = open_study(
        storage,
        plan.study_name,
        plan.identity,
        seed=settings.seed,
        sampler=settings.sampler,
        startup_trials=settings.startup_trials,
        space=search_space(plan.family),
        with_cost=settings.with_cost,
        pruner=MedianPruner(n_startup_trials=settings.startup_trials) if settings.prunes else None,
    )
    keep_run(study, plan.run_entry(), f"cross-validated {plan.task.metric}")
    return StudyRun.open(study, tracker, do)


def _run_trials(
    plan: StudyPlan,
    run: StudyRun,
    report: Callable[[FrozenTrial], None] | None = None,
    *,
    helping: bool = False,
) -> None:
    def show(trial: FrozenTrial) -> None:
        run.log_trial(trial)
        if report is not None:
            report(trial)

    settings = plan.settings
    # Around all of it: limits that threads set and lift one by one would get in each other's way.
    with threadpool_limits(limits=1), Parallel(n_jobs=settings.n_jobs, prefer="threads") as pool:
        run_trials(
            run.study,
            settings.n_trials,
            _CrossValidation(plan, pool),
            on_settled=show,
            timeout=settings.timeout,
            patience=settings.patience,
            helping=helping,
        )


class _CrossValidation:
    """The objective: the mean score over the folds.

    Where trials are pruned, the first fold is fitted alone, with all threads that the family can use, and the others
    beside each other; how many threads there are changes no result.
    """

    def __init__(self, plan: StudyPlan, pool: Parallel) -> None:
        self._plan, self._pool = plan, pool
        self._x, self._y = plan.part.features.to_numpy(dtype=np.float32), plan.task.y(plan.part.labels)

    def __call__(self, trial: Trial) -> Outcome:
        """Draw parameters and score them.

        Raises:
            TrialPruned: The pruner finds the first fold, or what boosting has reached on it so far, too low.
        """
        start, settings = time.perf_counter(), self._plan.settings
        params = self._plan.family.search_space(trial)
        # Kept at once, for a trial that fails shows them too.
        trial.set_user_attr(_PARAMS, params)
        alone = 1 if settings.prunes else 0
        fitted = [self._watched(trial, self._build(params, settings.n_jobs), fold) for fold in self._plan.folds[:alone]]
        others = [(self._build(params), fold) for fold in self._plan.folds[alone:]]
        fitted += self._pool(delayed(self._fitted)(estimator, fold) for estimator, fold in others)
        scores = [score for score, _ in fitted]
        metrics = _trial_metrics(self._plan.task.metric, scores, time.perf_counter() - start)
        if not settings.with_cost:
            return Outcome(float(np.mean(scores)), {_FOLDS: scores}, metrics=metrics)
        size = float(np.mean([size for _, size in fitted]))
        return Outcome(float(np.mean(scores)), {_FOLDS: scores}, size, {**metrics, "model_mb": size})

    def _build(self, params: dict[str, Any], n_jobs: int = 1) -> Estimator:
        plan = self._plan
        return plan.family.build(params, plan.task, seed=plan.settings.seed, n_jobs=n_jobs)

    def _watched(self, trial: Trial, estimator: Estimator, fold: Fold) -> tuple[float, float]:
        """Score and size of the first fold, unless the pruner stops it."""

        def report(step: int, predicted: NDArray[np.generic]) -> None:
            trial.report(self._plan.task.score(self._y[fold.score], predicted), step)
            if trial.should_prune():
                raise TrialPruned

        x, y = self._x, self._y
        self._plan.family.fit_watched(estimator, (x[fold.fit], y[fold.fit]), x[fold.score], report)
        predicted = without_threads(estimator).predict(x[fold.score])
        outcome = self._scored(estimator, fold, predicted)
        report(last_step(trial), predicted)
        return outcome

    def _fitted(self, estimator: Estimator, fold: Fold) -> tuple[float, float]:
        """Score and size of a fold."""
        fit_beside_others(estimator, self._x[fold.fit], self._y[fold.fit])
        return self._scored(estimator, fold, estimator.predict(self._x[fold.score]))

    def _scored(self, estimator: Estimator, fold: Fold, predicted: NDArray[np.generic]) -> tuple[float, float]:
        """The score of a fold, and the size of its model in MB if it is to be weighed."""
        score = _finite(self._plan.task.score(self._y[fold.score], predicted), self._plan.task)
        return score, len(pickle.dumps(estimator)) / 1e6 if self._plan.settings.with_cost else 0.0


def _finite(score: float, task: Task) -> float:
    if not np.isfinite(score):
        message = f"The {task.metric} of a fold must be finite, but is {score}."
        raise StudyError(message)
    return score


def _result(plan: StudyPlan, run: StudyRun) -> StudyResult:
    study, settings = run.study, plan.settings
    trials = first_trials(study, settings.n_trials, settings.patience)
    best = best_of(trials)
    if best is None:
        errors = [error_of(trial) for trial in trials if error_of(trial)]
        reason = f"all {len(errors)} failed, the last one with {errors[-1]}" if errors else "none was started in time."
        message = f"Study `{study.study_name}` must finish a trial, but {reason}"
        raise StudyError(message)
    folds = best.user_attrs[_FOLDS]
    finished, pruned, failed = (
        [trial for trial in trials if trial.state is state]
        for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    )
    return StudyResult(
        family=plan.family.kind,
        feature_set=plan.feature_set,
        study_name=study.study_name,
        run_name=plan.run_name,
        run_id=run.run_id,
        best_trial=best.number,
        best_params=best.user_attrs[_PARAMS],
        cv_mean=float(np.mean(folds)),
        cv_std=float(np.std(folds)),
        cv_folds=tuple(folds),
        n_trials=len(finished),
        n_pruned=len(pruned),
        n_failed=len(failed),
        trial_seconds=sum(trial.duration.total_seconds() for trial in trials if trial.duration is not None),
        wall_seconds=0.0,
        tracking_seconds=0.0,
    )


def _trial_metrics(metric: str, folds: list[float], seconds: float) -> dict[str, float | Series]:
    scores = {f"fold_{index}_{metric}": score for index, score in enumerate(folds)}
    curve = {f"folds_{metric}": dict(enumerate(folds))}
    spread = {f"cv_{metric}": float(np.mean(folds)), f"cv_{metric}_std": float(np.std(folds))}
    return {**spread, **scores, **curve, "fit_seconds": seconds}
