"""The pulse program of a Bruker experiment: which lengths and delays it uses, and its phase cycles."""

import re
from collections.abc import Mapping
from pathlib import Path

from nmr_platform.exchange.instruments.bruker.parameters import Parameters
from nmr_platform.exchange.records.told import Told
from nmr_platform.exchange.tables import decoded, read_content

__all__ = ["program_of", "told_by"]

_MOST_BYTES = 2**22
_COMMENT = re.compile(r";[^\r\n]*|^#[^\r\n]*", re.MULTILINE)
_USED = re.compile(r"(?<![A-Za-z0-9_$])([pd])(\d{1,2})(?![A-Za-z0-9_:])")
_CYCLE = re.compile(
    r"^\s*(ph\d{1,2})\s*=\s*(?:\(\s*(\d{1,6})\s*\)\s*)?(\d{1,6}(?:[ \t]+\d{1,6}|\s*\n[ \t]+\d{1,6})*)\s*$", re.MULTILINE
)
# A step of a phase list, where none stands before it in brackets.
_QUARTERS = "4"


def program_of(folder: Path) -> str:
    """The text of the pulse program without its comments; empty if it was not kept."""
    path = folder / "pulseprogram"
    return _COMMENT.sub("", decoded(read_content(path, most=_MOST_BYTES), path)) if path.is_file() else ""


def told_by(acquired: Parameters, program: str) -> Told:
    """What the parameters say, of pulses (P, us) and delays (D, s) those that the program uses.

    Args:
        acquired: The parameters.
        program: The pulse program's text.
    """
    lengths = {"p": acquired.numbers("P"), "d": {at: 1e6 * value for at, value in acquired.numbers("D").items()}}
    return Told(
        nucleus=acquired.text("NUC1"),
        frequency=acquired.number("SFO1", default=0.0) or None,
        dwell=1e6 / acquired.positive("SW_h"),
        scans=int(acquired.number("NS", default=0.0)) or None,
        sequence=acquired.text("PULPROG"),
        times={
            f"{kind}{place}": lengths[kind][int(place)]
            for kind, place in _USED.findall(program)
            if int(place) in lengths[kind]
        },
        phases=_phases(program),
    )


def _phases(program: str) -> Mapping[str, tuple[float, ...]]:
    """The phase lists that are written out, degrees."""
    cycles: dict[str, tuple[float, ...]] = {}
    for name, steps, phases in _CYCLE.findall(program):
        turn = 360.0 / (int(steps or _QUARTERS) or 1)
        cycles[name] = tuple(int(phase) * turn % 360.0 for phase in phases.split())
    return cycles
