"""The search space: named sequences, which of their keys vary over which ranges, and what an instrument forbids."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from optuna.trial import Trial
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.datasets import Choice, Expression, LogUniform, Uniform, formula, numbers_in, with_values
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Custom, Delay, Sequence
from nmr_platform.pulse_design.spaces.free import FreePulses
from nmr_platform.pulse_design.spaces.sequence_set import SequenceSet
from nmr_platform.pulse_design.spaces.waveforms import Waveform
from nmr_platform.schema import Name, Schema, validate

__all__ = ["Limits", "SearchSpace", "VariedSequence"]

Vary = Annotated[Uniform | LogUniform | Choice | Expression, Field(discriminator="kind")]
Searched = Uniform | LogUniform | Choice

_EDGE = 1e-9


class _Holder(Schema):
    """Something to validate a sequence in, so that messages name its key."""

    sequence: Sequence


class VariedSequence(Schema):
    """A sequence and what of it is searched.

    Attributes:
        name: What its record is called; ``s<k>``, its place counted from 1, by default.
        sequence: The sequence as plain data; null for that of ``data.experiment``. Elements of a custom sequence may
            be of kind ``waveform``. A custom sequence without ``echo_times`` is expected to echo where the phases are 0
            again if every pulse but the first turns them around.
        vary: By dotted key of the sequence (``theta1``, ``elements.2.duration``) what it is drawn from: ``uniform``,
            ``log_uniform``, ``choice`` of values, or an ``expression`` over the other keys, in which dots and numbers
            are written with underscores (``2 * theta1``, ``elements_2_duration``).
        free: Instead of both: ideal pulses whose number and phases are searched too.
    """

    name: Name | None = None
    sequence: dict[str, Any] | None = None
    vary: dict[str, Vary] = Field(default_factory=dict)
    # What is not said is not dumped either: searches without it stay what they were.
    free: FreePulses | None = Field(default=None, exclude_if=lambda free: free is None)

    @model_validator(mode="after")
    def _is_either_free_or_given(self) -> Self:
        if self.free and (self.sequence is not None or self.vary):
            message = "Key `free` must stand alone, without `sequence` and `vary`, but does not."
            raise ValueError(message)
        return self

    def of(self, data: Mapping[str, Any]) -> "VariedSequence":
        """The same with the sequence of the data, ``data``, where none is given."""
        return self if self.free or self.sequence is not None else self.replace(sequence=dict(data))

    @property
    def searched(self) -> dict[str, Searched]:
        """Free parameters by name, those of waveforms included."""
        if self.free:
            return dict(self.free.parameters)
        own = {key: each for key, each in self.vary.items() if not isinstance(each, Expression)}
        shaped = {
            f"elements.{number}.{name}": each
            for number, waveform in self._waveforms(self.sequence or {}).items()
            for name, each in waveform.parameters.items()
        }
        return {**own, **shaped}

    def build(self, values: Mapping[str, Any]) -> Sequence:
        """The sequence at ``values``, one for each of `searched` that it has.

        Raises:
            ConfigurationError: It is no sequence.
        """
        if self.free:
            return validate(_Holder, {"sequence": self.free.sequence(values)}).sequence
        plain = with_values(self.sequence or {}, {**self._bound(values), **_only(values, self.vary)})
        for number, waveform in self._waveforms(plain).items():
            prefix = f"elements.{number}."
            plain["elements"][number] = waveform.pulse(
                {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
            )
        return _with_echo(validate(_Holder, {"sequence": plain}).sequence)

    def has(self, key: str, values: Mapping[str, Any]) -> bool:
        """Whether the sequence at ``values`` has the free parameter ``key``."""
        return self.free is None or self.free.has(key, values)

    def values_of(self, sequence: Sequence) -> dict[str, Any] | None:
        """The values at which `build` gives ``sequence``; None if it lies outside what the template can become."""
        plain = sequence.model_dump(mode="json")
        try:
            values = {key: _at(plain, key) for key in self.searched}
            return values if self.build(values) == sequence else None
        except (ConfigurationError, KeyError, IndexError, TypeError, ValueError):
            return None

    def _bound(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Keys that follow from others."""
        known = {**dict(numbers_in(self.sequence or {})), **values}
        known |= {f"elements.{n}.{k}": v for n, e in enumerate(_elements(self.sequence)) for k, v in numbers_in(e)}
        names = {_spelt(key): value for key, value in {**known, **values}.items()}
        bound = {}
        for key, each in self.vary.items():
            if isinstance(each, Expression):
                missing = sorted(formula(each.value).names - names.keys())
                if missing:
                    message = f"Key `vary.{key}`: name `{missing[0]}` must be one of {', '.join(sorted(names))}."
                    raise ConfigurationError(message, key=f"vary.{key}", value=each.value)
                bound[key] = formula(each.value)(names)
        return bound

    def _waveforms(self, plain: Mapping[str, Any]) -> dict[int, Waveform]:
        return {
            number: validate(Waveform, element, where=f"sequence.elements.{number}")
            for number, element in enumerate(_elements(plain))
            if isinstance(element, Mapping) and element.get("kind") == "waveform"
        }


class Limits(Schema):
    """What the instrument or the time on it forbids; a candidate outside is not simulated.

    Attributes:
        time: Longest duration of all sequences together, us.
        flip: Largest flip angle of a pulse, degrees.
        drive: Largest amplitude of a pulse that lasts, MHz.
    """

    units: ClassVar[Mapping[str, str]] = {"time": "us", "flip": "degrees", "drive": "MHz"}

    time: PositiveFloat | None = None
    flip: PositiveFloat | None = None
    drive: PositiveFloat | None = None

    def excess(self, tried: SequenceSet) -> tuple[float, str]:
        """By what share the worst limit is exceeded, and a sentence about it; 0 and nothing if all are kept."""
        limits: list[tuple[str, float | None, Callable[[], float], str]] = [
            ("time", self.time, lambda: tried.duration, "us"),
            ("flip", self.flip, lambda: tried.largest_flip, "degrees"),
            ("drive", self.drive, lambda: tried.largest_drive, "MHz"),
        ]
        worst, sentence = 0.0, ""
        for name, limit, value, unit in limits:
            if limit is None:
                continue
            share = value() / limit - 1
            if share > max(worst, _EDGE):
                worst, sentence = share, f"{name} {value():.6g} {unit} is over the limit of {limit:g} {unit}"
        return worst, sentence


class SearchSpace(Schema):
    """All sets of sequences that a search may try.

    Attributes:
        sequences: Run one after another and analysed jointly; usually one. Parameters of one of several are named
            ``<name>.<key>``.
        keep: Sequences that are always run before these, by name; see `Growth`.
        limits: What is forbidden.
    """

    sequences: Annotated[tuple[VariedSequence, ...], Field(strict=False, min_length=1)]
    keep: dict[Name, Sequence] = Field(default_factory=dict, exclude_if=lambda kept: not kept)
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _something_varies(self) -> Self:
        if not any(each.vary or each.sequence or each.free for each in self.sequences):
            message = "Key `sequences` must vary something, but no sequence has a key under `vary`."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        twice = [name for name, count in Counter((*self.keep, *self.names)).items() if count > 1]
        if twice:
            message = f"Key `sequences` must name every sequence once, but has {twice[0]!r} more than once."
            raise ValueError(message)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What the sequences are called, in order."""
        return tuple(each.name or f"s{k}" for k, each in enumerate(self.sequences, 1 + len(self.keep)))

    def of(self, data: Mapping[str, Any]) -> "SearchSpace":
        """The space with the sequence of the data where none is given; in the middle of it there must be sequences.

        Raises:
            ConfigurationError: It is not, or nothing is searched.
        """
        space = self.replace(sequences=[each.of(data) for each in self.sequences])
        if not space.searched:
            message = "Key `pulse_search.space` must leave something to search, but no sequence has a free parameter."
            raise ConfigurationError(message, key="pulse_search.space")
        try:
            space.build({name: each.quantile(0.5) for name, each in space.searched.items()})
        except ConfigurationError as error:
            message = f"In `pulse_search.space`, {error}"
            raise ConfigurationError(message, key="pulse_search.space", value=error.value) from error
        return space

    @cached_property
    def searched(self) -> dict[str, Searched]:
        """Free parameters by name."""
        return {
            self._key(name, key): each
            for name, varied in zip(self.names, self.sequences, strict=True)
            for key, each in varied.searched.items()
        }

    def build(self, values: Mapping[str, Any]) -> SequenceSet:
        """What is kept, and the sequences at ``values``, one for each of `searched` that they have.

        Raises:
            ConfigurationError: One of them is none.
        """
        built = dict(self.keep)
        for name, varied in zip(self.names, self.sequences, strict=True):
            keys = {key: self._key(name, key) for key in varied.searched}
            built[name] = varied.build({key: values[place] for key, place in keys.items() if place in values})
        return SequenceSet(sequences=built)

    def values_of(self, sequence: Sequence) -> dict[str, Any] | None:
        """The values at which the space holds ``sequence`` alone; None if it does not."""
        return self.sequences[0].values_of(sequence) if len(self.sequences) == 1 and not self.keep else None

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Draw the parameters of a trial."""
        values: dict[str, Any] = {}
        for name, varied in zip(self.names, self.sequences, strict=True):
            own: dict[str, Any] = {}
            for key, each in varied.searched.items():
                if varied.has(key, own):
                    own[key] = _suggested(trial, self._key(name, key), each)
            values |= {self._key(name, key): value for key, value in own.items()}
        return values

    def _key(self, name: str, key: str) -> str:
        return key if len(self.sequences) == 1 else f"{name}.{key}"


def _suggested(trial: Trial, name: str, searched: Searched) -> Any:
    if isinstance(searched, Choice):
        return trial.suggest_categorical(name, list(searched.values))
    return trial.suggest_float(name, searched.low, searched.high, log=isinstance(searched, LogUniform))


def _elements(plain: Mapping[str, Any] | None) -> list[Any]:
    elements = (plain or {}).get("elements", [])
    return elements if isinstance(elements, list) else []


def _only(values: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keys}


def _spelt(key: str) -> str:
    return key.replace(".", "_")


def _at(plain: Any, key: str) -> Any:
    for part in key.split("."):
        plain = plain[int(part)] if isinstance(plain, list) else plain[part]
    return plain


def _with_echo(sequence: Sequence) -> Sequence:
    """A custom sequence with the echo of its last pulse, where no echo was given and the record holds one.

    Every pulse but the first turns the phases that spins gathered so far around; the echo is where they are 0 again.
    """
    if not isinstance(sequence, Custom) or sequence.echo_times:
        return sequence
    gathered, left, start, end = 0.0, 0.0, 0.0, 0.0
    for part in sequence.parts[1:]:
        end += part.duration
        if isinstance(part, Delay):
            gathered += part.duration
        else:
            gathered = left = -gathered
            start = end
    if not 0 < -left <= end - start:
        return sequence
    return sequence.replace(echo_times=[start - left])
