"""Whose a trial is, and what becomes of one whose process went away: it fails, and its point is tried again."""

import copy
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta

from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nmr_platform.processes import is_alive, this_process

__all__ = [
    "ERROR",
    "OWNER",
    "SUPERFLUOUS",
    "abandon_own",
    "error_of",
    "given_up",
    "is_abandoned",
    "is_last_attempt",
    "is_needless",
    "line_up",
    "owner_is_alive",
    "recover",
    "try_again",
]

ERROR = "error"
OWNER = "worker"
SUPERFLUOUS = "superfluous"

# A point that takes its process down again and again, for want of memory perhaps, is given up in the end.
_MOST_ATTEMPTS = 3
# Beyond this age a trial of another machine is taken for dead if nothing tells: no trial takes as long.
_STALE_AFTER = timedelta(hours=1)
_STALE_AFTER_BEATING = timedelta(days=1)
# A trial without an owner was asked for by other means than ours.
_UNOWNED_AFTER = timedelta(minutes=1)


def owner_is_alive(trial: FrozenTrial) -> bool:
    """Whether the process that a trial belongs to is known to live, on this machine."""
    name = trial.user_attrs.get(OWNER)
    return name is not None and bool(is_alive(name))


def is_last_attempt(trial: FrozenTrial) -> bool:
    """Whether the point of a trial is given up if this attempt fails too."""
    with warnings.catch_warnings():
        # Retries have been there since Optuna 2.8.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return len(RetryHeartbeatStaleTrialCallback.retry_history(trial)) >= _MOST_ATTEMPTS - 1


def is_needless(study: Study, trial: FrozenTrial) -> bool:
    """Whether an attempt at the point of a trial finished before: what was interrupted may not have heard that it did.

    Args:
        study: The study.
        trial: Lined up as another attempt, or for the first time.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        before = RetryHeartbeatStaleTrialCallback.retry_history(trial)
    trials = study.get_trials(deepcopy=False)
    return any(trials[number].state in (TrialState.COMPLETE, TrialState.PRUNED) for number in before)


def is_abandoned(trial: FrozenTrial) -> bool:
    """Whether a trial came to nothing and its point is tried again, or need not be tried."""
    if trial.state is not TrialState.FAIL or ERROR in trial.user_attrs:
        return False
    return SUPERFLUOUS in trial.user_attrs or not is_last_attempt(trial)


def error_of(trial: FrozenTrial) -> str:
    """Why a trial failed by itself; empty for any other."""
    if trial.state is not TrialState.FAIL or is_abandoned(trial):
        return ""
    return str(trial.user_attrs.get(ERROR, given_up("the process of each went away")))


def given_up(reason: str) -> str:
    """The error of a trial whose point is not tried again."""
    return f"Given up after {_MOST_ATTEMPTS} attempts: {reason}"


def line_up(study: Study, params: Mapping[str, object], attributes: Mapping[str, object] | None = None) -> None:
    """Have ``params`` tried by the next trial, which bears this process's name from its first moment.

    Args:
        study: The study.
        params: Parameters by name; those that are left out are drawn.
        attributes: What else to keep with the trial.
    """
    study.enqueue_trial(dict(params), user_attrs={OWNER: this_process(), **(attributes or {})})


def try_again(study: Study, trial: FrozenTrial) -> None:
    """Line up the point of a failed trial, unless it was the last attempt or is lined up already.

    Args:
        study: The study.
        trial: The failed trial of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        retry = RetryHeartbeatStaleTrialCallback(max_retry=_MOST_ATTEMPTS - 1)
        # A database that went away may have lined it up without saying so.
        if any(trial.number in retry.retry_history(other) for other in study.get_trials(deepcopy=False)):
            return
        again = copy.deepcopy(trial)
        # Whoever takes it up writes its own name; until then it is not to be mistaken for a dead process's.
        again.user_attrs = {**trial.user_attrs, OWNER: this_process()}
        retry(study, again)


def abandon_own(study: Study) -> None:
    """Fail the running trials of this process, and have their points tried again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(OWNER) == this_process():
            _abandon(study, trial)


def recover(study: Study, *, beats: bool) -> int:
    """Fail the running trials of dead processes, and have their points tried again; return how many there were.

    Trials of live processes stay: several workers may share a study.

    Args:
        study: The study.
        beats: Whether its storage keeps heartbeats, by which the dead of other machines are told.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if not running:
        return 0
    with warnings.catch_warnings():
        # Heartbeats have been there since Optuna 2.9.
        warnings.simplefilter("ignore", ExperimentalWarning)
        fail_stale_trials(study)
    return sum(_abandon(study, trial) for trial in running if _is_stale(trial, beats=beats))


def _abandon(study: Study, trial: FrozenTrial) -> bool:
    """Fail a running trial and have its point tried again; say whether no other worker was faster."""
    try:
        failed = study.tell(trial.number, state=TrialState.FAIL)
    except (ValueError, UpdateFinishedTrialError):
        return False
    try_again(study, failed)
    return True


def _is_stale(trial: FrozenTrial, *, beats: bool) -> bool:
    # Optuna keeps local times without a zone.
    age = datetime.now() - (trial.datetime_start or datetime.min)
    name = trial.user_attrs.get(OWNER)
    if name is None:
        return age > _UNOWNED_AFTER
    lives = is_alive(name)
    if lives is None:
        return age > (_STALE_AFTER_BEATING if beats else _STALE_AFTER)
    return not lives
