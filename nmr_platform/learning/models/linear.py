"""The linear baseline that keeps the other families honest: ridge regression and logistic regression."""

from dataclasses import dataclass
from typing import Any, ClassVar

import optuna
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tasks import Task

__all__ = ["Linear"]

# Three classes on 300 samples of an echo take some hundred iterations at the weakest penalty.
_ITERATIONS = 5000
# Largest gradient of the mean loss at which the logistic fit stops.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Linear:
    """Standardised features, then ridge or logistic regression with an L2 penalty.

    The scaler is a step of the model: it sees the rows that the model is fitted on and no others.
    """

    name: ClassVar[str] = "linear"

    def search_space(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {"penalty": trial.suggest_float("penalty", 1e-2, 1e3, log=True)}

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:  # noqa: ARG002
        """An unfitted pipeline; a classifier weighs classes by the rows that it is fitted on."""
        steps = make_pipeline(StandardScaler(), _final(params["penalty"], task, seed))
        return _as_estimator(steps)


def _final(penalty: float, task: Task, seed: int) -> Ridge | LogisticRegression:
    if not task.class_names:
        # Neighbouring samples of an echo are nearly equal, too nearly for the normal equations in single precision.
        return Ridge(alpha=penalty, solver="svd")
    return LogisticRegression(
        C=1.0 / penalty, class_weight="balanced", max_iter=_ITERATIONS, tol=_TOLERANCE, random_state=seed
    )


def _as_estimator(steps: Pipeline) -> Estimator:
    estimator: Estimator = steps
    return estimator
