"""The pulse sequence in a Tecmag file: tables of delays and phases, and the lengths that it uses by name.

The section ``PSEQ`` holds texts, each with its length (int32) before it. The name of a table stands directly before its
entries, that of a variable before an empty text and its value; the sequence itself names the tables, and the variables
after a ``=``. (Told by files of TNMR, and by the projects pytnt and nmrglue.)
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nmr_platform.exchange.records.sweep import Sweep

__all__ = ["PulseSequence"]

_MOST_BYTES = 2**24
_MAGIC_BYTES = 8
_SECTION = np.dtype([("tag", "S4"), ("whole", "<u4"), ("length", "<u4")])
_TEXT = re.compile(rb"(?=(.{3}\0)[\t\n\r -~])", re.DOTALL)
_PRINTED = re.compile(rb"[\t\n\r -~]+")
_TIME = re.compile(r"(\d{1,15}\.?\d{0,15}|\.\d{1,15})(n|u|m|ns|us|ms|s)")
_MICROSECONDS = {"n": 1e-3, "u": 1.0, "m": 1e3, "s": 1e6}
_QUARTERS = {"0": 0.0, "1": 90.0, "2": 180.0, "3": 270.0}


class _Text(NamedTuple):
    start: int
    end: int
    text: str


class PulseSequence(NamedTuple):
    """What the section says.

    Attributes:
        tables: Delays of every table that the sequence uses, us.
        times: Lengths and delays that it uses by name, us.
        phases: Phase cycles that it uses, degrees.
    """

    tables: Mapping[str, tuple[float, ...]]
    times: Mapping[str, float]
    phases: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, path: Path) -> "PulseSequence":
        """Read it; nothing is said by a file without it."""
        texts = list(_texts(_section(path)))
        used = {each.text.removeprefix("=") for each in texts if each.text.startswith("=")}
        seen: set[str] = set()
        tables: dict[str, tuple[float, ...]] = {}
        times: dict[str, float] = {}
        phases: dict[str, tuple[float, ...]] = {}
        for name, value in pairwise(texts):
            entries = value.text.split()
            if value.start == name.end and name.text in seen:
                if name.text.startswith("ph") and set(entries) <= _QUARTERS.keys():
                    phases[name.text] = tuple(_QUARTERS[entry] for entry in entries)
                elif len(entries) > 1 and all(map(_TIME.fullmatch, entries)):
                    tables[name.text] = tuple(map(_microseconds, entries))
            elif value.start == name.end + 4 and name.text in used and _TIME.fullmatch(value.text):
                times[name.text] = _microseconds(value.text)
            seen.add(name.text)
        return cls(tables, times, phases)

    def sweep(self, planned: int, count: int) -> Sweep:
        """What tells the records apart: the one table of as many delays as there are records to be.

        Args:
            planned: How many there were to be.
            count: How many were measured.
        """
        fitting = [delays for delays in self.tables.values() if len(delays) == planned]
        return Sweep(count, "tau", fitting[0][:count]) if len(fitting) == 1 and count > 1 else Sweep(count)


def _section(path: Path) -> bytes:
    """The pulse sequence, and what follows it; the sections before it are skipped."""
    with path.open("rb") as file:
        file.seek(_MAGIC_BYTES)
        while len(head := file.read(_SECTION.itemsize)) == _SECTION.itemsize:
            section = np.frombuffer(head, _SECTION)[0]
            if section["tag"] == b"PSEQ":
                return file.read(_MOST_BYTES)
            file.seek(int(section["length"]), 1)
    return b""


def _texts(content: bytes) -> Iterator[_Text]:
    """The texts with their places, of those that could overlap the first."""
    end = 0
    for found in _TEXT.finditer(content):
        start = found.start()
        stop = start + 4 + int.from_bytes(found[1], "little")
        if start >= end and stop <= len(content) and _PRINTED.fullmatch(content, start + 4, stop):
            end = stop
            yield _Text(start, end, content[start + 4 : end].decode("ascii"))


def _microseconds(text: str) -> float:
    number, unit = _TIME.fullmatch(text).groups()  # type: ignore[union-attr]
    return float(f"{float(number) * _MICROSECONDS[unit[0]]:.12g}")
