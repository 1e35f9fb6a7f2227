"""Evaluate what tuning found: refit on the whole training part, look at the held-out part once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_predict

from nmr_platform.errors import DataError
from nmr_platform.learning.bootstrap import Bootstrap
from nmr_platform.learning.conformal import residual_quantile
from nmr_platform.learning.estimator import Estimator
from nmr_platform.learning.evaluation import (
    EvaluationResult,
    ModelEvaluation,
    confusion_by_bins,
    confusion_table,
)
from nmr_platform.learning.families import make_family
from nmr_platform.learning.folds import make_folds
from nmr_platform.learning.importances import impurity_importances, permutation_importances
from nmr_platform.learning.records import StudyResult, TuneSummary
from nmr_platform.learning.rows import TaskRows, task_rows
from nmr_platform.learning.scores import Predictions, score_by_bins, score_rows
from nmr_platform.learning.settings import EvaluateSettings
from nmr_platform.learning.split import HeldOut, TrainingPart
from nmr_platform.tracking import DatasetRecord, RunRecord, Tracker, closing_run

__all__ = ["evaluate_task"]

_EXAMPLE_ROWS = 5


def evaluate_task(
    summary: TuneSummary,
    features: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    *,
    settings: EvaluateSettings,
    tracker: Tracker,
    datasets: Sequence[DatasetRecord] = (),
    on_model: Callable[[ModelEvaluation], None] | None = None,
) -> EvaluationResult:
    """Score every tuned model of one task on the held-out part.

    The champion is the study of largest cross-validated score, whatever is found here. Scores, tables and
    importances go to the study's parent run; figures and the model are the caller's, who gets each model while its
    run is open.

    Args:
        summary: What tuning left behind.
        features: The feature tables that tuning had, rows in the order of ``labels``.
        labels: The labels that tuning had.
        settings: Resamples, bins, coverage.
        tracker: Where results are shown.
        datasets: The data sets behind the features, recorded as test input.
        on_model: Called with each evaluated model, its estimator included.

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
        tags = {"study": study.study_name, "disorder": summary.disorder}
        run_id = tracker.open_run(RunRecord(summary.task_name, study.run_name, tags=tags, datasets=datasets))
        with closing_run(tracker, run_id):
            model = _evaluate_model(summary, study, rows, settings, run_id)
            tracker.log_metrics(run_id, model.metrics())
            for name, table in model.tables().items():
                tracker.log_table(run_id, name, table)
            if on_model is not None:
                on_model(model)
        # A forest on a large set takes hundreds of MB; only the champion's is worth holding.
        models.append(model if model.is_champion else replace(model, estimator=None))
    n_test = int(rows.split.in_test.sum())
    return EvaluationResult(summary.task_name, summary.task, summary.disorder, summary.n_train, n_test, models)


def _evaluate_model(
    summary: TuneSummary, study: StudyResult, rows: TaskRows, settings: EvaluateSettings, run_id: str
) -> ModelEvaluation:
    task = summary.task
    training, test = rows.training_part(study.feature_set), rows.held_out(study.feature_set)
    estimator = _build(summary, study, n_jobs=settings.n_jobs)
    estimator.fit(training.features, task.y(training.labels))
    # Serving one curve is faster without threads, and a model should not remember the machine it was fitted on.
    estimator.set_params(n_jobs=1)
    predictions = Predictions(
        true=task.y(test.labels),
        predicted=estimator.predict(test.features),
        groups=test.groups,
        w=test.labels["W"].to_numpy(dtype=np.float64),
    )
    out_of_fold = None
    if not task.class_names:
        out_of_fold = _out_of_fold(summary, study, training, settings)
        residuals = (out_of_fold["true"] - out_of_fold["predicted"]).abs().to_numpy()
        half, centre = residual_quantile(residuals, settings.coverage), predictions.predicted.astype(np.float64)
        predictions = replace(predictions, lower=centre - half, upper=centre + half)
    bootstrap = Bootstrap(settings.n_resamples, settings.confidence, settings.seed)
    is_champion = study.study_name == summary.champion.study_name
    names = task.class_names
    return ModelEvaluation(
        study=study,
        run_id=run_id,
        is_champion=is_champion,
        scores=score_rows(task, predictions, bootstrap),
        bins=score_by_bins(task, predictions, bootstrap, n_bins=settings.n_bins),
        predictions=_prediction_table(predictions, test.labels),
        importances=_importances(summary, estimator, test, settings, is_champion=is_champion),
        confusion=confusion_table(predictions, names) if names else None,
        confusion_bins=confusion_by_bins(predictions, names, settings.n_bins) if names else None,
        out_of_fold=out_of_fold,
        example=training.features.head(_EXAMPLE_ROWS),
        estimator=estimator,
    )


def _build(summary: TuneSummary, study: StudyResult, *, n_jobs: int) -> Estimator:
    family = make_family(study.family, summary.tune)
    return family.build(study.best_params, summary.task, seed=summary.tune.seed, n_jobs=n_jobs)


def _out_of_fold(
    summary: TuneSummary, study: StudyResult, training: TrainingPart, settings: EvaluateSettings
) -> pd.DataFrame:
    true = summary.task.y(training.labels).astype(np.float64)
    folds = make_folds(training, summary.task, summary.tune.cv_folds, summary.tune.seed)
    with joblib.parallel_config(backend="threading"):
        predicted = cross_val_predict(
            _build(summary, study, n_jobs=1),
            training.features,
            true,
            cv=[(fold.fit, fold.score) for fold in folds],
            n_jobs=settings.n_jobs,
        )
    return pd.DataFrame({"true": true, "predicted": predicted})


def _importances(
    summary: TuneSummary, estimator: Estimator, test: HeldOut, settings: EvaluateSettings, *, is_champion: bool
) -> pd.DataFrame:
    table = impurity_importances(estimator, test.features)
    if not is_champion or settings.permutation_repeats == 0:
        return table
    shuffled = permutation_importances(
        estimator,
        test.features,
        summary.task.y(test.labels),
        summary.task,
        columns=table["feature"].head(settings.permutation_features).tolist(),
        repeats=settings.permutation_repeats,
        seed=settings.seed,
    )
    return table.merge(shuffled, on="feature", how="left")


def _prediction_table(predictions: Predictions, labels: pd.DataFrame) -> pd.DataFrame:
    table = labels[["kernel", "curve", "disorder", "W"]].reset_index(drop=True)
    table = table.assign(true=predictions.true, predicted=predictions.predicted)
    if predictions.lower is None:
        return table
    return table.assign(lower=predictions.lower, upper=predictions.upper)
