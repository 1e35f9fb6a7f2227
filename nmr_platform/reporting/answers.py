"""The summary: what was asked, what the champion answers, and how that stands against what was published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmr_platform.learning import METRICS, Score, Task, question_of
from nmr_platform.reporting.published import best_published

__all__ = ["Answer", "answer_of", "verdict_on_published"]


@dataclass(frozen=True)
class Answer:
    """One question and its answer.

    Attributes:
        task: Name of the task.
        question: What it asks, in words.
        metric: Name of the score.
        model: Family and features of the champion.
        score: Held-out score of the champion.
        told: What that means for one echo, for instance ``± 0.0233 MHz``.
        published: The best published score of the same question; None if there is none.
        designed: Held-out score of the champion that reads the designed measurement; None if there is none.
    """

    task: str
    question: str
    metric: str
    model: str
    score: Score
    told: str
    published: float | None
    designed: Score | None = None

    @property
    def standing(self) -> str:
        """How the interval of the score lies against the published one; empty if there is none."""
        if self.published is None:
            return ""
        if self.score.lower > self.published:
            return "above"
        return "below" if self.score.upper < self.published else "level"


def answer_of(name: str, task: Task, scores: Mapping[str, Any], designed: Score | None = None) -> Answer:
    """The answer to one task.

    Args:
        name: Of the task.
        task: The task.
        scores: What `evaluate` wrote about it.
        designed: Held-out score of the champion that reads the designed measurement.
    """
    champion = scores["models"][scores["champion"]]["scores"]
    told = f"{champion['accuracy']['value']:.0%} right" if task.class_names else _errors(task, champion)
    return Answer(
        task=name,
        question=question_of(task),
        metric=METRICS[task.metric],
        model=scores["champion"],
        score=Score(**champion[task.metric]),
        told=told,
        published=best_published(name, task.metric),
        designed=designed,
    )


def verdict_on_published(answers: Sequence[Answer]) -> str:
    """How the answers stand against the published ones, in a sentence; empty if none has a counterpart.

    Args:
        answers: All of them.
    """
    names = {
        standing: [each.task for each in answers if each.standing == standing]
        for standing in ("above", "level", "below")
    }
    words = {"above": "above it for", "level": "level with it, to within the interval, for", "below": "below it for"}
    said = [f"{words[standing]} {', '.join(tasks)}" for standing, tasks in names.items() if tasks]
    return f"Against the best published score, of other curves, ours is {'; '.join(said)}." if said else ""


def _errors(task: Task, champion: Mapping[str, Any]) -> str:
    """How far the numbers err, root mean square, each with its name where there are several."""
    return ", ".join(
        f"{part.target if ending else ''} ± {champion[f'rmse{ending}']['value']:.3g} {part.unit}".strip()
        for ending, part in task.parts.items()
    )
