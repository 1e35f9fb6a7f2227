"""The leaderboard: every model of every question with its score, its rank, and what it costs to train and to ask."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import load_records
from nmr_platform.designed import DESIGNED, DesignedSettings, designed_name
from nmr_platform.errors import ConfigurationError
from nmr_platform.inference import Predictor
from nmr_platform.learning import METRICS, EvaluateSettings, Standing, Task
from nmr_platform.progress import Advance, no_progress
from nmr_platform.reporting import note_on_ranks, published_score
from nmr_platform.schema import Name, Schema
from nmr_platform.stages.standing import read_scores, read_standings, trial_seconds
from nmr_platform.workspace import Workspace

__all__ = ["Entry", "LeaderboardParams", "leaderboard", "tasks_of", "verdict"]

# Curves that a model is asked about at once, and how often.
_CURVES, _TIMES = 100, 3
_MEGA = 1e6


class LeaderboardParams(Schema):
    """What the leaderboard reads of params.yaml.

    Attributes:
        tasks: What is learnt, by name.
        evaluate: Resamples and level of the intervals.
        designed: Which of the tasks were asked again of a designed measurement; None in a study without one.
    """

    tasks: dict[Name, Task]
    evaluate: EvaluateSettings
    designed: DesignedSettings | None = None


@dataclass(frozen=True)
class Entry:
    """One model.

    Attributes:
        task: Name of the task.
        metric: Name of the score.
        champion: Whether cross-validation chose it.
        standing: Score and rank among the models of the task.
        repeats: Main scores with other seeds of the split, see `tune.repeats`.
        published: The published score of the same family and kind of features, if there is one.
        trial_seconds: Duration of all trials of its study together; None where the study is elsewhere.
        curve_seconds: From the record of a curve to its answer, features included, of many asked at once.
        megabytes: Size of its files, MB.
    """

    task: str
    metric: str
    champion: bool
    standing: Standing
    repeats: tuple[float, ...]
    published: float | None
    trial_seconds: float | None
    curve_seconds: float
    megabytes: float


def tasks_of(params: LeaderboardParams, asked: Sequence[str] = ()) -> dict[str, Task]:
    """The tasks with a leaderboard, those of the designed measurement among them.

    Args:
        params: What is read of params.yaml.
        asked: Their names; all of them if empty.

    Raises:
        ConfigurationError: One of the names is not among them.
    """
    again = (
        {} if params.designed is None else {designed_name(name): params.tasks[name] for name in params.designed.tasks}
    )
    known = params.tasks | again
    for name in asked:
        if name not in known:
            message = f"Option `--task` must be one of {', '.join(known)}, but is `{name}`."
            raise ConfigurationError(message, key="task", value=name)
    return {name: known[name] for name in asked or known}


def leaderboard(
    params: LeaderboardParams, workspace: Workspace, name: str, task: Task, *, progress: Advance = no_progress
) -> list[Entry]:
    """The models of one task, the largest held-out score first.

    Args:
        params: What is read of params.yaml.
        workspace: Where `evaluate` wrote, and where data and studies are.
        name: Name of the task.
        task: The task.
        progress: Called with the number of models whose cost was measured.

    Raises:
        DataError: A stage before has not run yet.
    """
    champion = read_scores(workspace, name)["champion"]
    seconds = trial_seconds(workspace, name)
    curves = _some_curves(replace(workspace, is_designed=name.startswith(DESIGNED)), task)
    entries = []
    for each in read_standings(workspace, name, task, params.evaluate):
        family, _, features = each.model.partition("/")
        folder = workspace.evaluated(name) / each.model / "model"
        entries.append(
            Entry(
                task=name,
                metric=METRICS[task.metric],
                champion=each.model == champion,
                standing=each,
                repeats=_repeats(workspace.evaluated(name) / each.model),
                published=published_score(name, family, features),
                trial_seconds=seconds.get(each.model),
                curve_seconds=_curve_seconds(folder, *curves),
                megabytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MEGA,
            )
        )
        progress(1)
    return entries


def verdict(entries: Sequence[Entry], params: LeaderboardParams) -> str:
    """What the ranks of one task's models say, in a sentence."""
    return note_on_ranks([each.standing for each in entries], params.evaluate.confidence)


def _repeats(folder: Path) -> tuple[float, ...]:
    """Main scores of a model with other seeds of the split; none if they were not asked for."""
    path = folder / "tables" / "repeats.csv"
    return tuple(pd.read_csv(path)["value"]) if path.exists() else ()


def _some_curves(workspace: Workspace, task: Task) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]]:
    """A few simulated curves of the task's first kernel and their times, by record."""
    records = load_records(workspace.simulated(task.kernels[0]))
    signals = {name: each["m"][:_CURVES].to_numpy() for name, each in records.items()}
    return signals, {name: each["time"].to_numpy().astype(np.float64) for name, each in records.items()}


def _curve_seconds(folder: Path, signals: Mapping[str, NDArray[Any]], time_: Mapping[str, NDArray[Any]]) -> float:
    """Time that a model takes for a curve, s: the median of a few goes after one that does not count."""
    predictor = Predictor.load(folder / "predictor" if (folder / "predictor").is_dir() else folder)
    taken = []
    for _ in range(_TIMES + 1):
        begun = time.perf_counter()
        predictor.predict(signals, time_)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:]) / len(next(iter(signals.values())))
