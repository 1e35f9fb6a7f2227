"""params.yaml as one typed, frozen, strict value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import model_validator

from nmr_platform.datasets import QUANTITIES, DataSettings, ExecutorSettings, ThreadsSettings
from nmr_platform.designed import DesignedSettings
from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, FeatureSet, FeaturesSettings
from nmr_platform.learning import (
    DisorderComparisonSettings,
    EvaluateSettings,
    RegressionTask,
    SplitSettings,
    Task,
    TaskTable,
    TuneSettings,
)
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design import CeilingSettings, PulseSearchSettings
from nmr_platform.schema import read_yaml, validate

__all__ = ["Params", "read_params"]


class Params(TaskTable):
    """The whole of params.yaml.

    Attributes:
        data: What is simulated.
        executor: Who simulates it.
        features: What is extracted from it.
        split: What is held out.
        tune: How models are searched.
        evaluate: How the held-out part is looked at.
        disorder_comparison: How fresh disorder is compared with frozen.
        pulse_search: How pulse sequences are searched.
        designed: Which tasks are asked again of a designed measurement; none in a study without one.
        ceiling: How it is found out what the records allow; none in a study that does not ask.
    """

    data: DataSettings
    executor: ExecutorSettings = ThreadsSettings()
    features: FeaturesSettings
    split: SplitSettings
    tune: TuneSettings
    evaluate: EvaluateSettings
    disorder_comparison: DisorderComparisonSettings
    pulse_search: PulseSearchSettings
    designed: DesignedSettings | None = None
    ceiling: CeilingSettings | None = None

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
        for name in () if self.designed is None else self.designed.tasks:
            if name not in self.tasks:
                known = ", ".join(self.tasks)
                message = f"Key `designed.tasks` must name tasks of `tasks` ({known}), but has {name!r}."
                raise ValueError(message)
        search, classes = self.pulse_search, self.pulse_search.verdict.classes
        named = {search.kernel: "kernel"}
        named |= {name: f"objective.{key}" for name, key in search.objective.also_needs.items() if name not in named}
        named |= {name: "verdict.classes.kernels" for name in (classes.kernels if classes else ()) if name not in named}
        for name, key in named.items():
            if name not in self.data.kernels:
                message = f"Key `pulse_search.{key}` must be one of {', '.join(self.data.kernels)}, but is {name!r}."
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _comparison_fits(self) -> Self:
        if self.disorder_comparison.kernel not in self.data.kernels:
            message = (
                f"Key `disorder_comparison.kernel` must be one of {', '.join(self.data.kernels)}, "
                f"but is {self.disorder_comparison.kernel!r}."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _other_curves_are_new(self) -> Self:
        owners = {settings.seed: name for name, settings in self.data.kernels.items()}
        seeds = {"disorder_comparison.seed": [self.disorder_comparison.seed]}
        if self.ceiling is not None:
            seeds["ceiling.seed"] = [self.ceiling.seed]
        if self.evaluate.lattice_shapes:
            first = self.evaluate.lattice_seed
            seeds["evaluate.lattice_seed"] = list(range(first, first + len(self.data.kernels)))
        for key, used in seeds.items():
            taken = next((seed for seed in used if seed in owners), None)
            if taken is not None:
                message = (
                    f"Key `{key}` must keep clear of `data.kernels.{owners[taken]}.seed`, but both use {taken}: "
                    "their curves would share the disorder."
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _pulses_are_tried_on_new_curves(self) -> Self:
        owners = {settings.seed: name for name, settings in self.data.kernels.items()}
        search = self.pulse_search
        for key, seed in (("seed", search.seed), ("verdict.seed", search.verdict.seed)):
            if seed in owners:
                message = (
                    f"Key `pulse_search.{key}` must differ from `data.kernels.{owners[seed]}.seed`, "
                    f"but both are {seed}: their curves would share the disorder."
                )
                raise ValueError(message)
        return self


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
        for name, task in params.tasks.items():
            _require_target(f"tasks.{name}.{'targets' if task.kind == 'joint' else 'target'}", task, params)
            params.tune.families_for(task)
        chosen = params.disorder_comparison
        for number, target in enumerate(chosen.targets):
            task = RegressionTask(target=target, kernels=(chosen.kernel,))
            _require_target(f"disorder_comparison.targets.{number}", task, params)
        search = params.pulse_search
        read_off = {"objective": getattr(search.objective, "targets", ()), "verdict": search.verdict.targets}
        for part, targets in read_off.items():
            for number, target in enumerate(targets):
                task = RegressionTask(target=target, kernels=(search.kernel,))
                _require_target(f"pulse_search.{part}.targets.{number}", task, params)
        base = params.data.recipe(search.kernel).example.sequence
        search.space.of(base.model_dump(mode="json"))
    except ConfigurationError as error:
        message = f"In `{path}`{_place(error)}: {error}"
        raise ConfigurationError(message, key=error.key, value=error.value) from error
    return params


def _require_windows(params: Params, kernel: str) -> None:
    """Refuse feature windows that reach outside the record of ``kernel``'s curves."""
    recipe = params.data.recipe(kernel)
    for number, item in enumerate(params.features.sets):
        _require_window(f"features.sets.{number}", item, recipe.examples)
    if kernel == params.pulse_search.kernel:
        _require_window("pulse_search.features", params.pulse_search.features, {"": recipe.example})


def _require_target(key: str, task: Task, params: Params) -> None:
    """Refuse a target that the data sets of the task's kernels will not have."""
    targets = [part.target for part in task.parts.values()]
    for kernel in task.kernels if targets else ():
        known = [*(quantity for quantity in QUANTITIES if quantity != "N"), *params.data.recipe(kernel).columns]
        for target in targets:
            if target not in known:
                message = f"Key `{key}` must be one of {', '.join(known)}, but is {target!r}."
                raise ConfigurationError(message, key=key, value=target)


def _require_window(key: str, item: FeatureSet, experiments: Mapping[str, Experiment]) -> None:
    for record, experiment in experiments.items():
        if not experiment.echo_indices:
            place = f"sequences.{record}" if record else "sequence"
            message = f"Key `{key}` must have an echo to look at, but `data.experiment.{place}` expects none."
            raise ConfigurationError(message, key=key)
    taken = {record: Acquisition.of(experiment) for record, experiment in experiments.items()}
    for number, part in enumerate(item.parts):
        place = key if part is item else f"{key}.of.{number}"
        try:
            part.needs_by_record(taken)
        except ConfigurationError as error:
            message = str(error).replace(f"Argument `{error.key}`", f"Key `{place}.{error.key}`")
            raise ConfigurationError(message, key=f"{place}.{error.key}", value=error.value) from error


def _place(error: ConfigurationError) -> str:
    """Where in the file the fault is, if the sentence does not say so itself."""
    return "" if error.key in ("", "(top level)") or f"`{error.key}" in str(error) else f", `{error.key}`"
