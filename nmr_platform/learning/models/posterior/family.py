"""The family `posterior`: what is searched, and how its models are made and explained."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nmr_platform.learning.models.family import Family
from nmr_platform.learning.models.posterior.estimators import PosteriorClassifier, PosteriorRegressor
from nmr_platform.learning.models.posterior.mixture import JointMixture, Mixture
from nmr_platform.schema import Count

if TYPE_CHECKING:
    import optuna
    import pandas as pd

__all__ = ["NeuralPosterior"]


class NeuralPosterior(Family):
    """Amortised posteriors by an ensemble of small networks.

    Of a number it is a mixture density network, the first form of neural posterior estimation (Papamakarios and Murray,
    *NIPS* 29, 2016): fitted on simulated curves, it gives the posterior of any further record at once, and all that is
    asked of it (mean, probability of a smaller value, score) in closed form. Of a class it is a probability of each.
    The members differ in their first weights and in the curves that tell them when to stop.

    Attributes:
        members: Networks of the ensemble.
        epochs: How often a fit looks at every curve at most.
    """

    kind: Literal["posterior"] = "posterior"
    members: int = Field(default=3, ge=2, le=100)
    epochs: Count = 60

    # 2: posteriors are stretched to the widths that the rows which members left out ask for.
    revision: ClassVar[int] = 2
    is_compared: ClassVar[bool] = True
    is_joint: ClassVar[bool] = True
    # It brings JAX. Only a fit and its explanation need them: what was learnt is asked by NumPy.
    library: ClassVar[str | None] = "optax"
    trusted_types: ClassVar[tuple[str, ...]] = tuple(
        f"{kind.__module__}.{kind.__name__}" for kind in (PosteriorClassifier, PosteriorRegressor)
    )

    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters of one trial."""
        return {
            "members": self.members,
            "epochs": self.epochs,
            # What the features are compressed to, and the layers behind it.
            "summary": trial.suggest_int("summary", 16, 256, log=True),
            "width": trial.suggest_int("width", 16, 256, log=True),
            "depth": trial.suggest_int("depth", 1, 3),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.3),
            "noise": trial.suggest_float("noise", 0.01, 0.5, log=True),
            "weight_decay": trial.suggest_float("weight_decay", 0.03, 1.0, log=True),
        }

    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted `PosteriorRegressor`, see `Family.regressor`."""
        return PosteriorRegressor(**params, random_state=seed)

    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:  # noqa: ARG002
        """An unfitted `PosteriorClassifier`, see `Family.classifier`."""
        return PosteriorClassifier(**params, random_state=seed)

    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:  # noqa: ARG002
        """Mean size of the integrated gradients of training curves, see `Family.weights`."""
        return np.asarray(model.importances_, dtype=np.float64)

    def posterior(self, model: Any, features: "pd.DataFrame") -> Mixture | JointMixture | None:
        """The posterior of a number or of several, see `Family.posterior`; that of a class is its probabilities."""
        return model.posterior(features) if isinstance(model, PosteriorRegressor) else None

    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """Integrated gradients, which are values of Aumann and Shapley, see `Family.contributions`.

        The path leads from the mean of all curves straight to each curve; the values of a curve add up to what the
        model says of it (the posterior mean, or the members' mean log-probability of each class), less what it says of
        the mean.
        """
        contributions: NDArray[np.floating] = model.contributions(features)
        return contributions
