"""What studies there are, and where they stand."""

from dataclasses import dataclass
from datetime import datetime

import optuna
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import TrialState

from nmr_platform.studies.trials import best_trial, finished_trials, is_pruned, score_of, settled_trials

__all__ = ["StudySummary", "find_study", "list_studies", "load_studies"]


@dataclass(frozen=True)
class StudySummary:
    """Where a study stands.

    Attributes:
        name: The study.
        finished: Trials that went to their end and have a score.
        pruned: Trials that were stopped early.
        failed: Trials that failed by themselves.
        running: Trials in progress.
        best: Largest score; None if there is none.
        best_trial: Number of the trial that has it, its place in the plan of the study.
        last: When the last trial ended, local time, ISO 8601; empty if none has.
    """

    name: str
    finished: int
    pruned: int
    failed: int
    running: int
    best: float | None
    best_trial: int | None
    last: str


def load_studies(storage: BaseStorage) -> list[Study]:
    """Every study in ``storage``, by name."""
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


def find_study(storage: BaseStorage, name: str) -> Study | None:
    """The study called ``name`` in ``storage``; None if there is none."""
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return None


def list_studies(storage: BaseStorage) -> list[StudySummary]:
    """Say where every study in ``storage`` stands, by name."""
    return [_summary(study) for study in sorted(load_studies(storage), key=lambda study: str(study.study_name))]


def _summary(study: Study) -> StudySummary:
    settled = settled_trials(study)
    ends: list[datetime] = [trial.datetime_complete for trial in settled if trial.datetime_complete is not None]
    best = best_trial(study)
    return StudySummary(
        name=study.study_name,
        finished=len(finished_trials(study)),
        pruned=sum(map(is_pruned, settled)),
        failed=sum(trial.state is TrialState.FAIL for trial in settled),
        running=len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))),
        best=None if best is None else score_of(best),
        best_trial=None if best is None else best.number,
        last=max(ends).isoformat(timespec="seconds") if ends else "",
    )
