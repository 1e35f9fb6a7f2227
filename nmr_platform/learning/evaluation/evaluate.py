"""Evaluate what tuning found: refit on the whole training part, look at the held-out part once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.calibration import (
    fit_calibrated,
    interval_half_width,
    reliability_table,
    uncalibrated,
)
from nmr_platform.learning.evaluation.crossfit import out_of_fold
from nmr_platform.learning.evaluation.evaluation import (
    EvaluationResult,
    ModelEvaluation,
    confusion_by_bins,
    confusion_table,
)
from nmr_platform.learning.evaluation.importances import impurity_importances, permutation_importances
from nmr_platform.learning.evaluation.learning_curve import learning_curve
from nmr_platform.learning.evaluation.scores import Predictions, score_by_bins, score_by_exponent, score_rows
from nmr_platform.learning.evaluation.shapley import shap_importances
from nmr_platform.learning.models.estimator import Estimator, fit_beside_others, without_threads
from nmr_platform.learning.models.families import make_family
from nmr_platform.learning.rows import TaskRows, task_rows
from nmr_platform.learning.settings import EvaluateSettings
from nmr_platform.learning.splitting import HeldOut, TrainingPart
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning.folds import make_folds
from nmr_platform.learning.tuning.summary import StudyResult, TuneSummary

__all__ = ["evaluate_task"]

_EXAMPLE_ROWS = 5


def evaluate_task(
    summary: TuneSummary,
    features: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    *,
    settings: EvaluateSettings,
    on_model: Callable[[ModelEvaluation], None] | None = None,
) -> EvaluationResult:
    """Score every tuned model of one task on the held-out part.

    The champion is the study of largest cross-validated score, whatever is found here; it alone gets prediction
    intervals or calibrated probabilities, and explanations.

    Args:
        summary: What tuning left behind.
        features: The feature tables that tuning had, rows in the order of ``labels``.
        labels: The labels that tuning had.
        settings: Resamples, bins, coverage.
        on_model: Called with each evaluated model while it still has its estimator.

    Raises:
        DataError: Features or labels are not those of tuning, so that the split differs.
    """
    rows = task_rows(summary.task, features, labels, summary.split)
    if rows.split.digest != summary.split_digest:
        message = (
            f"The split of task `{summary.task_name}` must be the one of tuning ({summary.split_digest[:8]}), "
            f"but is {rows.split.digest[:8]}: features or labels have changed, tune again."
        )
        raise DataError(message)
    models = []
    for study in summary.studies:
        model = _evaluate_model(summary, study, rows, settings)
        if on_model is not None:
            on_model(model)
        # A forest on a large set takes hundreds of MB; only the champion's is worth holding.
        models.append(model if model.is_champion else replace(model, estimator=None))
    n_test = int(rows.split.in_test.sum())
    return EvaluationResult(summary.task_name, summary.task, summary.disorder, summary.n_train, n_test, models)


def _evaluate_model(
    summary: TuneSummary, study: StudyResult, rows: TaskRows, settings: EvaluateSettings
) -> ModelEvaluation:
    task, names = summary.task, summary.task.class_names
    training, test = rows.training_part(study.feature_set), rows.held_out(study.feature_set)
    is_champion = study.study_name == summary.champion.study_name
    estimator = _fitted(summary, study, training, settings, is_champion=is_champion)
    predictions = Predictions(
        true=task.y(test.labels),
        predicted=estimator.predict(test.features),
        groups=test.groups,
        w=test.labels["W"].to_numpy(dtype=np.float64),
    )
    calibration = None
    if is_champion and names:
        predictions = replace(predictions, probabilities=_probabilities(estimator, test, names))
    elif is_champion:
        calibration = _out_of_fold(summary, study, training, settings)
        residuals = (calibration["true"] - calibration["predicted"]).abs().to_numpy(dtype=np.float64)
        half = interval_half_width(residuals, coverage=settings.coverage)
        centre = predictions.predicted.astype(np.float64)
        predictions = replace(predictions, lower=centre - half, upper=centre + half)
    bootstrap = Bootstrap(settings.n_resamples, settings.confidence, settings.seed)
    model = ModelEvaluation(
        study=study,
        is_champion=is_champion,
        scores=score_rows(task, predictions, bootstrap),
        bins=score_by_bins(task, predictions, bootstrap, n_bins=settings.n_bins),
        predictions=_prediction_table(predictions, test.labels, names),
        importances=impurity_importances(estimator, test.features),
        confusion=confusion_table(predictions, names) if names else None,
        confusion_bins=confusion_by_bins(predictions, names, settings.n_bins) if names else None,
        out_of_fold=calibration,
        extras={},
        example=training.features.head(_EXAMPLE_ROWS),
        estimator=estimator,
    )
    return _explained(model, summary, (training, test), predictions, settings) if is_champion else model


def _fitted(
    summary: TuneSummary,
    study: StudyResult,
    training: TrainingPart,
    settings: EvaluateSettings,
    *,
    is_champion: bool,
) -> Estimator:
    y = summary.task.y(training.labels)
    if is_champion and summary.task.class_names:
        unfitted = _build(summary, study, n_jobs=1)
        folds = make_folds(training, summary.task, summary.tune.cv_folds, summary.tune.seed)
        return fit_calibrated(unfitted, training.features, y, folds, n_jobs=settings.n_jobs)
    unfitted = _build(summary, study, n_jobs=settings.n_jobs)
    return without_threads(fit_beside_others(unfitted, training.features, y))


def _build(summary: TuneSummary, study: StudyResult, *, n_jobs: int) -> Estimator:
    family = make_family(study.family, summary.tune)
    return family.build(study.best_params, summary.task, seed=summary.tune.seed, n_jobs=n_jobs)


def _out_of_fold(
    summary: TuneSummary, study: StudyResult, training: TrainingPart, settings: EvaluateSettings
) -> pd.DataFrame:
    true = summary.task.y(training.labels)
    predicted = out_of_fold(
        lambda: _build(summary, study, n_jobs=1),
        training.features.to_numpy(dtype=np.float32),
        true,
        make_folds(training, summary.task, settings.interval_folds, summary.tune.seed),
        n_jobs=settings.n_jobs,
    )
    return pd.DataFrame({"true": true, "predicted": predicted})


def _probabilities(estimator: Any, test: HeldOut, names: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities of the held-out curves, columns in the order of ``names``."""
    order = pd.Index(estimator.classes_).get_indexer(pd.Index(names))
    probabilities: NDArray[np.float64] = estimator.predict_proba(test.features)[:, order].astype(np.float64)
    return probabilities


def _explained(
    model: ModelEvaluation,
    summary: TuneSummary,
    parts: tuple[TrainingPart, HeldOut],
    predictions: Predictions,
    settings: EvaluateSettings,
) -> ModelEvaluation:
    """The champion with what only it is worth: shuffled and SHAP importances, learning curve, reliability."""
    test = parts[1]
    task, bootstrap = summary.task, Bootstrap(settings.n_resamples, settings.confidence, settings.seed)
    extras: dict[str, pd.DataFrame] = {}
    if settings.learning_curve:
        build = partial(_build, summary, model.study, n_jobs=settings.n_jobs)
        whole = uncalibrated(model.estimator)
        extras["learning_curve"] = learning_curve(
            task, build, whole, parts, settings.learning_curve, bootstrap, seed=settings.seed
        )
    if predictions.probabilities is not None:
        extras["reliability"] = reliability_table(
            predictions.true, predictions.probabilities, task.class_names, confidence=settings.confidence
        )
    exponent = test.labels["exponent"].to_numpy(dtype=np.float64) if "exponent" in test.labels else None
    by_exponent = None if exponent is None else score_by_exponent(task, predictions, exponent, bootstrap)
    if by_exponent is not None:
        extras["scores_by_exponent"] = by_exponent
    return replace(model, extras=extras, importances=_importances(model, task, test, settings))


def _importances(model: ModelEvaluation, task: Task, test: HeldOut, settings: EvaluateSettings) -> pd.DataFrame:
    table, estimator = model.importances, model.estimator
    if estimator is None:
        return table
    if settings.permutation_repeats:
        shuffled = permutation_importances(
            uncalibrated(estimator),
            test.features,
            task.y(test.labels),
            task,
            columns=table["feature"].head(settings.permutation_features).tolist(),
            repeats=settings.permutation_repeats,
            seed=settings.seed,
        )
        table = table.merge(shuffled, on="feature", how="left")
    if settings.shap_rows:
        values = shap_importances(estimator, test.features, rows=settings.shap_rows, seed=settings.seed)
        table = table.merge(values, on="feature", how="left")
    return table


def _prediction_table(predictions: Predictions, labels: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    table = labels[["kernel", "curve", "disorder", "W"]].reset_index(drop=True)
    table = table.assign(true=predictions.true, predicted=predictions.predicted)
    if predictions.probabilities is not None:
        return table.assign(**{f"p_{name}": predictions.probabilities[:, k] for k, name in enumerate(names)})
    if predictions.lower is None:
        return table
    return table.assign(lower=predictions.lower, upper=predictions.upper)
