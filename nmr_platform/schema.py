"""The base of every configuration model, and the one place that turns validation failures into sentences."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from nmr_platform.errors import ConfigurationError
from nmr_platform.files import read_text
from nmr_platform.yaml_text import parse_yaml

__all__ = [
    "Count",
    "CurveCount",
    "Jobs",
    "Name",
    "Schema",
    "Seed",
    "laid_over",
    "read_sections",
    "read_value",
    "read_yaml",
    "schemas_in",
    "unit_at",
    "validate",
]

S = TypeVar("S", bound=BaseModel)


def _plain_name(name: str) -> str:
    """A name that files and folders can bear, whatever the system, without leaving their folder."""
    if not _NAME.fullmatch(name):
        message = (
            f"it must be a name of up to 64 letters, digits, `_`, `-`, `+` and `.` that begins with a letter or digit, "
            f"for files bear it, but is {_short(name)}."
        )
        raise ValueError(message)
    return name


def _some(jobs: int) -> int:
    if not jobs:
        message = "it must be a number of threads, or -1 for one per core, but is 0."
        raise ValueError(message)
    return jobs


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")

Name = Annotated[str, AfterValidator(_plain_name)]
"""What a file or folder is called after."""

Count = Annotated[int, Field(gt=0, le=1_000_000)]
"""How many of something are made; a bound beyond anything sensible keeps a slip from filling the memory."""

CurveCount = Annotated[int, Field(gt=0, le=10_000_000)]
"""How many curves a data set has."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What random numbers are drawn from: as large as every library takes it."""

Jobs = Annotated[int, Field(ge=-1, le=4096), AfterValidator(_some)]
"""Threads or processes; -1 for one per core."""


class Schema(BaseModel):
    """A frozen, strict value that refuses unknown keys.

    Attributes:
        units: Unit of every number among its own keys and those of its subclasses, ``1`` for a plain one.
    """

    units: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __eq__(self, other: object) -> bool:
        """Equal if the fields are: cached arrays, which have no truth value, do not count."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    __hash__ = BaseModel.__hash__

    @classmethod
    def unit_of(cls, key: str) -> str:
        """Unit of a key as this class or one that it is made from declares it; empty if none does."""
        declared = (vars(base).get("units", {}) for base in cls.__mro__)
        return next((units[key] for units in declared if key in units), "")

    def replace(self, **changes: object) -> Self:
        """Return a copy with ``changes`` applied, validated again."""
        return type(self).model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})


def schemas_in(annotation: Any) -> Iterator[type[Schema]]:
    """The models that a value of type ``annotation``, perhaps a union or a tuple, may be or hold."""
    if isinstance(annotation, type) and issubclass(annotation, Schema):
        yield annotation
    for argument in get_args(annotation):
        yield from schemas_in(argument)


def unit_at(model: type[BaseModel], location: Iterable[int | str]) -> str:
    """Unit of a key somewhere inside a model.

    Args:
        model: Where to start.
        location: Names of the keys that lead there, numbers for places in a list, and perhaps, after a key that may
            hold several kinds of value, which kind it is.

    Returns:
        The unit that the models at this place declare; empty if there is none.
    """
    unit, models = "", [model]
    for part in location:
        holders = [each for each in models if part in each.model_fields]
        if holders:
            name = str(part)
            unit = next((u for each in holders if issubclass(each, Schema) and (u := each.unit_of(name))), "")
            models = [inner for each in holders for inner in schemas_in(each.model_fields[name].annotation)]
        else:
            models = [each for each in models if _is_of_kind(each, part)] or models
    return unit


def _is_of_kind(model: type[BaseModel], tag: int | str) -> bool:
    return "kind" in model.model_fields and tag in get_args(model.model_fields["kind"].annotation)


def validate(model: type[S], values: object, *, where: str = "") -> S:
    """Validate ``values`` against ``model`` and say what is wrong in one sentence.

    Args:
        model: The configuration model.
        values: Plain data, as a YAML file gives it.
        where: Dotted prefix of the keys in the message.

    Raises:
        ConfigurationError: The first few offending keys, what they hold and what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [fault for fault in error.errors() if not _is_of_an_entry(fault)]
        sentences = " ".join(_sentence(fault, model, values, where) for fault in faults[:3])
        more = f" (And {len(faults) - 3} more.)" if len(faults) > 3 else ""
        key = _dotted(faults[0]["loc"], values, where)
        raise ConfigurationError(sentences + more, key=key, value=faults[0].get("input")) from error


def read_yaml(path: Path) -> Any:
    """Read a YAML file into plain data, as DVC reads it.

    Raises:
        ConfigurationError: The file does not exist, cannot be read, or is not YAML.
    """
    try:
        return parse_yaml(read_text(path))
    except ValueError as error:
        message = f"File `{path}` {error}."
        raise ConfigurationError(message, key=str(path)) from error


def read_value(path: Path, model: type[S]) -> S:
    """Read a YAML file that holds one value, for instance an experiment.

    Args:
        path: The file.
        model: What it must be.

    Raises:
        ConfigurationError: The file is missing, not YAML, or holds something that is not acceptable; the message
            names the file and the key.
    """
    values = read_yaml(path)
    with _naming(path):
        return validate(model, values)


def laid_over(values: Any, changes: Any) -> Any:
    """Plain data with other plain data laid over it, mapping by mapping; neither is changed.

    Args:
        values: What is below.
        changes: What is above; it wins, but keys of a mapping that it does not have stay.

    Example:
        >>> laid_over({"lattice": {"kind": "square", "shape": [64, 64]}, "step": 0.2}, {"lattice": {"shape": [8, 8]}})
        {'lattice': {'kind': 'square', 'shape': [8, 8]}, 'step': 0.2}
    """
    if not isinstance(values, Mapping) or not isinstance(changes, Mapping):
        return changes
    return {**values, **{key: laid_over(values.get(key), change) for key, change in changes.items()}}


def read_sections(path: Path, model: type[S]) -> S:
    """Read those sections of a parameter file that a stage reads.

    Args:
        path: The file, for instance params.yaml.
        model: One field a section; the others are left to the stages that read them.

    Raises:
        ConfigurationError: The file is missing, not YAML, or holds something that is not acceptable; the message
            names the file and the key.
    """
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        message = f"File `{path}` must hold keys and values, but is {type(values).__name__}."
        raise ConfigurationError(message, key=str(path))
    with _naming(path):
        return validate(model, {name: values[name] for name in model.model_fields if name in values})


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in a refusal."""
    try:
        yield
    except ConfigurationError as error:
        message = f"In `{path}`: {error}"
        raise ConfigurationError(message, key=error.key, value=error.value) from error


def _is_of_an_entry(fault: ErrorDetails) -> bool:
    """Whether a list only lacks entries that are not acceptable: each of them has a sentence of its own."""
    return fault["type"] == "too_short" and len(fault["input"]) >= fault["ctx"]["min_length"]


def _sentence(fault: ErrorDetails, model: type[BaseModel], values: object, where: str) -> str:
    key, held, context = _dotted(fault["loc"], values, where), _short(fault["input"]), fault.get("ctx", {})
    unit = _in_its_unit(fault, model)
    match fault["type"]:
        case "missing":
            sentence = f"Key `{key}` is missing{unit}."
        case "extra_forbidden":
            sentence = f"Key `{key}` is not known.{_suggestion(str(fault['loc'][-1]), _all_keys(model))}"
        case "union_tag_not_found":
            sentence = f"Key `{key}.kind` is missing."
        case "union_tag_invalid":
            allowed, tag = context["expected_tags"], context["tag"]
            hint = _suggestion(tag, set(allowed.replace("'", "").split(", ")))
            sentence = f"Key `{key}.kind` is {_short(tag)}, but it must be one of {allowed}.{hint}"
        case "model_type" | "model_attributes_type":
            sentence = f"Key `{key}` is {held}, but it must hold keys of its own."
        case "tuple_type" | "list_type":
            sentence = f"Key `{key}` is {held}, but it must be a list."
        case "too_short":
            sentence = f"Key `{key}` is {held}, but it must have {context['min_length']} or more entries."
        case "too_long":
            sentence = f"Key `{key}` is {held}, but it must have {context['max_length']} or fewer entries."
        case "float_type" if _reads_as_number(fault["input"]):
            sentence = f"Key `{key}` is the text {held}, but it must be a number{unit}, without quotes."
        case "value_error":
            message = str(context["error"])
            about_the_value = message.startswith("it ") or "`" not in message
            sentence = f"Key `{key}`: {message}" if about_the_value else message
        case _:
            reason = fault["msg"][0].lower() + fault["msg"][1:]
            reason = reason.replace("input should", "it must")
            sentence = f"Key `{key}` is {held}, but {reason}{unit}."
    return sentence


def _in_its_unit(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """The unit of the key that a fault is about, for the end of a sentence; nothing for a plain number."""
    unit = unit_at(model, fault["loc"])
    return f" ({unit})" if unit not in ("", "1") else ""


def _dotted(location: tuple[int | str, ...], values: object, where: str) -> str:
    """Dotted name of the key at ``location``, without the variants that pydantic adds after a union's key."""
    parts = [where] if where else []
    for part in location:
        entries = values if isinstance(values, Mapping) else {}
        if part == "[key]" or (entries.get("kind") == part and part not in entries):
            continue
        parts.append(str(part))
        values = values[part] if isinstance(part, int) and isinstance(values, list | tuple) else entries.get(part)
    return ".".join(parts) or "(top level)"


def _reads_as_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _suggestion(name: str, known: set[str]) -> str:
    # A key that is known elsewhere was not misspelt.
    close = [] if name in known else difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _all_keys(model: type[BaseModel]) -> set[str]:
    """Every key in the model's JSON schema, nested ones included."""
    schema = model.model_json_schema()
    return {key for part in [schema, *schema.get("$defs", {}).values()] for key in part.get("properties", {})}
