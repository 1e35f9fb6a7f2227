"""One resumable study: search one family's parameters on one feature table by cross-validation."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from optuna.exceptions import TrialPruned
from optuna.pruners import MedianPruner
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.errors import NmrPlatformError
from nmr_platform.learning.evaluation.scores import score_point
from nmr_platform.learning.models.estimator import Estimator, fit_beside_others
from nmr_platform.learning.models.families import WatchedFamily, search_space
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning.folds import Fold
from nmr_platform.learning.tuning.plan import StudyPlan
from nmr_platform.learning.tuning.summary import StudyResult
from nmr_platform.studies import (
    ERROR,
    Outcome,
    StudyRun,
    best_trial,
    finished_trials,
    keep_run,
    open_study,
    over_trials,
    run_trials,
    score_of,
    settled_trials,
)
from nmr_platform.tracking import Tracker

__all__ = ["StudyError", "StudyProgress", "help_study", "run_study"]

_PARAMS, _FOLDS = "params", "folds"
# Step of the first fold's score among the intermediate values: beyond any number of rounds.
_FOLD_DONE = 1_000_000


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
    spec: StudyPlan,
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
    run = _open(spec, storage, tracker)

    def report(_: FrozenTrial) -> None:
        if progress is not None:
            best = best_trial(run.study)
            score = np.nan if best is None else score_of(best)
            progress(StudyProgress(spec.label, len(over_trials(run.study)), spec.settings.n_trials, score))

    with run.closing():
        _run_trials(spec, run, report)
        result = _result(spec, run)
        run.log_summary()
    return result.replace(
        wall_seconds=time.perf_counter() - start, tracking_seconds=max(0.0, tracker.seconds - tracking)
    )


def help_study(spec: StudyPlan, storage: BaseStorage, tracker: Tracker) -> None:
    """Run trials beside the process that runs the study, which waits for them and sums up.

    Args:
        spec: What to search, and on what.
        storage: Where the study remembers its trials; the other process must reach it too.
        tracker: Where trials are shown.
    """
    _run_trials(spec, _open(spec, storage, tracker), helping=True)


def _open(spec: StudyPlan, storage: BaseStorage, tracker: Tracker) -> StudyRun:
    settings = spec.settings
    study = open_study(
        storage,
        spec.study_name,
        spec.identity,
        seed=settings.seed,
        sampler=settings.sampler,
        startup_trials=settings.startup_trials,
        space=search_space(spec.family),
        with_cost=settings.with_cost,
        pruner=MedianPruner(n_startup_trials=settings.startup_trials) if settings.prunes else None,
    )
    keep_run(study, spec.run_entry(), f"cross-validated {spec.task.metric}")
    return StudyRun.open(study, tracker)


def _run_trials(
    spec: StudyPlan,
    run: StudyRun,
    report: Callable[[FrozenTrial], None] | None = None,
    *,
    helping: bool = False,
) -> None:
    def show(trial: FrozenTrial) -> None:
        run.log_trial(trial)
        if report is not None:
            report(trial)

    settings = spec.settings
    with Parallel(n_jobs=settings.n_jobs, prefer="threads") as pool:
        run_trials(
            run.study,
            settings.n_trials,
            _objective(spec, pool),
            on_settled=show,
            timeout=settings.timeout,
            patience=settings.patience,
            helping=helping,
        )


def _objective(spec: StudyPlan, pool: Parallel) -> Callable[[Trial], Outcome]:
    """Mean score over the folds: the first one alone, to stop a hopeless trial early, the others in parallel."""
    x, y = spec.part.features.to_numpy(dtype=np.float32), spec.task.y(spec.part.labels)

    def evaluate(trial: Trial) -> Outcome:
        start = time.perf_counter()
        params = spec.family.search_space(trial)
        # Kept at once, for a trial that fails shows them too.
        trial.set_user_attr(_PARAMS, params)

        def build() -> Estimator:
            return spec.family.build(params, spec.task, seed=spec.settings.seed)

        first, *others = spec.folds
        fitted = [_first_fold(spec, trial, build(), (x, y), first)]
        fitted += pool(delayed(_fit_and_score)(spec, build(), x, y, fold) for fold in others)
        scores = [score for score, _ in fitted]
        metrics = _trial_metrics(spec.task.metric, scores, time.perf_counter() - start)
        if not spec.settings.with_cost:
            return Outcome(float(np.mean(scores)), {_FOLDS: scores}, metrics=metrics)
        size = float(np.mean([size for _, size in fitted]))
        return Outcome(float(np.mean(scores)), {_FOLDS: scores}, size, {**metrics, "model_mb": size})

    return evaluate


def _first_fold(
    spec: StudyPlan,
    trial: Trial,
    estimator: Estimator,
    rows: tuple[NDArray[np.float32], NDArray[np.generic]],
    fold: Fold,
) -> tuple[float, float]:
    """Score on the first fold, and the size of its model in MB if it is to be weighed.

    Raises:
        TrialPruned: The pruner finds it, or what boosting has reached so far, too low.
    """
    x, y = rows

    def report(step: int, predicted: NDArray[np.generic]) -> None:
        trial.report(score_point(spec.task, y[fold.score], predicted), step)
        if trial.should_prune():
            raise TrialPruned

    if spec.settings.prunes and isinstance(spec.family, WatchedFamily):
        spec.family.fit_watched(estimator, (x[fold.fit], y[fold.fit]), x[fold.score], report)
    else:
        fit_beside_others(estimator, x[fold.fit], y[fold.fit])
    predicted = estimator.predict(x[fold.score])
    score = _finite(score_point(spec.task, y[fold.score], predicted), spec.task)
    if spec.settings.prunes:
        report(_FOLD_DONE, predicted)
    return score, _size(spec, estimator)


def _fit_and_score(
    spec: StudyPlan, estimator: Estimator, x: NDArray[np.float32], y: NDArray[np.generic], fold: Fold
) -> tuple[float, float]:
    """Score of a fitted fold, and the size of its model in MB if it is to be weighed."""
    fit_beside_others(estimator, x[fold.fit], y[fold.fit])
    score = score_point(spec.task, y[fold.score], estimator.predict(x[fold.score]))
    return _finite(score, spec.task), _size(spec, estimator)


def _size(spec: StudyPlan, estimator: Estimator) -> float:
    return len(pickle.dumps(estimator)) / 1e6 if spec.settings.with_cost else 0.0


def _finite(score: float, task: Task) -> float:
    if not np.isfinite(score):
        message = f"The {task.metric} of a fold must be finite, but is {score}."
        raise StudyError(message)
    return score


def _result(spec: StudyPlan, run: StudyRun) -> StudyResult:
    study = run.study
    finished, best = finished_trials(study), best_trial(study)
    if best is None:
        errors = [trial.user_attrs[ERROR] for trial in settled_trials(study) if ERROR in trial.user_attrs]
        reason = f"all {len(errors)} failed, the last one with {errors[-1]}" if errors else "none was started in time."
        message = f"Study `{study.study_name}` must finish a trial, but {reason}"
        raise StudyError(message)
    folds = best.user_attrs[_FOLDS]
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    return StudyResult(
        family=spec.family.name,
        feature_set=spec.feature_set,
        study_name=study.study_name,
        run_name=spec.run_name,
        run_id=run.run_id,
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


def _trial_metrics(metric: str, folds: list[float], seconds: float) -> dict[str, float]:
    scores = {f"fold_{index}_{metric}": score for index, score in enumerate(folds)}
    spread = {f"cv_{metric}": float(np.mean(folds)), f"cv_{metric}_std": float(np.std(folds))}
    return {**spread, **scores, "fit_seconds": seconds}
