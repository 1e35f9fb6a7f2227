"""What a file says of its measurement beside the signal: printed by `nmr import`, and kept with the data set."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["Told"]

_UNITS = {"nucleus": "", "frequency": " MHz", "field": " T", "dwell": " us", "scans": "", "sequence": ""}
_SECOND = 1e6


@dataclasses.dataclass(frozen=True)
class Told:
    """Facts about one record; None, or no entry, where its file is silent.

    Attributes:
        nucleus: The nucleus that is observed, for instance ``139La``.
        frequency: Frequency at which it is observed, MHz.
        field: Static field, T.
        dwell: Time between points, us.
        scans: How many were added.
        sequence: Name of the pulse program.
        times: Lengths of pulses and of delays by their names there, us.
        phases: Phase cycles by their names there: a phase for each scan, degrees.
        swept: What this record alone has of all in its file, by what it is: ``tau`` (a delay) or ``pulse`` (its
            length) in us, ``loop`` (a number).

    Example:
        >>> print(Told(nucleus="139La", dwell=0.25, times={"p1": 2.5}, phases={"ph1": (0.0, 180.0)}))
        nucleus 139La, dwell 0.25 us, p1 2.5 us, ph1 0 180 degrees
    """

    nucleus: str | None = None
    frequency: float | None = None
    field: float | None = None
    dwell: float | None = None
    scans: int | None = None
    sequence: str | None = None
    times: Mapping[str, float] = dataclasses.field(default_factory=dict)
    phases: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    swept: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def attributes(self) -> dict[str, Any]:
        """What is told, as attributes of a data set: numbers and texts, mappings as JSON.

        Example:
            >>> Told(scans=8, times={"p1": 2.5}).attributes()
            {'scans': 8, 'times': '{"p1": 2.5}'}
        """
        held = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return {
            name: json.dumps(dict(value)) if isinstance(value, Mapping) else value
            for name, value in held.items()
            if value not in (None, {})
        }

    def __str__(self) -> str:
        """All of it but what is swept, with units."""
        held = {name: getattr(self, name) for name in _UNITS}
        said = [f"{name} {_short(value)}{_UNITS[name]}" for name, value in held.items() if value is not None]
        said += [f"{name} {_time(value)}" for name, value in self.times.items()]
        said += [f"{name} {' '.join(f'{each:g}' for each in cycle)} degrees" for name, cycle in self.phases.items()]
        return ", ".join(said)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.9g}"


def _time(value: float) -> str:
    return f"{value:.6g} us" if value < _SECOND else f"{value / _SECOND:.6g} s"
