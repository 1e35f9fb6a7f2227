"""The loop closed: the questions of params.yaml asked once more, of a measurement that was designed for them.

The section `designed` names the measurement and what else differs; everything else is that of the other sections, seeds
included. So the same samples are measured: curve i of both has the same couplings and the same disorder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, model_validator

from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import Name, Schema, laid_over, read_sections, read_yaml, validate

__all__ = ["BEST", "DESIGNED", "DesignedSettings", "designed_name", "read_designed_sections", "read_sequences"]

S = TypeVar("S", bound=Schema)

DESIGNED = "designed-"
"""What the names of tasks that are asked again begin with."""

BEST = "best.yaml"
"""The file in the folder of a pulse search that holds its best set of sequences."""

_RECORDS = ("sequence", "sequences")
_MERGED = ("data", "features", "tune", "evaluate")


class MeasurementSource(Schema):
    """Where a measurement comes from: exactly one of the two.

    Attributes:
        found: Folder of a pulse search, whose best measurement it is, below the parameter file's folder.
        path: A YAML file with ``sequences``, or one ``sequence``, likewise.
    """

    found: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.found is None) == (self.path is None):
            message = (
                "Key `designed.measurement` must have either `found`, a folder of a pulse search, or `path`, a file."
            )
            raise ValueError(message)
        return self

    def into(self, experiment: Mapping[str, Any], root: Path) -> dict[str, Any]:
        """An experiment in plain data with the measurement's sequences instead of its own.

        Args:
            experiment: The experiment.
            root: Folder of the parameter file.

        Raises:
            ConfigurationError: The file is not there, or holds no sequence.
        """
        path = root / (self.path or f"{self.found}/{BEST}")
        if self.found is not None and not path.exists():
            message = f"File `{path}` does not exist yet; make it with `dvc repro optimise_pulses`."
            raise ConfigurationError(message, key="designed.measurement.found", value=self.found)
        held = read_sequences(path)
        if not held:
            message = f"File `{path}` must hold a measurement, with `sequences` or one `sequence`, but holds neither."
            raise ConfigurationError(message, key="designed.measurement", value=str(path))
        return {key: value for key, value in experiment.items() if key not in _RECORDS} | held


class DesignedSettings(Schema):
    """The section `designed` of a parameter file.

    Attributes:
        measurement: What is measured instead of `data.experiment.sequence`.
        tasks: Which tasks are asked again; their results are called ``designed-<task>``.
        data: What differs from the section of this name.
        features: Likewise.
        tune: Likewise.
        evaluate: Likewise.
    """

    measurement: MeasurementSource
    tasks: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
    data: dict[str, Any] = Field(default_factory=dict)
    features: dict[str, Any] = Field(default_factory=dict)
    tune: dict[str, Any] = Field(default_factory=dict)
    evaluate: dict[str, Any] = Field(default_factory=dict)

    def over(self, values: Mapping[str, Any], root: Path) -> dict[str, Any]:
        """The sections of a parameter file, of the designed measurement.

        Args:
            values: The file in plain data.
            root: Its folder.

        Raises:
            ConfigurationError: The measurement is not there.
        """
        merged = {**values, **{name: laid_over(values.get(name, {}), getattr(self, name)) for name in _MERGED}}
        experiment = self.measurement.into(merged["data"].get("experiment", {}), root)
        merged["data"] = {**merged["data"], "experiment": experiment}
        asked = values.get("tasks", {})
        merged["tasks"] = {designed_name(name): asked[name] for name in self.tasks if name in asked}
        return merged


class _Section(Schema):
    designed: DesignedSettings


def designed_name(task: str) -> str:
    """What the results of a task are called that is asked of the designed measurement."""
    return f"{DESIGNED}{task}"


def read_sequences(path: Path) -> dict[str, Any]:
    """The sequences of a measurement in plain data: ``sequences`` by name, or one ``sequence``; empty without either.

    Args:
        path: A file that may hold more, for instance a whole experiment.

    Raises:
        ConfigurationError: There is no such file, or it is not YAML.
    """
    values = read_yaml(path)
    return {name: values[name] for name in _RECORDS if name in values} if isinstance(values, Mapping) else {}


def read_designed_sections(path: Path, model: type[S]) -> S:
    """Read those sections of a parameter file that a stage reads, of the designed measurement.

    Args:
        path: The file, for instance params.yaml.
        model: See `read_sections`.

    Raises:
        ConfigurationError: There is no section `designed`, its measurement is not there yet, or something is not
            acceptable; the message names the file and the key.

    Example:
        >>> class Experiments(Schema):
        ...     data: dict[str, Any]
        >>> _ = Path("mine.yaml").write_text("sequences: {s1: {kind: hahn, tau: 27}}")
        >>> path = Path("params.yaml")
        >>> _ = path.write_text(
        ...     "{data: {experiment: {step: 0.2, sequence: {kind: hahn, tau: 100}}}, "
        ...     "designed: {measurement: {path: mine.yaml}, tasks: [W]}}"
        ... )
        >>> read_designed_sections(path, Experiments).data["experiment"]
        {'step': 0.2, 'sequences': {'s1': {'kind': 'hahn', 'tau': 27}}}
    """
    designed = read_sections(path, _Section).designed
    try:
        values = designed.over(read_yaml(path), path.parent)
        return validate(model, {name: values[name] for name in model.model_fields if name in values})
    except ConfigurationError as error:
        message = f"In `{path}`, of the designed measurement: {error}"
        raise ConfigurationError(message, key=error.key, value=error.value) from error
