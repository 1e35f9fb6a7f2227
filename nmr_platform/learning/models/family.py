"""What a model family is: a value of the configuration that knows how its models are searched, made and explained."""

from abc import abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models.estimator import Estimator, ScaledTarget, Table, Watch, fit_beside_others
from nmr_platform.learning.tasks import Task
from nmr_platform.schema import Schema

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from optuna.distributions import BaseDistribution

    from nmr_platform.learning.models.posterior.mixture import JointMixture, Mixture

__all__ = ["LOOK_EVERY", "Family", "MissingLibraryError", "describe_space", "penalties", "rounds", "search_space"]

LOOK_EVERY = 25
"""Rounds between two looks at a watched fit: a look costs about as much as a round."""


class MissingLibraryError(ConfigurationError):
    """The library of a family is not installed."""


class Family(Schema):
    """A kind of model.

    A subclass is one file and one line in the table of `families`; ``ModelFamilyContract`` of the tests says what it
    must keep. The search space is the same for every trial: no parameter may depend on the value of another, so that it
    can be named by a digest. A fit depends on nothing but its rows, the parameters and the seed.

    Attributes:
        kind: Its name, as in ``params.yaml``.
        revision: Counted up when the same parameters give other models than before; part of a study's identity.
        trusted_types: What its fitted models hold beyond the types that skops trusts by itself. Each was looked at:
            none runs anything but its own methods when it is made.
        requirements: Distributions that its fitted models need.
        is_compared: Whether its importances are drawn beside those of the other families: no split or coefficient tells
            what a network uses.
        is_joint: Whether it learns the posterior of several numbers together.
        library: Import name of a library that the default set-up leaves out; an extra of the family's name installs it.
    """

    kind: str

    revision: ClassVar[int] = 1
    trusted_types: ClassVar[tuple[str, ...]] = ()
    requirements: ClassVar[tuple[str, ...]] = ("scikit-learn",)
    is_compared: ClassVar[bool] = False
    is_joint: ClassVar[bool] = False
    library: ClassVar[str | None] = None

    @model_validator(mode="after")
    def _library_is_there(self) -> Self:
        if not self.is_installed():
            message = (
                f"The family {self.kind} needs a library that the default set-up leaves out: "
                f"`pip install 'nmr-platform[{self.kind}]'` installs it."
            )
            raise MissingLibraryError(message, key="families", value=self.kind)
        return self

    @classmethod
    def is_installed(cls) -> bool:
        """Whether its library is here."""
        return cls.library is None or find_spec(cls.library) is not None

    @abstractmethod
    def search_space(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Suggest parameters; return all that a model needs, fixed ones included."""

    @abstractmethod
    def regressor(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:
        """An unfitted regressor of scikit-learn's kind.

        Args:
            params: What `search_space` returned.
            seed: Seed of whatever the fit draws.
            n_jobs: Threads that a fit may use; -1 for one per core. It changes no result.
        """

    @abstractmethod
    def classifier(self, params: dict[str, Any], *, seed: int, n_jobs: int) -> Any:
        """An unfitted classifier, which takes and gives class names and weighs classes by the rows it is fitted on.

        Args:
            params: What `search_space` returned.
            seed: Seed of whatever the fit draws.
            n_jobs: Threads that a fit may use; -1 for one per core. It changes no result.
        """

    @abstractmethod
    def weights(self, model: Any, n_features: int) -> NDArray[np.float64]:
        """Importance of every feature in the fit itself, shape (n_features,), in arbitrary units.

        Args:
            model: Fitted model, made by `regressor` or `classifier`.
            n_features: Number of features that it was fitted on.
        """

    @abstractmethod
    def contributions(self, model: Any, features: "pd.DataFrame") -> NDArray[np.floating]:
        """SHAP values, shape (n, n_features) or (n, n_features, n_outputs), in the units of the model.

        Outputs are the classes; a single one is the target, or the score of the second of two classes.

        Args:
            model: Fitted model, made by `regressor` or `classifier`.
            features: What to explain, shape (n, n_features).
        """

    def posterior(self, model: Any, features: "pd.DataFrame") -> "Mixture | JointMixture | None":  # noqa: ARG002
        """The posterior of the target, or of all of a joint task, of every curve, in the units of the model.

        Args:
            model: Fitted model, made by `regressor` or `classifier`.
            features: Of the curves, shape (n, n_features).

        Returns:
            None if the family has none.
        """
        return None

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:
        """An unfitted estimator for a task; whatever the family, a target's unit or size does not matter.

        Args:
            params: What `search_space` returned.
            task: What is to be learnt.
            seed: Seed of whatever the fit draws.
            n_jobs: Threads that a fit may use; -1 for one per core. It changes no result.

        Example:
            >>> import numpy as np
            >>> from nmr_platform.learning import RegressionTask, find_family
            >>> x = np.linspace(0.0, 1.0, 50)[:, np.newaxis]
            >>> model = find_family("linear").build({"penalty": 0.01}, RegressionTask(), seed=0)
            >>> float(model.fit(x, 1e-9 * x[:, 0]).predict(x[-1:])[0].round(12))
            1e-09
        """
        made: Estimator
        if task.class_names:
            made = self.classifier(params, seed=seed, n_jobs=n_jobs)
        else:
            made = ScaledTarget(self.regressor(params, seed=seed, n_jobs=n_jobs))
        return made

    def fit_watched(
        self,
        estimator: Estimator,
        training: tuple[Table, ArrayLike],
        x_watched: NDArray[np.float32],  # noqa: ARG002
        watch: Watch,  # noqa: ARG002
    ) -> None:
        """Fit, and if the fit grows round by round tell ``watch`` about the rows ``x_watched`` now and then.

        This one tells nothing: the trees of a forest do not build on each other, a linear fit is over at once, and
        scikit-learn's boosting draws other columns when it is continued.

        Args:
            estimator: What `build` made.
            training: Features, shape (n, n_features), and targets, shape (n,).
            x_watched: Features of the rows to tell about, shape (m, n_features).
            watch: Told; it may raise to stop the fit.
        """
        fit_beside_others(estimator, *training)

    def sized(self, n_estimators: int) -> Self:  # noqa: ARG002
        """The family with this number of trees, if it grows a fixed number and was given none of its own."""
        return self


def rounds(trial: "optuna.Trial", name: str) -> dict[str, Any]:
    """What every boosting searches first: how many rounds (called ``name``), how fast, and how deep its trees.

    Args:
        trial: Suggests the values.
        name: What the family calls the number of rounds.

    Returns:
        Parameters by name, dimensionless.
    """
    return {
        name: trial.suggest_int(name, 100, 400, step=50),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
    }


def penalties(trial: "optuna.Trial", columns: str, l2: str) -> dict[str, Any]:
    """What every boosting searches last: the share of columns (called ``columns``) and the penalty (called ``l2``).

    Args:
        trial: Suggests the values.
        columns: What the family calls the share of columns.
        l2: What the family calls the penalty on the squares of the leaves' values.

    Returns:
        Parameters by name, dimensionless.
    """
    return {
        columns: trial.suggest_float(columns, 0.1, 1.0),
        l2: trial.suggest_float(l2, 0.01, 10.0, log=True),
    }


def search_space(family: Family) -> "dict[str, BaseDistribution]":
    """The distribution of every searched parameter."""
    trial = _probe()
    family.search_space(trial)
    return dict(trial.distributions)


def describe_space(family: Family) -> dict[str, str]:
    """The search space as text: distribution of every searched parameter, value of every fixed one."""
    import optuna  # noqa: PLC0415 settings are read without it

    trial = _probe()
    params = family.search_space(trial)
    searched = {
        name: optuna.distributions.distribution_to_json(distribution)
        for name, distribution in trial.distributions.items()
    }
    return {**{name: repr(value) for name, value in params.items()}, **searched}


def _probe() -> "optuna.Trial":
    """A trial of a study that nobody keeps."""
    import optuna  # noqa: PLC0415 settings are read without it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
