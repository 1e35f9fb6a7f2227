"""The `data` part of params.yaml, and of the presets."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from nmr_platform.datasets.recipe.distributions import Distribution, Range
from nmr_platform.datasets.recipe.recipe import Recipe
from nmr_platform.datasets.recipe.sampling import Sampling
from nmr_platform.datasets.recipe.sweeps import Sweep
from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import CurveCount, Name, Schema, Seed, laid_over, validate
from nmr_platform.simulation import Dtype, Integrator

__all__ = ["DataSettings", "KernelSettings"]

# Records of several data sets become rows of one table, so they are measured alike.
_ELSEWHERE = {
    **{name: f"`data.experiment.{name}`, which all data sets share" for name in ("sequence", "sequences", "step")},
    "kernel": "the key `kernel` beside it",
}


class KernelSettings(Schema):
    """What one data set has of its own.

    Attributes:
        seed: Seed of the data set; no two data sets may share it, for they would share their disorder.
        kernel: The fixed part of the kernel, as plain data; its kind is the data set's name if not given.
        prior: What is drawn for every curve, by dotted key of the experiment.
        constraints: Beside those of all data sets.
        experiment: What differs from the experiment that all share, for instance its lattice; not how it is measured.
        n_curves: Its number of curves; that of all data sets by default.
    """

    seed: Seed
    kernel: dict[str, Any]
    prior: dict[str, Distribution]
    constraints: dict[str, Range] = Field(default_factory=dict)
    experiment: dict[str, Any] = Field(default_factory=dict)
    n_curves: CurveCount | None = None

    @field_validator("experiment")
    @classmethod
    def _is_measured_alike(cls, experiment: dict[str, Any]) -> dict[str, Any]:
        name = next((name for name in _ELSEWHERE if name in experiment), None)
        if name is not None:
            message = f"it must not hold `{name}`, for that is {_ELSEWHERE[name]}."
            raise ValueError(message)
        return experiment


class DataSettings(Schema):
    """The simulated data sets.

    Attributes:
        n_curves: Curves per kernel; null for one curve at every point of `sweep`.
        disorder: See `Recipe`.
        sampling: See `Recipe`.
        integrator: See `Recipe`.
        dtype: See `Recipe`.
        constraints: See `Recipe`.
        sweep: See `Recipe`.
        experiment: What all curves share, as plain data.
        kernels: One data set each. Its name is the class of its curves, and usually that of its kernel.
    """

    n_curves: CurveCount | None
    disorder: Literal["fresh", "frozen"]
    sampling: Sampling = "random"
    integrator: Integrator
    dtype: Dtype
    constraints: dict[str, Range] = Field(default_factory=dict)
    sweep: Sweep | None = None
    experiment: dict[str, Any]
    kernels: Annotated[dict[Name, KernelSettings], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.n_curves is None and self.sweep is None:
            message = "Key `data.n_curves` must be a number unless there is a `data.sweep`, but is null."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        owners: dict[int, str] = {}
        for name, settings in self.kernels.items():
            if settings.seed in owners:
                message = (
                    f"Key `data.kernels.{name}.seed` must differ from that of `{owners[settings.seed]}`, "
                    f"but both are {settings.seed}: their curves would share the disorder."
                )
                raise ValueError(message)
            owners[settings.seed] = name
        return self

    def recipe(self, kernel: str) -> Recipe:
        """The recipe of one kernel's data set.

        Raises:
            ConfigurationError: There is no such kernel, or its experiment is not acceptable.
        """
        settings = self.kernels.get(kernel)
        if settings is None:
            message = f"Argument `kernel` must be one of {', '.join(self.kernels)}, but is {kernel!r}."
            raise ConfigurationError(message, key="kernel", value=kernel)
        values = {
            "name": kernel,
            "n_curves": settings.n_curves or self.n_curves or (self.sweep.n_points if self.sweep else None),
            "seed": settings.seed,
            "disorder": self.disorder,
            "sampling": self.sampling,
            "integrator": self.integrator,
            "dtype": self.dtype,
            "experiment": {
                **laid_over(self.experiment, settings.experiment),
                "kernel": {"kind": kernel, **settings.kernel},
            },
            "prior": settings.prior,
            "sweep": self.sweep,
            "constraints": {**self.constraints, **settings.constraints},
        }
        try:
            return validate(Recipe, values, where=f"data.kernels.{kernel}")
        except ConfigurationError as error:
            raise _found_in_data(error, kernel) from error


def _found_in_data(error: ConfigurationError, kernel: str) -> ConfigurationError:
    """The same error, with the keys of a recipe replaced by those that params.yaml keeps them under."""

    def replaced(match: re.Match[str]) -> str:
        key = match[1]
        if key.startswith("data."):
            return match[0]
        part = key.partition(".")[0]
        own = {"kernel": f"kernels.{kernel}.", "prior": f"kernels.{kernel}.", "sweep": "", "constraints": ""}
        return f"Key `data.{own.get(part, 'experiment.')}{key}`"

    sentence = re.sub(r"Key `(?:experiment\.)?([^`]+)`", replaced, str(error))
    named = re.search(r"Key `([^`]+)`", sentence)
    return ConfigurationError(sentence, key=named[1] if named else error.key, value=error.value)
