"""Trials in the order in which their points were planned: what no kill, retry or number of attempts changes."""

import copy
import warnings
from typing import Any

from optuna.exceptions import ExperimentalWarning
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial

from nmr_platform.studies.attempts import is_abandoned

__all__ = ["PLANNED", "PlannedStudy", "as_planned", "numbered", "planned_trials"]

PLANNED = "planned"
"""Attribute of a trial that was lined up for a certain place, whenever that was."""


def planned_trials(study: Study) -> list[FrozenTrial]:
    """The trials that count, in the order in which their points were first taken up, numbered by their place in it.

    A point that was tried again stands where its first attempt stood, and attempts that came to nothing are not there:
    Optuna's own numbers count them, and would tell a study that was killed and continued from one that was not.

    Args:
        study: The study.

    Returns:
        Copies, whose ``number`` is their place, counted from 0.
    """
    return [numbered(trial, place) for place, trial in enumerate(_in_order(study))]


def as_planned(study: Study, trial: FrozenTrial) -> FrozenTrial:
    """A trial that counts, under the number that `planned_trials` gives it.

    Args:
        study: The study.
        trial: One of its trials, under Optuna's number.
    """
    return numbered(trial, [each.number for each in _in_order(study)].index(trial.number))


def numbered(trial: FrozenTrial, number: int) -> FrozenTrial:
    """A copy of a trial with another number."""
    copied = copy.copy(trial)
    copied.number = number
    return copied


class PlannedStudy:
    """A study that holds certain trials and no others, and is for the rest the one that it stands for.

    Args:
        study: The study that it stands for.
        trials: What it holds.
    """

    def __init__(self, study: Study, trials: list[FrozenTrial]) -> None:
        self._study = study
        self._planned = trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        """Its trials, see `Study.get_trials`."""
        chosen = [trial for trial in self._planned if states is None or trial.state in states]
        return copy.deepcopy(chosen) if deepcopy else chosen

    # Optuna's own samplers ask by this name, and there is no public one: without it they would see every trial.
    def _get_trials(self, deepcopy: bool = True, states: Any = None, use_cache: bool = False) -> list[FrozenTrial]:  # noqa: ARG002 Optuna's
        return self.get_trials(deepcopy, states)


def _in_order(study: Study) -> list[FrozenTrial]:
    """The trials that count, under Optuna's numbers, as they were planned."""
    with warnings.catch_warnings():
        # Retries have been there since Optuna 2.8.
        warnings.simplefilter("ignore", ExperimentalWarning)
        trials = sorted(study.get_trials(deepcopy=False), key=_plan)
        again = {number for trial in trials for number in RetryHeartbeatStaleTrialCallback.retry_history(trial)}
    # One that is lined up again before it has failed counts once; one that finished after all is not forgotten.
    again -= {trial.number for trial in trials if trial.state.is_finished()}
    return [trial for trial in trials if trial.number not in again and not is_abandoned(trial)]


def _plan(trial: FrozenTrial) -> tuple[int, int]:
    """Where a point was planned: at the place that was asked for, else where its first attempt stood."""
    first = RetryHeartbeatStaleTrialCallback.retried_trial_number(trial)
    stood = trial.number if first is None else first
    return int(trial.user_attrs.get(PLANNED, stood)), stood
