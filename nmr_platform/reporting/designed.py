"""What the echo of params.yaml tells, beside what a designed measurement of the same samples tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmr_platform.learning import METRICS, Score, Task, question_of

__all__ = ["Designed", "DesignedRow", "designed_row"]


@dataclass(frozen=True)
class DesignedRow:
    """One task asked of both.

    Attributes:
        task: Its name.
        question: What it asks, in words.
        metric: Name of the score.
        first: Held-out score of the champion that reads the echo of params.yaml.
        designed: That of the one which reads the designed measurement.
        gain: How much larger the second is, by paired resamples of the held-out curves.
        n_train: Curves that both learnt from.
        n_test: Curves that both are scored on.
    """

    task: str
    question: str
    metric: str
    first: Score
    designed: Score
    gain: Score
    n_train: int
    n_test: int


@dataclass(frozen=True)
class Designed:
    """The comparison.

    Attributes:
        first: The sequence of params.yaml, in words.
        designed: Those of the designed measurement.
        rows: One a task.
    """

    first: str
    designed: str
    rows: Sequence[DesignedRow]

    @property
    def verdict(self) -> str:
        """What the intervals of the gains say, in one sentence."""
        better = [row.task for row in self.rows if row.gain.lower > 0]
        worse = [row.task for row in self.rows if row.gain.upper < 0]
        tied = [row.task for row in self.rows if row.task not in {*better, *worse}]
        said = [
            f"{words} {', '.join(names)}"
            for words, names in (
                ("more of", better),
                ("less of", worse),
                ("neither more nor less, as far as these curves can show, of", tied),
            )
            if names
        ]
        return f"On the same held-out samples the designed measurement tells {'; '.join(said)}."


def designed_row(
    name: str, task: Task, first: Mapping[str, Any], designed: Mapping[str, Any], gain: Score
) -> DesignedRow:
    """One row from what `evaluate` wrote about both.

    Args:
        name: Of the task.
        task: The task.
        first: Scores of the models that read the echo of params.yaml.
        designed: Scores of those that read the designed measurement.
        gain: Of the second champion over the first.
    """
    return DesignedRow(
        task=name,
        question=question_of(task),
        metric=METRICS[task.metric],
        first=_champion(first, task),
        designed=_champion(designed, task),
        gain=gain,
        n_train=designed["n_train"],
        n_test=designed["n_test"],
    )


def _champion(scores: Mapping[str, Any], task: Task) -> Score:
    return Score(**scores["models"][scores["champion"]]["scores"][task.metric])
