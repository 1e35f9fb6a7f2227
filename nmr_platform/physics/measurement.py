"""What is measured in one go: one sequence, or several by name on the same sample."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, model_validator

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics.experiment import Experiment, Setup
from nmr_platform.physics.sequences import Sequence
from nmr_platform.schema import Name, Schema, validate

__all__ = ["Measurement", "with_sweeps_expanded"]

S = TypeVar("S", bound=Schema)


class Measurement(Setup):
    """A `Setup` under one sequence or several, one after the other, each from the same `initial` state.

    All records see the same spins; the receiver's noise is drawn anew for each.

    Attributes:
        sequence: Pulses and delays of the only record, whose name is the empty text.
        sequences: Instead of it, those of each record by its name, in the order in which they are run. An entry may
            list values of its keys, ``sweep: {tau: [20, 40]}``; lists of several keys are paired. It stands for one
            entry a value, called ``<entry>-tau20`` and ``<entry>-tau40``, or ``tau20`` where `sequence` holds the
            sweep. It is gone from the value, which has the entries.

    Examples:
        >>> from nmr_platform import Measurement
        >>> measurement = Measurement.model_validate(
        ...     {
        ...         "lattice": {"shape": [8, 8]},
        ...         "kernel": {"kind": "uniform"},
        ...         "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
        ...         "line": {"fwhm": 0.05, "bandwidth": 1.0},
        ...         "sequences": {
        ...             "decay": {"kind": "hahn", "sweep": {"tau": [20.0, 40.0]}},
        ...             "small": {"kind": "hahn", "tau": 20.0, "theta1": 30.0},
        ...         },
        ...         "step": 0.25,
        ...     }
        ... )
        >>> for name, experiment in measurement.experiments.items():
        ...     print(f"{name}: {experiment.sequence}")
        decay-tau20: 90x - 20 us - 180y - 40 us
        decay-tau40: 90x - 40 us - 180y - 80 us
        small: 30x - 20 us - 180y - 40 us
    """

    sequences: Annotated[dict[Name, Sequence], Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_sweeps(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        expanded = with_sweeps_expanded(values)
        if expanded != values:
            # Refused here, where the keys of what the sweeps stand for are at hand.
            _refusing(_Several, {"sequences": expanded["sequences"]})
        return expanded

    @model_validator(mode="after")
    def _makes_experiments(self) -> Self:
        if self.sequence is None and self.sequences is None:
            message = "Key `sequence` is missing; several may stand under `sequences`."
            raise ValueError(message)
        if self.sequence is not None and self.sequences is not None:
            message = "Key `sequence` must not stand beside `sequences`, but does."
            raise ValueError(message)
        _ = self.experiments
        return self

    @classmethod
    def of(cls, experiment: Experiment) -> Self:
        """The measurement whose only record is that of ``experiment``."""
        return cls.model_validate({field: getattr(experiment, field) for field in Setup.model_fields})

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        """The experiment of each record by its name, in order."""
        sequences = {"": self.sequence} if self.sequences is None else self.sequences
        return {name: self._experiment(name, sequence) for name, sequence in sequences.items()}

    @property
    def first(self) -> Experiment:
        """The experiment of the first record, whose sample is that of all."""
        return next(iter(self.experiments.values()))

    def _experiment(self, name: str, sequence: Sequence | None) -> Experiment:
        shared = {field: getattr(self, field) for field in Setup.model_fields}
        return _refusing(Experiment, {**shared, "sequence": sequence}, record=name)


class _Several(Schema):
    """Something to validate sequences in, so that messages name their keys."""

    sequences: Annotated[dict[Name, Sequence], Field(min_length=1)]


def with_sweeps_expanded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data of a measurement in which every sequence stands for itself.

    Args:
        values: Plain data, as a YAML file gives it; entries of ``sequences``, or ``sequence``, may hold a ``sweep``.

    Returns:
        The same without any ``sweep``.

    Raises:
        ValueError: A sweep is no list of numbers by key, or two sequences have one name.
    """
    out = dict(values)
    one, several = values.get("sequence"), values.get("sequences")
    if isinstance(one, Mapping) and "sweep" in one:
        out["sequences"] = _named(_expanded("", one, "sequence.sweep"))
        del out["sequence"]
    elif isinstance(several, Mapping):
        out["sequences"] = _named(
            pair for name, each in several.items() for pair in _expanded(name, each, f"sequences.{name}.sweep")
        )
    return out


def _named(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, entry in pairs:
        if name in out:
            message = f"Key `sequences` must have a name for each sequence, but two are called `{name}`."
            raise ValueError(message)
        out[name] = entry
    return out


def _expanded(name: str, entry: Any, key: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(entry, Mapping) or "sweep" not in entry:
        yield name, entry
        return
    listed = entry["sweep"]
    columns = [*listed.values()] if isinstance(listed, Mapping) else []
    if not columns or not all(isinstance(column, list | tuple) and column for column in columns):
        message = f"Key `{key}` must hold lists of numbers by key, for instance {{tau: [20, 40]}}, but is {listed!r}."
        raise ValueError(message)
    if len({len(column) for column in columns}) > 1:
        shown = ", ".join(f"{swept} has {len(column)}" for swept, column in listed.items())
        message = f"Key `{key}` must have lists of equal length, but {shown}."
        raise ValueError(message)
    shared = {each: value for each, value in entry.items() if each != "sweep"}
    for swept in listed:
        if swept in shared:
            message = f"Key `{key}` must not list `{swept}`, which stands beside it."
            raise ValueError(message)
    for row in zip(*columns, strict=True):
        values = dict(zip(listed, row, strict=True))
        yield "-".join([*([name] if name else []), *map(_part, *zip(*values.items(), strict=True))]), shared | values


def _part(key: str, value: Any) -> str:
    """One value in a name: ``tau20``, and ``theta1_90`` after a key that ends in a digit."""
    shown = f"{value:.12g}" if isinstance(value, int | float) else str(value)
    return f"{key}{'_' if key[-1:].isdigit() else ''}{shown}"


def _refusing(model: type[S], values: Mapping[str, Any], *, record: str = "") -> S:
    """Validate inside a validator, which pydantic leaves by a ValueError."""
    try:
        return validate(model, values)
    except ConfigurationError as error:
        raise ValueError(_of_record(str(error), record)) from error


def _of_record(sentence: str, name: str) -> str:
    """A refusal of one record's experiment, as one of the measurement."""
    if not name:
        return sentence
    if "`sequence." in sentence:
        return sentence.replace("`sequence.", f"`sequences.{name}.")
    return f"{sentence.removesuffix('.')} (record `{name}`)."
