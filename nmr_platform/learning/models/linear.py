"""The linear baseline that keeps the other families honest: ridge regression and logistic regression."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.learning.models.family import Family

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["Linear"]

# Three classes on 300 samples of an echo take some hundred iterations at the weakest penalty.
_ITERATIONS = 5000
# Largest gradient of the mean loss at which the logistic fit stops.
_TOLERANCE = 1e-3


class Linear(Family):
    """Standardised features, then ridge or logistic regression with an L2 penalty.

    The scaler is a step of the model: it sees the rows that the model is fitted on and no others.
    """

    kind: Literal["linear"] = "linear"

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {"penalty": trial.suggest_float("penalty", 1e-2, 1e3, log=True)}

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted pipeline that ends with ridge regression, see `Family.regressor`."""
        # Neighbouring samples of an echo are nearly equal, too nearly for the normal equations in single precision.
        return make_pipeline(StandardScaler(), Ridge(alpha=params["penalty"], solver="svd"))

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted pipeline that ends with logistic regression, see `Family.classifier`."""
        last = LogisticRegression(
            C=1.0 / params["penalty"],
            class_weight="balanced",
            max_iter=_ITERATIONS,
            tol=_TOLERANCE,
            random_state=seed,
        )
        return make_pipeline(StandardScaler(), last)

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """Sizes of the coefficients, comparable as features are standardised; see `Family.weights`."""
        return np.abs(np.atleast_2d(model[-1].coef_)).sum(axis=0)

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values, exact as the mean of a standardised feature is zero; see `Family.contributions`."""
        standardised = np.asarray(model[:-1].transform(features))
        return standardised[:, :, np.newaxis] * np.atleast_2d(model[-1].coef_).T[np.newaxis]
