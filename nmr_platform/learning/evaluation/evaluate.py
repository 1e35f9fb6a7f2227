"""Evaluate what tuning found: refit on the whole training part, look at the held-out part once."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nmr_platform.errors import DataError
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.calibration import (
    fit_calibrated,
    interval_half_width,
    out_of_fold,
    reliability_table,
    uncalibrated,
)
from nmr_platform.learning.evaluation.explanation import (
    impurity_importances,
    permutation_importances,
    shap_importances,
)
from nmr_platform.learning.evaluation.joint import joint_columns, joint_tables
from nmr_platform.learning.evaluation.posterior import (
    expected_coverage,
    posterior_columns,
    posterior_of,
    rank_histogram,
)
from nmr_platform.learning.evaluation.results import (
    EvaluationResult,
    ModelEvaluation,
    confusion_by_bins,
    confusion_table,
)
from nmr_platform.learning.evaluation.scores import Predictions, score_by_bins, score_by_exponent, score_rows
from nmr_platform.learning.evaluation.stress import learning_curve, scores_of_splits
from nmr_platform.learning.models import Estimator, JointMixture, fit_beside_others, without_threads
from nmr_platform.learning.settings import EvaluateSettings
from nmr_platform.learning.splitting import HeldOut, SplitTables, TrainingPart, make_folds, task_rows
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning import StudyResult, TuneSummary

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
    intervals or calibrated probabilities, and explanations. While the caller looks at a model, the next ones are
    evaluated; how many threads there are changes no result.

    Args:
        summary: What tuning left behind.
        features: The feature tables that tuning had, rows in the order of ``labels``.
        labels: The labels that tuning had.
        settings: Resamples, bins, coverage.
        on_model: Called with each evaluated model, in the order of the studies, while it still has its estimator.

    Raises:
        DataError: Features or labels are not those of tuning, so that the split differs.
    """
    tables = task_rows(summary.task, features, labels, summary.split)
    if tables.split.digest != summary.split_digest:
        message = (
            f"The split of task `{summary.task_name}` must be the one of tuning ({summary.split_digest[:8]}), "
            f"but is {tables.split.digest[:8]}: features or labels have changed, tune again."
        )
        raise DataError(message)
    exam = _Exam(summary, features, labels, tables, settings)
    models = []
    with threadpool_limits(limits=1):
        for model in _ahead(exam.evaluate, summary.studies, joblib.effective_n_jobs(settings.n_jobs)):
            if on_model is not None:
                on_model(model)
            # A forest on a large set takes hundreds of MB; only the champion's is worth holding.
            models.append(model if model.is_champion else replace(model, estimator=None))
    n_test = int(tables.split.in_test.sum())
    return EvaluationResult(summary.task_name, summary.task, summary.disorder, summary.n_train, n_test, models)


def _ahead(
    evaluate: Callable[[StudyResult], ModelEvaluation], studies: Sequence[StudyResult], n_jobs: int
) -> Iterator[ModelEvaluation]:
    """The models in order, while threads work on the next few; no more of them are held than there are threads."""
    if n_jobs == 1:
        yield from map(evaluate, studies)
        return
    with ThreadPoolExecutor(n_jobs) as pool:
        waiting: deque[Future[ModelEvaluation]] = deque()
        for study in studies:
            if len(waiting) == n_jobs:
                yield waiting.popleft().result()
            waiting.append(pool.submit(evaluate, study))
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True)
class _Exam:
    """One task's held-out part, and what is asked of models on it."""

    summary: TuneSummary
    features: Mapping[str, pd.DataFrame]
    labels: pd.DataFrame
    tables: SplitTables
    settings: EvaluateSettings

    def evaluate(self, study: StudyResult) -> ModelEvaluation:
        """Fit and score the best model of a study."""
        task, names, settings = self.summary.task, self.summary.task.class_names, self.settings
        training, test = self.tables.training_part(study.feature_set), self.tables.held_out(study.feature_set)
        is_champion = study.study_name == self.summary.champion.study_name
        estimator = self._calibrated(study, training) if is_champion and names else self._fitted(study, training)
        predictions, calibration = Predictions.of(task, estimator, test), None
        if is_champion and names:
            predictions = replace(predictions, probabilities=_probabilities(estimator, test, names))
        elif is_champion and "" in task.parts:
            calibration = self._out_of_fold(study, training)
            residuals = (calibration["true"] - calibration["predicted"]).abs().to_numpy(dtype=np.float64)
            half = interval_half_width(residuals, coverage=settings.coverage)
            centre = predictions.predicted.astype(np.float64)
            predictions = replace(predictions, lower=centre - half, upper=centre + half)
        predictions, extras = self._posterior(study, estimator, (training, test), predictions)
        if self.summary.tune.repeats:
            extras["repeats"] = self._repeats(study)
        model = ModelEvaluation(
            study=study,
            is_champion=is_champion,
            scores=score_rows(task, predictions, self._bootstrap),
            bins=score_by_bins(task, predictions, self._bootstrap, n_bins=settings.n_bins),
            predictions=_prediction_table(predictions, test.labels, task),
            importances=impurity_importances(self.summary.tune.family(study.family), estimator, test.features),
            confusion=confusion_table(predictions, names) if names else None,
            confusion_bins=confusion_by_bins(predictions, names, settings.n_bins) if names else None,
            out_of_fold=calibration,
            extras=extras,
            example=training.features.head(_EXAMPLE_ROWS),
            estimator=estimator,
        )
        if not is_champion:
            return model
        extras |= {**self._extras(study, estimator, (training, test), predictions)}
        return replace(model, extras=extras, importances=self._importances(model, estimator, test))

    def _posterior(
        self,
        study: StudyResult,
        estimator: Estimator,
        parts: tuple[TrainingPart, HeldOut],
        predictions: Predictions,
    ) -> tuple[Predictions, dict[str, pd.DataFrame]]:
        """The predictions with what their posteriors are worth, if the model has any, and tables that say more."""
        task, settings, (training, test) = self.summary.task, self.settings, parts
        posterior = posterior_of(self.summary.tune.family(study.family), estimator, test.features)
        if posterior is None:
            return predictions, {}
        true, prior = predictions.true.astype(np.float64), task.y(training.labels).astype(np.float64)
        if isinstance(posterior, JointMixture):
            columns = joint_columns(task, posterior, true, prior, seed=settings.seed)
            lower, upper = posterior.interval(settings.coverage)
            tables = joint_tables(
                task, posterior, true, columns, prior.std(axis=0), confidence=settings.confidence, seed=settings.seed
            )
            return replace(predictions, lower=lower, upper=upper, posterior=columns), tables
        columns = posterior_columns(posterior, true, prior, coverage=settings.coverage)
        return replace(predictions, posterior=columns), {
            "ranks": rank_histogram(posterior, true, confidence=settings.confidence),
            "expected_coverage": expected_coverage(posterior, true, confidence=settings.confidence, seed=settings.seed),
        }

    @property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.settings.n_resamples, self.settings.confidence, self.settings.seed)

    def _fitted(self, study: StudyResult, training: TrainingPart) -> Estimator:
        unfitted = self.summary.unfitted(study, n_jobs=self.settings.n_jobs)
        return without_threads(fit_beside_others(unfitted, training.features, self.summary.task.y(training.labels)))

    def _calibrated(self, study: StudyResult, training: TrainingPart) -> Estimator:
        task, tune = self.summary.task, self.summary.tune
        folds = make_folds(training, task, tune.cv_folds, tune.seed)
        y = task.y(training.labels)
        unfitted = self.summary.unfitted(study)
        return without_threads(fit_calibrated(unfitted, training.features, y, folds, n_jobs=self.settings.n_jobs))

    def _out_of_fold(self, study: StudyResult, training: TrainingPart) -> pd.DataFrame:
        task = self.summary.task
        true = task.y(training.labels)
        predicted = out_of_fold(
            lambda: self.summary.unfitted(study),
            training.features.to_numpy(dtype=np.float32),
            true,
            make_folds(training, task, self.settings.interval_folds, self.summary.tune.seed),
            n_jobs=self.settings.n_jobs,
        )
        return pd.DataFrame({"true": true, "predicted": predicted})

    def _repeats(self, study: StudyResult) -> pd.DataFrame:
        """The study's winner fitted and scored with other seeds of the split."""
        splits = [
            self.summary.split.replace(seed=self.summary.split.seed + number)
            for number in range(1, self.summary.tune.repeats + 1)
        ]
        return scores_of_splits(
            self.summary.task,
            partial(self.summary.unfitted, study),
            ({study.feature_set: self.features[study.feature_set]}, self.labels),
            splits,
            n_jobs=self.settings.n_jobs,
        )

    def _extras(
        self,
        study: StudyResult,
        estimator: Estimator,
        parts: tuple[TrainingPart, HeldOut],
        predictions: Predictions,
    ) -> dict[str, pd.DataFrame]:
        """Tables that only the champion is worth: learning curve, reliability, scores by exponent."""
        task, settings, labels = self.summary.task, self.settings, parts[1].labels
        extras: dict[str, pd.DataFrame] = {}
        if settings.learning_curve:
            extras["learning_curve"] = learning_curve(
                task,
                partial(self.summary.unfitted, study),
                uncalibrated(estimator),
                parts,
                settings.learning_curve,
                self._bootstrap,
                seed=settings.seed,
                n_jobs=settings.n_jobs,
            )
        if predictions.probabilities is not None:
            extras["reliability"] = reliability_table(
                predictions.true, predictions.probabilities, task.class_names, confidence=settings.confidence
            )
        exponent = labels["exponent"].to_numpy(dtype=np.float64) if "exponent" in labels else None
        by_exponent = None if exponent is None else score_by_exponent(task, predictions, exponent, self._bootstrap)
        if by_exponent is not None:
            extras["scores_by_exponent"] = by_exponent
        return extras

    def _importances(self, model: ModelEvaluation, estimator: Estimator, test: HeldOut) -> pd.DataFrame:
        """The champion's importances from the fit, and by shuffling and as SHAP values where they are asked for."""
        task, settings, table = self.summary.task, self.settings, model.importances
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
            family = self.summary.tune.family(model.study.family)
            values = shap_importances(family, estimator, test.features, rows=settings.shap_rows, seed=settings.seed)
            table = table.merge(values, on="feature", how="left")
        return table


def _probabilities(estimator: Any, test: HeldOut, names: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities of the held-out curves, columns in the order of ``names``."""
    order = pd.Index(estimator.classes_).get_indexer(pd.Index(names))
    probabilities: NDArray[np.float64] = estimator.predict_proba(test.features)[:, order].astype(np.float64)
    return probabilities


def _prediction_table(predictions: Predictions, labels: pd.DataFrame, task: Task) -> pd.DataFrame:
    table, names = labels[["kernel", "curve", "disorder", "W"]].reset_index(drop=True), task.class_names
    if not names and "" not in task.parts:
        parts = [
            _prediction_table(predictions.of_target(k), labels, part).drop(columns=table.columns).add_suffix(ending)
            for k, (ending, part) in enumerate(task.parts.items())
        ]
        return pd.concat([table, *parts], axis=1)
    table = table.assign(true=predictions.true, predicted=predictions.predicted)
    if predictions.probabilities is not None:
        return table.assign(**{f"p_{name}": predictions.probabilities[:, k] for k, name in enumerate(names)})
    if predictions.lower is None:
        return table
    return table.assign(lower=predictions.lower, upper=predictions.upper)
