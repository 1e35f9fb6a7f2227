"""From a candidate to its value: refuse what is forbidden, give up what falls behind, judge the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ValidationError

from nmr_platform.errors import ConfigurationError
from nmr_platform.pulse_design.objectives import LOWEST, Objective
from nmr_platform.pulse_design.settings import PruningSettings
from nmr_platform.pulse_design.spaces import Limits, Measurement

__all__ = ["Assessed", "assess"]


@dataclass(frozen=True)
class Assessed:
    """What came of a candidate; plain data, to be kept with its trial.

    Attributes:
        value: Larger is better; below every judgement for a refused candidate.
        error: Standard error of the value.
        details: Further numbers of the objective.
        share: Part of the curves that the value is from: 1, or less for a candidate that was given up; 0 for one that
            was refused.
        rungs: Its values on growing parts of the curves.
        time: Duration of the sequences, us.
        refused: Why it was not simulated; empty if it was.
        sequences: The sequences.
        name: Name, if it is one of the textbook's.
    """

    value: float
    error: float
    details: dict[str, float]
    share: float
    rungs: list[float]
    time: float
    refused: str
    sequences: list[dict[str, Any]] = field(default_factory=list)
    name: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it was judged on all curves."""
        return self.share == 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Assessed":
        """What `to_dict` gave; other keys are left aside."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


def assess(
    measurement: Measurement,
    objective: Objective,
    *,
    limits: Limits,
    pruning: PruningSettings | None,
    rivals: Callable[[], Sequence[Assessed]],
    name: str = "",
) -> Assessed:
    """Judge one candidate.

    Args:
        measurement: Its sequences.
        objective: What it is judged by.
        limits: What is forbidden; a named sequence may do it.
        pruning: When it is given up; a named sequence never is.
        rivals: Gives the complete candidates that it must keep up with.
        name: Name, if it is one of the textbook's.
    """
    kept: dict[str, Any] = {"time": measurement.duration, "sequences": measurement.dump(), "name": name}
    excess, reason = limits.excess(measurement)
    if excess and not name:
        return Assessed(LOWEST - excess, 0.0, {}, 0.0, [], refused=reason, **kept)
    rungs: list[float] = []
    shares = pruning.shares if pruning else ()
    try:
        for share in (*shares, 1.0):
            judged = objective.judge(measurement, share)
            rungs.append(judged.value)
            done = Assessed(judged.value, judged.error, dict(judged.details), share, rungs, refused="", **kept)
            if pruning and not name and share < 1 and _is_behind(done, rivals(), pruning.errors):
                break
    except (ConfigurationError, ValidationError) as error:
        # A sequence that no record can be cut from; the search is to learn that it is worthless.
        return Assessed(LOWEST - 1.0, 0.0, {}, 0.0, [], refused=" ".join(str(error).split())[:300], **kept)
    return done


def _is_behind(candidate: Assessed, rivals: Sequence[Assessed], errors: float) -> bool:
    """Whether the candidate lies so far below the best rival on as many curves that it will not catch up."""
    rung = len(candidate.rungs) - 1
    comparable = [rival for rival in rivals if rival.is_complete and len(rival.rungs) > rung]
    if not comparable:
        return False
    best = max(comparable, key=lambda rival: rival.value)
    return candidate.value + errors * candidate.error < best.rungs[rung]
