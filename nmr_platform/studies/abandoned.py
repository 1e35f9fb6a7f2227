"""Trials whose process went away: find them, mark them failed and line their parameters up again."""

import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

__all__ = ["ERROR", "OWNER", "abandon_own", "ask", "is_abandoned", "line_up", "owner", "recover"]

ERROR = "error"
OWNER = "owner"

# Beyond this age a trial of another machine is taken for dead: we cannot ask that machine, and no trial takes as long.
_STALE_AFTER = timedelta(hours=1)
# A trial without an owner was asked for by other means than `ask`.
_UNOWNED_AFTER = timedelta(minutes=1)
_TOKEN = uuid4().hex[:8]


def owner() -> dict[str, object]:
    """Name of this process, to be left on every trial that it runs."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": _TOKEN}


def is_abandoned(trial: FrozenTrial) -> bool:
    """Whether the trial's process went away; a trial that failed by itself carries its error."""
    return trial.state is TrialState.FAIL and ERROR not in trial.user_attrs


def line_up(study: Study, params: Mapping[str, object]) -> None:
    """Have ``params`` tried by the next trial, which bears this process's name from its first moment."""
    study.enqueue_trial(dict(params), user_attrs={OWNER: owner()})


def ask(study: Study) -> Trial:
    """Ask for the next trial.

    Optuna makes a trial first and tells its parameters later. A process that dies in between must not leave one that
    is nobody's, for nobody could tell that it is dead: so every trial is lined up with its owner's name.
    """
    if not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        line_up(study, {})
    trial = study.ask()
    trial.set_user_attr(OWNER, owner())
    return trial


def abandon_own(study: Study) -> None:
    """Abandon the running trials of this process."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(OWNER) == owner():
            _abandon(study, trial)


def recover(study: Study) -> int:
    """Abandon the running trials of dead processes; return how many there were.

    Trials of live processes stay: several workers may share a study.
    """
    stale = [trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if _is_stale(trial)]
    for trial in stale:
        _abandon(study, trial)
    return len(stale)


def _abandon(study: Study, trial: FrozenTrial) -> None:
    """Mark a running trial failed and have its parameters tried again by the next trial."""
    # A trial that was lined up may have gone before it took up its parameters; Optuna keeps them here.
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    study.tell(trial.number, state=TrialState.FAIL)
    if params:
        line_up(study, params)


def _is_stale(trial: FrozenTrial) -> bool:
    # Optuna keeps local times without a zone.
    age = datetime.now() - (trial.datetime_start or datetime.min)
    name = trial.user_attrs.get(OWNER)
    if name is None:
        return age > _UNOWNED_AFTER
    if name["host"] != socket.gethostname():
        return age > _STALE_AFTER
    if name["pid"] == os.getpid():
        return bool(name["token"] != _TOKEN)
    return not _is_alive(name["pid"])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
