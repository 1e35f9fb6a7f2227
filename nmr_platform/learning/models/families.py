"""What a model family must offer, and the families there are."""

from typing import Any, Protocol, get_args, runtime_checkable

import numpy as np
import optuna
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models.boosting import XGBoost
from nmr_platform.learning.models.estimator import Estimator, Watch
from nmr_platform.learning.models.forests import ExtraTrees, RandomForest
from nmr_platform.learning.models.histogram import HistogramBoosting
from nmr_platform.learning.models.linear import Linear
from nmr_platform.learning.settings import FamilyName, TuneSettings
from nmr_platform.learning.tasks import Task

__all__ = ["ModelFamily", "WatchedFamily", "describe_space", "make_family", "search_space"]


class ModelFamily(Protocol):
    """A kind of model with a search space.

    The space is the same for every trial: no parameter may depend on the value of another, so that it can be named
    by a digest. A fit must depend on nothing but its rows, the parameters and the seed.
    """

    @property
    def name(self) -> str:
        """Short name, as in ``params.yaml``."""

    def search_space(self, trial: optuna.Trial) -> dict[str, Any]:
        """Suggest parameters; return all that `build` needs, fixed ones included."""

    def build(self, params: dict[str, Any], task: Task, *, seed: int, n_jobs: int = 1) -> Estimator:
        """An unfitted scikit-learn estimator; classifiers take and give class names and weigh classes when fitted."""


@runtime_checkable
class WatchedFamily(Protocol):
    """A family whose fit can be watched, so that a hopeless one is stopped half way.

    The others are pruned by folds only: the trees of a forest do not build on each other, a linear fit is over at once,
    and scikit-learn's boosting draws other columns when it is continued.
    """

    def fit_watched(
        self,
        estimator: Estimator,
        training: tuple[NDArray[np.float32], NDArray[np.generic]],
        x_watched: NDArray[np.float32],
        watch: Watch,
    ) -> None:
        """Fit as `fit` would, and tell ``watch`` about the rows ``x_watched`` now and then."""


def make_family(name: str, settings: TuneSettings) -> ModelFamily:
    """The family called ``name``.

    Raises:
        ConfigurationError: There is none.
    """
    match name:
        case "random_forest":
            return RandomForest(settings.n_estimators)
        case "extra_trees":
            return ExtraTrees(settings.n_estimators)
        case "xgboost":
            return XGBoost()
        case "histogram_boosting":
            return HistogramBoosting()
        case "linear":
            return Linear()
        case _:
            message = f"Key `families` must name some of {', '.join(get_args(FamilyName))}, but names `{name}`."
            raise ConfigurationError(message, key="families", value=name)


def describe_space(family: ModelFamily) -> dict[str, str]:
    """The search space as text: distribution of every searched parameter, value of every fixed one."""
    trial = _probe()
    params = family.search_space(trial)
    searched = {
        name: optuna.distributions.distribution_to_json(distribution)
        for name, distribution in trial.distributions.items()
    }
    return {**{name: repr(value) for name, value in params.items()}, **searched}


def search_space(family: ModelFamily) -> dict[str, optuna.distributions.BaseDistribution]:
    """The distribution of every searched parameter."""
    trial = _probe()
    family.search_space(trial)
    return dict(trial.distributions)


def _probe() -> optuna.Trial:
    """A trial of a study that nobody keeps."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
