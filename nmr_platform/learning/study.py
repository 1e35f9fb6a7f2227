"""One resumable study: search one family's parameters on one feature table by cross-validation."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from optuna.exceptions import TrialPruned
from optuna.pruners import MedianPruner
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.errors import NmrPlatformError
from nmr_platform.learning.estimator import Estimator, fit_beside_others
from nmr_platform.learning.families import WatchedFamily
from nmr_platform.learning.folds import Fold
from nmr_platform.learning.records import StudyResult
from nmr_platform.learning.scores import score_point
from nmr_platform.learning.spec import StudySpec
from nmr_platform.learning.tasks import Task
from nmr_platform.studies import (
    ERROR,
    Outcome,
    finished_trials,
    open_study,
    run_trials,
    settled_trials,
    trial_times,
)
from nmr_platform.tracking import Tracker, TrialRecord, closing_run

__all__ = ["StudyError", "StudyProgress", "run_study"]

_PARAMS, _FOLDS, _SECONDS = "params", "folds", "fit_seconds"
# Step of the first fold's score among the intermediate values: beyond any number of rounds.
_FOLD_DONE = 1_000_000
_STATES = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


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


def run_study(
    spec: StudySpec,
    storage: BaseStorage,
    tracker: Tracker,
    progress: Callable[[StudyProgress], None] | None = None,
) -> StudyResult:
    """Run the trials that the study still lacks, record each in the tracker, and return the best.

    The study's name carries a digest of its identity, so that a study is continued only if it would try the same
    things on the same data. Trials run one after the other, their folds in parallel: that is what makes the result
    independent of the number of cores.

    Args:
        spec: What to search, and on what.
        storage: Where the study remembers its trials, see `open_storage`.
        tracker: Where trials are shown.
        progress: Called after every trial.

    Raises:
        StudyError: Every trial failed.
    """
    start, tracking = time.perf_counter(), tracker.seconds
    settings = spec.settings
    study = open_study(
        storage,
        spec.study_name,
        spec.identity,
        seed=settings.seed,
        sampler=settings.sampler,
        startup_trials=settings.startup_trials,
        pruner=MedianPruner(n_startup_trials=settings.startup_trials) if settings.pruner == "median" else None,
    )
    run_id = tracker.open_run(spec.run_record())

    def show(trial: FrozenTrial) -> None:
        tracker.log_trial(run_id, _trial_record(trial, spec.task.metric))
        if progress is not None:
            best = max((other.value for other in finished_trials(study) if other.value is not None), default=np.nan)
            done = sum(other.state is not TrialState.FAIL for other in settled_trials(study))
            progress(StudyProgress(spec.label, done, settings.n_trials, best))

    with closing_run(tracker, run_id), Parallel(n_jobs=settings.n_jobs, prefer="threads") as pool:
        run_trials(study, settings.n_trials, _objective(spec, pool), on_settled=show, timeout=settings.timeout)
        result = _result(spec, study, run_id)
        tracker.log_params(run_id, {f"best_{name}": value for name, value in result.best_params.items()})
        tracker.log_metrics(run_id, _parent_metrics(spec, result))
    return result.replace(
        wall_seconds=time.perf_counter() - start, tracking_seconds=max(0.0, tracker.seconds - tracking)
    )


def _objective(spec: StudySpec, pool: Parallel) -> Callable[[Trial], Outcome]:
    """Mean score over the folds: the first one alone, to stop a hopeless trial early, the others in parallel."""
    x, y = spec.part.features.to_numpy(dtype=np.float32), spec.task.y(spec.part.labels)

    def evaluate(trial: Trial) -> Outcome:
        start = time.perf_counter()
        params = spec.family.search_space(trial)
        trial.set_user_attr(_PARAMS, params)

        def build() -> Estimator:
            return spec.family.build(params, spec.task, seed=spec.settings.seed)

        first, *others = spec.folds
        scores = [_first_score(spec, trial, build(), (x, y), first)]
        fits = (delayed(_fit_and_score)(build(), spec.task, x, y, fold) for fold in others)
        scores += [float(score) for score in pool(fits)]
        return Outcome(float(np.mean(scores)), {_FOLDS: scores, _SECONDS: time.perf_counter() - start})

    return evaluate


def _first_score(
    spec: StudySpec,
    trial: Trial,
    estimator: Estimator,
    rows: tuple[NDArray[np.float32], NDArray[np.generic]],
    fold: Fold,
) -> float:
    """Score on the first fold.

    Raises:
        TrialPruned: The pruner finds it, or what boosting has reached so far, too low.
    """
    x, y = rows

    def report(step: int, predicted: NDArray[np.generic]) -> None:
        trial.report(score_point(spec.task, y[fold.score], predicted), step)
        if trial.should_prune():
            raise TrialPruned

    if spec.settings.pruner != "none" and isinstance(spec.family, WatchedFamily):
        spec.family.fit_watched(estimator, (x[fold.fit], y[fold.fit]), x[fold.score], report)
    else:
        fit_beside_others(estimator, x[fold.fit], y[fold.fit])
    predicted = estimator.predict(x[fold.score])
    score = _finite(score_point(spec.task, y[fold.score], predicted), spec.task)
    report(_FOLD_DONE, predicted)
    return score


def _fit_and_score(
    estimator: Estimator, task: Task, x: NDArray[np.float32], y: NDArray[np.generic], fold: Fold
) -> float:
    fit_beside_others(estimator, x[fold.fit], y[fold.fit])
    return _finite(score_point(task, y[fold.score], estimator.predict(x[fold.score])), task)


def _finite(score: float, task: Task) -> float:
    if not np.isfinite(score):
        message = f"The {task.metric} of a fold must be finite, but is {score}."
        raise StudyError(message)
    return score


def _result(spec: StudySpec, study: Study, run_id: str) -> StudyResult:
    finished = finished_trials(study)
    if not finished:
        errors = [trial.user_attrs[ERROR] for trial in settled_trials(study)]
        reason = f"all {len(errors)} failed, the last one with {errors[-1]}" if errors else "none was started in time."
        message = f"Study `{study.study_name}` must finish a trial, but {reason}"
        raise StudyError(message)
    best = max(finished, key=lambda trial: (trial.value, -trial.number))
    folds = best.user_attrs[_FOLDS]
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    return StudyResult(
        family=spec.family.name,
        feature_set=spec.feature_set,
        study_name=study.study_name,
        run_name=spec.run_name,
        run_id=run_id,
        best_trial=best.number,
        best_params=best.user_attrs[_PARAMS],
        cv_mean=float(np.mean(folds)),
        cv_std=float(np.std(folds)),
        cv_folds=tuple(folds),
        n_trials=len(finished),
        n_pruned=len(pruned),
        n_failed=len(settled_trials(study)) - len(finished) - len(pruned),
        trial_seconds=sum(trial.duration.total_seconds() for trial in finished if trial.duration is not None),
        wall_seconds=0.0,
        tracking_seconds=0.0,
    )


def _trial_record(trial: FrozenTrial, metric: str) -> TrialRecord:
    start, end = trial_times(trial)
    metrics: dict[str, float] = {}
    if trial.state is TrialState.COMPLETE:
        folds = trial.user_attrs[_FOLDS]
        metrics = {f"cv_{metric}": float(np.mean(folds)), f"cv_{metric}_std": float(np.std(folds))}
        metrics |= {f"fold_{index}_{metric}": score for index, score in enumerate(folds)}
        metrics["fit_seconds"] = trial.user_attrs[_SECONDS]
    elif trial.state is TrialState.PRUNED:
        metrics = {f"pruned_at_{metric}": trial.intermediate_values[max(trial.intermediate_values)]}
    return TrialRecord(
        number=trial.number,
        params=trial.user_attrs.get(_PARAMS, trial.params),
        metrics=metrics,
        start=start,
        end=end,
        state=_STATES[trial.state],
        tags={ERROR: trial.user_attrs[ERROR]} if ERROR in trial.user_attrs else {},
    )


def _parent_metrics(spec: StudySpec, result: StudyResult) -> dict[str, float]:
    metric = spec.task.metric
    return {
        f"cv_{metric}": result.cv_mean,
        f"cv_{metric}_std": result.cv_std,
        "n_trials": float(result.n_trials),
        "n_pruned": float(result.n_pruned),
        "n_failed": float(result.n_failed),
        "trial_seconds": result.trial_seconds,
    }
