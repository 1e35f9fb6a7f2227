"""What evaluation finds: values and tables, ready for figures, the tracker and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.metrics import confusion_matrix

from nmr_platform.learning.evaluation.bootstrap import Score
from nmr_platform.learning.evaluation.scores import Predictions, w_bins
from nmr_platform.learning.models import Estimator
from nmr_platform.learning.tasks import Task
from nmr_platform.learning.tuning import StudyResult

__all__ = ["EvaluationResult", "ModelEvaluation", "confusion_by_bins", "confusion_table"]


@dataclass(frozen=True)
class ModelEvaluation:
    """One tuned model on the held-out part.

    Attributes:
        study: The study that found its parameters.
        is_champion: Whether its cross-validated score is the largest of the task.
        scores: Held-out scores by name, see `score_rows`.
        bins: Scores by bin of W, see `score_by_bins`.
        predictions: One row per held-out curve: ``kernel``, ``curve``, ``disorder``, ``W`` (MHz), ``true``,
            ``predicted`` and, for the champion, ``lower`` and ``upper`` of the prediction interval of a regression, or
            the calibrated probability ``p_<class>`` of every class; of a joint task all four of each target, as
            ``true_<target>`` and so on.
        importances: Columns ``feature``, ``impurity`` and, for the champion, ``permutation``, ``permutation_std`` and
            ``shap``.
        confusion: Number of curves, rows true, columns predicted; None for a regression.
        confusion_bins: The same by bin of W, long: ``bin``, ``w_low``, ``w_high``, ``true``, ``predicted``, ``n``.
        out_of_fold: For the champion of a regression, ``true`` and ``predicted`` of every training curve, by models
            that had not seen its disorder: what intervals around new predictions are made from. None otherwise.
        extras: Further tables by name: ``repeats``, and of the champion ``reliability``, ``learning_curve``,
            ``scores_by_exponent``.
        example: A few rows of its input.
        estimator: The model fitted on the whole training part; dropped after `on_model` for all but the champion.
    """

    study: StudyResult
    is_champion: bool
    scores: dict[str, Score]
    bins: pd.DataFrame
    predictions: pd.DataFrame
    importances: pd.DataFrame
    confusion: pd.DataFrame | None
    confusion_bins: pd.DataFrame | None
    out_of_fold: pd.DataFrame | None
    extras: Mapping[str, pd.DataFrame]
    example: pd.DataFrame
    estimator: Estimator | None

    def metrics(self) -> dict[str, float]:
        """Held-out scores and their intervals as flat names: ``test_r2``, ``test_r2_lower``, ``test_r2_upper``.

        With other seeds of the split also ``repeats_mean`` and ``repeats_std`` of the main score.
        """
        flat: dict[str, float] = {}
        for name, score in self.scores.items():
            flat |= {
                f"test_{name}": score.value,
                f"test_{name}_lower": score.lower,
                f"test_{name}_upper": score.upper,
            }
        if "repeats" in self.extras:
            values = self.extras["repeats"]["value"]
            flat |= {"repeats_mean": float(values.mean()), "repeats_std": float(values.std(ddof=0))}
        return flat

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by file name."""
        tables = {"scores_by_w": self.bins, "predictions": self.predictions, "importances": self.importances}
        if self.confusion is not None and self.confusion_bins is not None:
            tables["confusion"] = self.confusion.rename_axis("true").reset_index()
            tables["confusion_by_w"] = self.confusion_bins
        tables |= self.extras
        return {f"tables/{name}.csv": table for name, table in tables.items()}


@dataclass(frozen=True)
class EvaluationResult:
    """All tuned models of one task on the held-out part.

    Attributes:
        task_name: Name of the task.
        task: The task.
        disorder: ``fresh``, or ``frozen`` if every curve shares one realisation and scores hold for it only.
        n_train: Curves that models were fitted on.
        n_test: Curves that they were scored on.
        models: One evaluation per study.
    """

    task_name: str
    task: Task
    disorder: str
    n_train: int
    n_test: int
    models: Sequence[ModelEvaluation]

    @property
    def champion(self) -> ModelEvaluation:
        """The model of largest cross-validated score."""
        return next(model for model in self.models if model.is_champion)

    def table(self) -> pd.DataFrame:
        """One row per model and score: ``family``, ``feature_set``, ``champion``, ``cv``, ``metric``, the score."""
        return pd.DataFrame(
            [
                {
                    "family": model.study.family,
                    "feature_set": model.study.feature_set,
                    "champion": model.is_champion,
                    "cv": model.study.cv_mean,
                    "metric": name,
                    **vars(score),
                }
                for model in self.models
                for name, score in model.scores.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: scores of every model, without tables and estimators."""
        return {
            "task_name": self.task_name,
            "task": self.task.model_dump(mode="json"),
            "disorder": self.disorder,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "champion": self.champion.study.label,
            "models": {
                model.study.label: {
                    "cv_mean": model.study.cv_mean,
                    "cv_std": model.study.cv_std,
                    "params": model.study.best_params,
                    "scores": {name: vars(score) for name, score in model.scores.items()},
                }
                for model in self.models
            },
        }


def confusion_table(predictions: Predictions, class_names: Sequence[str]) -> pd.DataFrame:
    """Number of rows by true class (index) and predicted class (columns), all classes present.

    Args:
        predictions: Predictions of n rows, class names.
        class_names: The classes in the order of index and columns.

    Returns:
        Counts, shape (n_classes, n_classes).
    """
    names = list(class_names)
    counts = confusion_matrix(predictions.true, predictions.predicted, labels=names)
    return pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted"))


def confusion_by_bins(predictions: Predictions, class_names: Sequence[str], n_bins: int) -> pd.DataFrame:
    """Confusion in quantile bins of W: ``bin``, ``w_low``, ``w_high`` (MHz), ``true``, ``predicted``, ``n``.

    Args:
        predictions: Predictions of n rows, class names.
        class_names: The classes.
        n_bins: Number of bins; there are fewer if rows are few, see `w_bins`.
    """
    codes = w_bins(predictions.w, n_bins)
    parts = []
    for code in sorted(set(codes)):
        inside = predictions.rows(codes == code)
        counts = confusion_table(inside, class_names).reset_index()
        long = counts.melt("true", var_name="predicted", value_name="n")
        parts.append(long.assign(bin=int(code), w_low=inside.w.min(), w_high=inside.w.max()))
    return pd.concat(parts, ignore_index=True)[["bin", "w_low", "w_high", "true", "predicted", "n"]]
