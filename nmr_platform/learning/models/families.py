"""The table of model families: the one place that names them all."""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models.catboost import CatBoost
from nmr_platform.learning.models.family import Family
from nmr_platform.learning.models.forests import ExtraTrees, RandomForest
from nmr_platform.learning.models.histogram_boosting import HistogramBoosting
from nmr_platform.learning.models.lightgbm import LightGBM
from nmr_platform.learning.models.linear import Linear
from nmr_platform.learning.models.posterior import NeuralPosterior
from nmr_platform.learning.models.smooth import Smooth
from nmr_platform.learning.models.xgboost import XGBoost
from nmr_platform.schema import validate

__all__ = ["FAMILIES", "AnyFamily", "find_family", "installed_requirements", "model_requirements"]

_Kinds = (
    RandomForest | ExtraTrees | XGBoost | HistogramBoosting | Linear | Smooth | LightGBM | CatBoost | NeuralPosterior
)

FAMILIES: tuple[type[Family], ...] = get_args(_Kinds)


_BY_NAME: dict[str, type[Family]] = {str(kind.model_fields["kind"].default): kind for kind in FAMILIES}


def _named(value: Any) -> Any:
    """A name stands for the family with its defaults."""
    if not isinstance(value, str):
        return value
    if value not in _BY_NAME:
        message = f"Key `families` must name some of {', '.join(_BY_NAME)}, but names `{value}`."
        raise ValueError(message)
    return {"kind": value}


AnyFamily = Annotated[Annotated[_Kinds, Field(discriminator="kind")], BeforeValidator(_named)]
"""A family of the configuration: its name, or its ``kind`` with settings of its own."""


def find_family(name: str) -> Family:
    """The family called ``name``, with its defaults.

    Raises:
        ConfigurationError: There is none, or its library is not here.
    """
    if name not in _BY_NAME:
        message = f"Argument `family` must be one of {', '.join(_BY_NAME)}, but is `{name}`."
        raise ConfigurationError(message, key="family", value=name)
    return validate(_BY_NAME[name], {})


def model_requirements(estimator: Any) -> tuple[str, ...]:
    """Distributions that a fitted model needs: those of every family of the default set-up, and its own.

    Args:
        estimator: The model, or what is around it.
    """
    parts = [estimator, *estimator.get_params().values()]
    made_of = {None, *(type(part).__module__.partition(".")[0] for part in parts)}
    return _requirements(kind for kind in FAMILIES if kind.library in made_of)


def installed_requirements() -> tuple[str, ...]:
    """Distributions that fitted models of any family need whose library is here."""
    return _requirements(kind for kind in FAMILIES if kind.is_installed())


def _requirements(kinds: Iterable[type[Family]]) -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted({name for kind in kinds for name in kind.requirements} | {"skops"}))
