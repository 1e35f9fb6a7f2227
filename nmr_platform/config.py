"""params.yaml as one typed, frozen, strict value."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import NonNegativeInt, PositiveInt, model_validator

from nmr_platform.datasets import Distribution, Range, Recipe
from nmr_platform.errors import ConfigurationError
from nmr_platform.features import FeatureSet, FeaturesSettings
from nmr_platform.features.window import check_window
from nmr_platform.learning.settings import EvaluateSettings, SplitSettings, TuneSettings
from nmr_platform.learning.tasks import Task
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design import PulseSearchSettings
from nmr_platform.schema import Schema, read_yaml, validate
from nmr_platform.simulation import Dtype, Integrator

__all__ = ["DataSettings", "KernelSettings", "Params", "read_params"]


class KernelSettings(Schema):
    """What one kernel's data set has of its own.

    Attributes:
        seed: Seed of the data set; no two data sets may share it, for they would share their disorder.
        kernel: The fixed part of the kernel, as plain data.
        prior: What is drawn for every curve, by dotted key of the experiment.
    """

    seed: NonNegativeInt
    kernel: dict[str, Any]
    prior: dict[str, Distribution]


class DataSettings(Schema):
    """The simulated data sets.

    Attributes:
        n_curves: Curves per kernel.
        disorder: See `Recipe`.
        integrator: See `Recipe`.
        dtype: See `Recipe`.
        kernel_integral: See `Recipe`.
        experiment: What all curves share, as plain data.
        kernels: One data set each.
    """

    n_curves: PositiveInt
    disorder: Literal["fresh", "frozen"]
    integrator: Integrator
    dtype: Dtype
    kernel_integral: Range | None
    experiment: dict[str, Any]
    kernels: dict[str, KernelSettings]

    @model_validator(mode="after")
    def _names_are_kinds(self) -> Self:
        for name, settings in self.kernels.items():
            kind = settings.kernel.get("kind", name)
            if kind != name:
                message = (
                    f"Key `data.kernels.{name}.kernel.kind` must be {name}, like the data set, for curves are known "
                    f"by their kernel, but is {kind!r}."
                )
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
            "n_curves": self.n_curves,
            "seed": settings.seed,
            "disorder": self.disorder,
            "integrator": self.integrator,
            "dtype": self.dtype,
            "experiment": {**self.experiment, "kernel": settings.kernel},
            "prior": settings.prior,
            "kernel_integral": self.kernel_integral,
        }
        try:
            return validate(Recipe, values, where=f"data.kernels.{kernel}")
        except ConfigurationError as error:
            raise _found_in_data(error, kernel) from error


class Params(Schema):
    """The whole of params.yaml.

    Attributes:
        data: What is simulated.
        features: What is extracted from it.
        tasks: What is learnt, by name.
        split: What is held out.
        tune: How models are searched.
        evaluate: How the held-out part is looked at.
        pulse_search: How pulse sequences are searched.
    """

    data: DataSettings
    features: FeaturesSettings
    tasks: dict[str, Task]
    split: SplitSettings
    tune: TuneSettings
    evaluate: EvaluateSettings
    pulse_search: PulseSearchSettings

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        available = [item.name for item in self.features.sets]
        for name in self.tune.feature_sets:
            if name not in available:
                message = (
                    f"Key `tune.feature_sets` must name sets of `features.sets` ({', '.join(available)}), "
                    f"but has {name!r}."
                )
                raise ValueError(message)
        for name, task in self.tasks.items():
            for kernel in task.kernels:
                if kernel not in self.data.kernels:
                    message = f"Key `tasks.{name}.kernels` must name kernels of `data.kernels`, but has {kernel!r}."
                    raise ValueError(message)
        if self.pulse_search.kernel not in self.data.kernels:
            message = (
                f"Key `pulse_search.kernel` must be one of {', '.join(self.data.kernels)}, "
                f"but is {self.pulse_search.kernel!r}."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _pulses_are_tried_on_new_curves(self) -> Self:
        owners = {settings.seed: name for name, settings in self.data.kernels.items()}
        for key in ("seed", "verdict_seed"):
            seed = getattr(self.pulse_search, key)
            if seed in owners:
                message = (
                    f"Key `pulse_search.{key}` must differ from `data.kernels.{owners[seed]}.seed`, "
                    f"but both are {seed}: their curves would share the disorder."
                )
                raise ValueError(message)
        return self

    def task(self, name: str) -> Task:
        """The task called ``name``.

        Raises:
            ConfigurationError: There is none.
        """
        if name not in self.tasks:
            message = f"Argument `task` must be one of {', '.join(self.tasks)}, but is {name!r}."
            raise ConfigurationError(message, key="task", value=name)
        return self.tasks[name]


def read_params(path: str | Path = "params.yaml") -> Params:
    """Read and validate a parameter file.

    Raises:
        ConfigurationError: The file is missing, not YAML, or holds something that is not acceptable; the message
            names the file and the key.
    """
    path = Path(path)
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        message = f"File `{path}` must hold keys and values, but is {type(values).__name__}."
        raise ConfigurationError(message, key=str(path))
    try:
        params = validate(Params, values)
        for kernel in params.data.kernels:
            _require_windows(params, kernel)
    except ConfigurationError as error:
        message = f"In `{path}`{_place(error)}: {error}"
        raise ConfigurationError(message, key=error.key, value=error.value) from error
    return params


def _require_windows(params: Params, kernel: str) -> None:
    """Refuse feature windows that reach outside the record of ``kernel``'s curves."""
    # W does not decide how long a record is: the first draw will do, accepted or not.
    experiment = params.data.recipe(kernel).replace(kernel_integral=None).curve(0).experiment
    for number, item in enumerate(params.features.sets):
        _require_window(f"features.sets.{number}", item, experiment)
    if kernel == params.pulse_search.kernel:
        _require_window("pulse_search.features", params.pulse_search.features, experiment)


def _require_window(key: str, item: FeatureSet, experiment: Experiment) -> None:
    if not experiment.echo_indices:
        message = f"Key `{key}` must have an echo to look at, but `data.experiment.sequence` expects none."
        raise ConfigurationError(message, key=key)
    try:
        check_window(experiment.echo_indices[-1], item.half_width, experiment.n_samples)
    except ConfigurationError as error:
        message = str(error).replace("Argument `half_width`", f"Key `{key}.half_width`")
        raise ConfigurationError(message, key=f"{key}.half_width", value=item.half_width) from error


def _found_in_data(error: ConfigurationError, kernel: str) -> ConfigurationError:
    """The same error, with the keys of a recipe replaced by those that params.yaml keeps them under."""

    def replaced(match: re.Match[str]) -> str:
        key = match[1]
        if key.startswith("data."):
            return match[0]
        own = f"kernels.{kernel}" if key.startswith(("kernel.", "prior.")) else "experiment"
        return f"Key `data.{own}.{key}`"

    sentence = re.sub(r"Key `(?:experiment\.)?([^`]+)`", replaced, str(error))
    named = re.search(r"Key `([^`]+)`", sentence)
    return ConfigurationError(sentence, key=named[1] if named else error.key, value=error.value)


def _place(error: ConfigurationError) -> str:
    """Where in the file the fault is, if the sentence does not say so itself."""
    return "" if error.key in ("", "(top level)") or f"`{error.key}" in str(error) else f", `{error.key}`"
