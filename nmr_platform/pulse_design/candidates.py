"""Candidates: what is forbidden or falls behind is given up, the rest judged; the best, and compromises with time."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import FrozenTrial
from pydantic import ValidationError

from nmr_platform.errors import ConfigurationError
from nmr_platform.pulse_design.objectives import LOWEST, Objective
from nmr_platform.pulse_design.settings import PruningSettings
from nmr_platform.pulse_design.spaces import BASELINE, KEPT, Limits, SequenceSet
from nmr_platform.schema import validate
from nmr_platform.tracking import RunEntry

__all__ = ["ASSESSED", "Assessed", "Candidate", "PulseSearch", "assess", "pareto", "read_assessed"]

ASSESSED = "assessed"
"""Attribute of a trial that keeps what came of its candidate."""


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
        sequences: The sequences by name, plain data.
        name: Name, if it is one of the textbook's.
    """

    value: float
    error: float
    details: dict[str, float]
    share: float
    rungs: list[float]
    time: float
    refused: str
    sequences: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it was judged on all curves."""
        return self.share == 1.0

    @property
    def metrics(self) -> dict[str, float]:
        """What a tracker shows of the candidate."""
        known = {"simulated_us": self.time, "share_of_curves": self.share}
        return known if self.refused else {"score": self.value, "score_error": self.error, **self.details, **known}

    @property
    def tags(self) -> dict[str, str]:
        """What a tracker shows of the candidate in words."""
        tags = {"sequence": json.dumps(self.sequences), "name": self.name, "refused": self.refused}
        return {name: text for name, text in tags.items() if text}

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def read_assessed(trial: FrozenTrial) -> Assessed:
    """What came of the candidate of a trial, as it was kept."""
    return Assessed(**trial.user_attrs[ASSESSED])


def assess(
    tried: SequenceSet,
    objective: Objective,
    *,
    limits: Limits,
    pruning: PruningSettings | None,
    rivals: Callable[[], Sequence[Assessed]],
    name: str = "",
) -> Assessed:
    """Judge one candidate.

    Args:
        tried: Its sequences.
        objective: What it is judged by.
        limits: What is forbidden; a named sequence may do it.
        pruning: When it is given up; a named sequence never is.
        rivals: Gives the complete candidates that it must keep up with.
        name: Name, if it is one of the textbook's.
    """
    kept: dict[str, Any] = {"time": tried.duration, **tried.model_dump(mode="json"), "name": name}
    excess, reason = limits.excess(tried)
    if excess and not name:
        return Assessed(LOWEST - excess, 0.0, {}, 0.0, [], refused=reason, **kept)
    rungs: list[float] = []
    shares = pruning.shares if pruning else ()
    try:
        for share in (*shares, 1.0):
            judged = objective.judge(tried, share)
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


@dataclass(frozen=True)
class Candidate:
    """One finished candidate.

    Attributes:
        number: Its place in the plan of the search, as everywhere.
        params: What the search drew; empty for a named sequence that the space does not hold.
        assessed: What came of it.
    """

    number: int
    params: dict[str, object]
    assessed: Assessed

    @property
    def sequences(self) -> SequenceSet:
        """Its sequences."""
        return validate(SequenceSet, {"sequences": self.assessed.sequences})


@dataclass(frozen=True)
class PulseSearch:
    """What a search found.

    Attributes:
        run: The run that it is shown in.
        label: Name of the value.
        candidates: Finished candidates in the order tried, 90/180 among them.
        importances: Share of each searched parameter in the variation of the value, most important first.
    """

    run: RunEntry
    label: str
    candidates: Sequence[Candidate]
    importances: dict[str, float]

    @property
    def complete(self) -> list[Candidate]:
        """Candidates that were judged on all curves."""
        return [each for each in self.candidates if each.assessed.is_complete]

    @property
    def baseline(self) -> Candidate:
        """The 90/180 echo."""
        return next(each for each in self.candidates if each.assessed.name == BASELINE)

    @property
    def kept(self) -> Candidate | None:
        """The set that was there before, if one was to grow."""
        return next((each for each in self.candidates if each.assessed.name == KEPT), None)

    @property
    def best(self) -> Candidate:
        """The candidate of largest value."""
        return self.best_few(1)[0]

    def best_few(self, n: int) -> list[Candidate]:
        """The ``n`` candidates of largest value, best first."""
        return sorted(self.complete, key=lambda each: (-each.assessed.value, each.number))[:n]

    @property
    def metrics(self) -> dict[str, float]:
        """What a tracker shows of the search beside its candidates."""
        best, baseline = self.best.assessed, self.baseline.assessed
        return {
            "best_score": best.value,
            "best_score_error": best.error,
            "baseline_score": baseline.value,
            "best_time_us": best.time,
            "n_given_up": float(sum(0 < each.assessed.share < 1 for each in self.candidates)),
            "n_refused": float(sum(bool(each.assessed.refused) for each in self.candidates)),
            **{f"importance_{name}": value for name, value in self.importances.items()},
        }

    @property
    def front(self) -> list[Candidate]:
        """The best compromises between value and time, shortest first."""
        complete = self.complete
        values = np.array([each.assessed.value for each in complete])
        times = np.array([each.assessed.time for each in complete])
        chosen = [each for each, good in zip(complete, pareto(values, times), strict=True) if good]
        return sorted(chosen, key=lambda each: each.assessed.time)

    @property
    def table(self) -> pd.DataFrame:
        """One row a candidate in the order tried.

        Columns: ``trial``, ``name``, every searched parameter, ``score`` and ``error``, ``time`` (us), ``share`` of the
        curves, the objective's details, and ``best``, the best score so far on all curves.
        """
        rows = [
            {
                "trial": each.number,
                "name": each.assessed.name,
                **each.params,
                "score": each.assessed.value if not each.assessed.refused else np.nan,
                "error": each.assessed.error,
                "time": each.assessed.time,
                "share": each.assessed.share,
                **each.assessed.details,
            }
            for each in self.candidates
        ]
        table = pd.DataFrame(rows)
        return table.assign(best=table["score"].where(table["share"] == 1.0).cummax().ffill())


def pareto(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some candidates are not beaten in one respect without being better in the other.

    Args:
        values: Larger is better, shape (n,), dimensionless.
        times: Smaller is better, shape (n,), us.

    Returns:
        Shape (n,); of equals the first.
    """
    order = np.lexsort((np.arange(values.size), -values, times))
    best_so_far = np.maximum.accumulate(np.concatenate([[-np.inf], values[order][:-1]]))
    chosen = np.zeros(values.size, dtype=bool)
    chosen[order] = values[order] > best_so_far
    return chosen
