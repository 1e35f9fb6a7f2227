"""What the names of columns mean: words for times, channels and units in the habits of programs and instruments."""

import re
import unicodedata
from collections.abc import Callable, Mapping

import numpy as np

__all__ = [
    "CHANNELS",
    "FREQUENCY",
    "MAGNITUDE",
    "PHASE",
    "PHASE_UNITS",
    "SIGNAL_UNITS",
    "TIME",
    "TIME_UNITS",
    "UNITS",
    "stems_of",
    "time_units",
    "unit_behind",
    "unknown_unit",
    "words_of",
]

Test = Callable[[str], bool]

TIME = frozenset({"time", "times", "t", "zeit", "temps", "tiempo", "tempo"})
"""A column of times."""

_REAL = {"re", "reell", "réel", "reel", "inphase"}
_IMAGINARY = {"im", "quadrature", "quad"}
CHANNELS: tuple[tuple[Test, Test], ...] = (
    (lambda word: word in _REAL or word.startswith("real"), lambda word: word in _IMAGINARY or word.startswith("imag")),
    ({"i"}.__contains__, {"q"}.__contains__),
    ({"x", "mx", "ix", "sx"}.__contains__, {"y", "my", "iy", "sy"}.__contains__),
    ({"r"}.__contains__, {"i"}.__contains__),
)
"""Words for the real and the imaginary part, the plainest pair first: beside it, X and Y mean something else."""

MAGNITUDE = frozenset(
    {"magnitude", "magn", "mag", "abs", "absolute", "amplitude", "amp", "modulus", "module", "modulo", "betrag", "r"}
)
"""A column of magnitudes."""

PHASE = frozenset({"phase", "arg", "argument", "angle", "phi", "theta"})
"""A column of phases."""

FREQUENCY = frozenset({"frequency", "freq", "frequenz", "fréquence", "ppm", "hz", "khz", "mhz", "shift"})
"""A column that makes a table a spectrum."""

TIME_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("us", "usec", "usecs", "microsec", "microsecond", "microseconds", "mikrosekunden"), "us"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisec", "millisecond", "milliseconds", "millisekunden"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunden"), "s"),
}
"""Units of time by the words for them."""

_FOREIGN_TIME_UNITS = {"fs", "ps", "min", "minute", "minutes", "h", "hour", "hours", "point", "points", "pts", "index"}

PHASE_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("deg", "degree", "degrees", "grad", "°"), np.pi / 180),
    **dict.fromkeys(("rad", "radian", "radians", "radiant"), 1.0),
}
"""Radians of the units of phases."""

SIGNAL_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("v", "volt", "volts"), "v"),
    **{unit: unit for unit in ("mv", "uv", "nv", "a", "ma", "ua", "db")},
}
"""Units of signals by the words for them."""

UNITS = frozenset({*TIME_UNITS, *PHASE_UNITS, *SIGNAL_UNITS, "au", "u", "arb", "units", "none", "1"})
"""Words of a line of units."""

_WORD = re.compile(r"[^\W_]+|°")
_IN_PHASE = re.compile(r"\bin[ -]phase\b")
_BARS = re.compile(r"\|([^|]*)\|")
# A unit stands in brackets or behind a stroke.
_BRACKETED = re.compile(r"\[([^\]]*)|\(([^)]*)|/\s*(\S+)")


def words_of(text: str) -> frozenset[str]:
    """The words of a name in lower case, the micro sign written as u.

    Example:
        >>> sorted(words_of("Time_(µs)")), sorted(words_of("In-phase"))
        (['time', 'us'], ['inphase'])
        >>> sorted(words_of("|M|"))
        ['abs', 'm']
    """
    return frozenset(_WORD.findall(_BARS.sub(r" abs \1 ", _IN_PHASE.sub("inphase", _plain(text)))))


def stems_of(text: str) -> frozenset[str]:
    """The words of a name without the numbers behind them.

    Example:
        >>> sorted(stems_of("re1 (V)"))
        ['re', 'v']
    """
    return frozenset(word.rstrip("0123456789") for word in words_of(text)) - {""}


def time_units(text: str) -> frozenset[str]:
    """The units of time that a name or a unit speaks of: one of ns, us, ms, s if it is clear.

    Example:
        >>> sorted(time_units("t/ms")), sorted(time_units("Time"))
        (['ms'], [])
    """
    return frozenset(TIME_UNITS[word] for word in words_of(text) & TIME_UNITS.keys())


def unit_behind(text: str) -> str:
    """The unit of a signal or a phase in the name of a column, as it stands there; empty if there is none.

    Example:
        >>> unit_behind("re1 (V)"), unit_behind("Phase / deg"), unit_behind("re(tau=20us)")
        ('(V)', '/ deg', '')
    """
    for found in _BRACKETED.finditer(text):
        words = words_of("".join(found.groups(default="")))
        if words and words <= UNITS:
            return text[found.start() :] if found[3] else text[found.start() : found.end() + 1]
    return ""


def unknown_unit(text: str) -> str:
    """A unit in the name of times that is none of those known, or has a factor; empty if there is none.

    Example:
        >>> unknown_unit("Time (min)"), unknown_unit("Time (1e-6 s)"), unknown_unit("Time (s)")
        ('min', '1e-6 s', '')
    """
    for parts in _BRACKETED.findall(_plain(text)):
        unit = "".join(parts).strip(" )]")
        if unit and (not time_units(unit) or any(character.isdigit() for character in unit)):
            return unit
    return min(words_of(text) & _FOREIGN_TIME_UNITS, default="")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("μ", "u")
