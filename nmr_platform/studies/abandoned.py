"""Trials whose process went away: find them, mark them failed and line their parameters up again."""

import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

__all__ = ["ERROR", "OWNER", "abandon", "is_abandoned", "owner", "recover"]

ERROR = "error"
OWNER = "owner"

# Beyond this age a trial of another machine is taken for dead: we cannot ask that machine, and no trial takes as long.
_STALE_AFTER = timedelta(hours=1)
# A trial without an owner was asked for an instant ago, or its process died in that instant.
_UNOWNED_AFTER = timedelta(minutes=1)
_TOKEN = uuid4().hex[:8]


def owner() -> dict[str, object]:
    """Name of this process, to be left on every trial that it runs."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": _TOKEN}


def is_abandoned(trial: FrozenTrial) -> bool:
    """Whether the trial's process went away; a trial that failed by itself carries its error."""
    return trial.state is TrialState.FAIL and ERROR not in trial.user_attrs


def abandon(study: Study, trial: FrozenTrial) -> None:
    """Mark a running trial failed and have its parameters tried again by the next trial."""
    # A trial that was lined up may have gone before it took up its parameters; Optuna keeps them here.
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    study.tell(trial.number, state=TrialState.FAIL)
    if params:
        study.enqueue_trial(params)


def recover(study: Study) -> int:
    """Abandon the running trials of dead processes; return how many there were.

    Trials of live processes stay: several workers may share a study.
    """
    stale = [trial for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if _is_stale(trial)]
    for trial in stale:
        abandon(study, trial)
    return len(stale)


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
