"""What a format of another program or instrument is: its name, how it is told, read and written, and its options."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from nmr_platform.exchange.records.sweep import Sweep

__all__ = ["Format", "Option", "options_of"]


@dataclass(frozen=True)
class Option:
    """An option of a reader or writer: it stands in the annotation of a keyword argument, which gives it the rest.

    Attributes:
        meaning: What it is, with its unit, for instance ``us from the first pulse to the first point``.
        least: Smallest number that is allowed; None if any is.
        chooses: Whether it chooses one record of several.
        name: Name of the argument.
        kind: Type of its value, without None.
        default: What the argument is if it is not given; None if the reader finds out by itself.
        required: Whether a command needs it.
    """

    meaning: str
    least: int | None = None
    chooses: bool = False
    name: str = ""
    kind: Any = str
    default: Any = None
    required: bool = False

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class Format:
    """A file or folder of another program or instrument, and the way from and to it.

    Attributes:
        name: Name for ``--format``.
        meaning: What it is, for `--help`.
        read: From a path, and options by keyword, to a data set in the store's layout; to a `Record` if ``measured``.
        write: From a data set, a path, the function that is told about progress, and options by keyword; None if the
            format is only read.
        records: Names of the records in a path, of a format that may hold several: its ``read`` takes the one that is
            meant by the keyword ``record``, and its ``write`` all of them by name in place of a data set.
        sweep: The same for a measured format, with what tells them apart: its ``read`` takes the keyword ``index``.
        measured: Whether it holds a measured echo, which is corrected and brought onto the time axis of a sequence.
        simulated: Whether simulated curves are kept in it, too, so that its numbers may be M as they stand.
        suffixes: Suffixes of its files, in lower case.
        begins: What its files begin with, where other formats have its suffixes, too.
        sniff: Whether a folder is of this format, by the names in it.
    """

    name: str
    meaning: str
    read: Callable[..., Any]
    write: Callable[..., None] | None = None
    records: Callable[[Path], tuple[str, ...]] | None = None
    sweep: Callable[[Path], Sweep] | None = None
    measured: bool = False
    simulated: bool = False
    suffixes: tuple[str, ...] = ()
    begins: bytes = b""
    sniff: Callable[[Path], bool] = lambda _: False

    def recognises(self, path: Path) -> bool:
        """Whether an existing file or folder is of this format, by its name or the names in it."""
        if path.is_dir():
            return self.sniff(path)
        return path.suffix.lower() in self.suffixes and (not self.begins or _begins(path, self.begins))

    @cached_property
    def reading(self) -> Mapping[str, Option]:
        """Options of `read` by name."""
        return options_of(self.read)

    @cached_property
    def writing(self) -> Mapping[str, Option]:
        """Options of `write` by name."""
        return {} if self.write is None else options_of(self.write)


def options_of(function: Callable[..., Any]) -> dict[str, Option]:
    """The keyword arguments of a function that are annotated with an `Option`, by name.

    Example:
        >>> from typing import Annotated
        >>> def read(path, *, start: Annotated[float | None, Option("us from the first pulse")] = None): ...
        >>> options_of(read)["start"].flag, options_of(read)["start"].kind
        ('--start', <class 'float'>)
    """
    hints = get_type_hints(function, include_extras=True)
    options: dict[str, Option] = {}
    for name, argument in inspect.signature(function).parameters.items():
        for extra in getattr(hints.get(name), "__metadata__", ()):
            if isinstance(extra, Option):
                kind = _without_none(get_args(hints[name])[0])
                options[name] = replace(extra, name=name, kind=kind, default=argument.default)
    return options


def _without_none(kind: Any) -> Any:
    kinds = [part for part in get_args(kind) if part is not NoneType]
    return kinds[0] if NoneType in get_args(kind) and len(kinds) == 1 else kind


def _begins(path: Path, content: bytes) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(content)) == content
    except OSError:
        return False
