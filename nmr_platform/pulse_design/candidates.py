"""What a search found: its candidates as a table, the best of them, and the compromises with time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.physics import Experiment
from nmr_platform.physics import Sequence as PulseSequence
from nmr_platform.pulse_design.assessing import Assessed
from nmr_platform.pulse_design.spaces import BASELINE, Measurement
from nmr_platform.schema import Schema, validate
from nmr_platform.tracking import RunEntry

__all__ = ["Candidate", "PulseSearch", "pareto"]


class _Holder(Schema):
    sequence: PulseSequence


@dataclass(frozen=True)
class Candidate:
    """One finished candidate.

    Attributes:
        number: In the order tried.
        params: What the search drew; empty for a named sequence that the space does not hold.
        assessed: What came of it.
    """

    number: int
    params: dict[str, object]
    assessed: Assessed

    @property
    def measurement(self) -> Measurement:
        """Its sequences."""
        return Measurement(tuple(validate(_Holder, {"sequence": plain}).sequence for plain in self.assessed.sequences))

    def experiments(self, example: Experiment) -> list[Experiment]:
        """The experiments that ``example`` becomes under its sequences."""
        return [example.replace(sequence=sequence) for sequence in self.measurement]


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
    def best(self) -> Candidate:
        """The candidate of largest value."""
        return self.best_few(1)[0]

    def best_few(self, n: int) -> list[Candidate]:
        """The ``n`` candidates of largest value, best first."""
        return sorted(self.complete, key=lambda each: (-each.assessed.value, each.number))[:n]

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
        values: Larger is better, shape (n,).
        times: Smaller is better, shape (n,).

    Returns:
        Shape (n,); of equals the first.
    """
    order = np.lexsort((np.arange(values.size), -values, times))
    best_so_far = np.maximum.accumulate(np.concatenate([[-np.inf], values[order][:-1]]))
    chosen = np.zeros(values.size, dtype=bool)
    chosen[order] = values[order] > best_so_far
    return chosen
