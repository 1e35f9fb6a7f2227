"""Parameter files of Bruker spectrometers (``acqus``, ``acqu2s``): labelled lines in JCAMP-DX, in whatever encoding."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Self

from nmr_platform.errors import DataError
from nmr_platform.exchange.tables import decoded, read_content

__all__ = ["Parameters"]

_MOST_BYTES = 2**24
_LABELLED = re.compile(r"(?:^|[\r\n])##(\$?)([^=\r\n]*)=([^\r\n]*(?:[\r\n]+(?!##|\$\$)[^\r\n]+)*)")


@dataclass(frozen=True)
class Parameters:
    """The parameters of one file, by name.

    Attributes:
        path: The file.
        texts: What stands behind each name.
    """

    path: Path
    texts: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a parameter file, which must be whole.

        Raises:
            DataError: The file cannot be read, is cut off, or says two things of one parameter.
        """
        text = decoded(read_content(path, most=_MOST_BYTES), path)
        labelled = [(own, name, value.strip()) for own, name, value in _LABELLED.findall(text)]
        if not any(name == "END" for _, name, _ in labelled):
            message = f"File `{path}` is cut off: it does not end in ##END=."
            raise DataError(message, path=path)
        texts: dict[str, str] = {}
        for own, name, value in labelled:
            if own and texts.setdefault(name, value) != value:
                message = f"File `{path}` says two things of {name}: `{_line(texts[name])}` and `{_line(value)}`."
                raise DataError(message, path=path)
        return cls(path, texts)

    def number(self, name: str, default: float | None = None) -> float:
        """A parameter that is a number.

        Args:
            name: The parameter.
            default: What it is where the file does not have it, or nothing behind its name; None if it must have it.

        Raises:
            DataError: There is no such number.
        """
        text = _line(self.texts.get(name, ""))
        if not text and default is not None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            message = f"File `{self.path}` has no number for {name}{f', but `{text[:20]}`' if text else ''}."
            raise DataError(message, path=self.path)
        return number

    def numbers(self, name: str) -> dict[int, float]:
        """The numbers of an array that are above zero, by their place from 0: none if the file has no such array."""
        _, _, values = self.texts.get(name, "").partition(")")
        return {
            place: number for place, text in enumerate(values.split()) if 0 < (number := _plain(text)) < float("inf")
        }

    def text(self, name: str) -> str | None:
        """A parameter that is a text, without its brackets; None if the file does not say."""
        return _line(self.texts.get(name, "")).strip("<> ") or None

    def positive(self, name: str) -> float:
        """A parameter that is a number above zero."""
        number = self.number(name)
        if number <= 0:
            message = f"File `{self.path}`: {name} must be above zero, but is {number:g}."
            raise DataError(message, path=self.path)
        return number

    def choice(self, name: str, allowed: Collection[int], meaning: str, default: float | None = None) -> int:
        """A parameter that is one of a few whole numbers.

        Args:
            name: The parameter.
            allowed: The numbers.
            meaning: What they mean, for the sentence.
            default: What it is where the file does not have it.
        """
        number = self.number(name, default)
        if number not in allowed:
            message = f"File `{self.path}`: {name} is {number:g}, but must be {meaning}."
            raise DataError(message, path=self.path)
        return int(number)


def _line(text: str) -> str:
    """The first line: all of a number."""
    return text.splitlines()[0] if text else ""


def _plain(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
