"""Trials whose process went away: find them, mark them failed and line their parameters up again."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.processes import is_alive, this_process

__all__ = [
    "ERROR",
    "OWNER",
    "PLACE",
    "abandon",
    "abandon_own",
    "ask",
    "beating",
    "is_abandoned",
    "line_up",
    "owner_is_alive",
    "recover",
    "withdraw",
]

ERROR = "error"
OWNER = "worker"
PLACE = "place"
_ATTEMPT = "attempt"
_REASON = "abandoned"

# A point that takes its process down again and again, for want of memory perhaps, is given up in the end.
_MOST_ATTEMPTS = 3
# Beyond this age a trial of another machine is taken for dead if nothing was ever heard of it: no trial takes as long.
_STALE_AFTER = timedelta(hours=1)
_STALE_AFTER_BEATING = timedelta(days=1)
# A trial without an owner was asked for by other means than `ask`.
_UNOWNED_AFTER = timedelta(minutes=1)


def owner_is_alive(trial: FrozenTrial) -> bool:
    """Whether the process that a trial belongs to is known to live, on this machine."""
    name = trial.user_attrs.get(OWNER)
    return name is not None and bool(is_alive(name))


def is_abandoned(trial: FrozenTrial) -> bool:
    """Whether the trial's process went away; a trial that failed by itself carries its error."""
    return trial.state is TrialState.FAIL and ERROR not in trial.user_attrs


def line_up(study: Study, params: Mapping[str, object], **attributes: object) -> None:
    """Have ``params`` tried by the next trial, which bears this process's name from its first moment."""
    study.enqueue_trial(dict(params), user_attrs={OWNER: this_process(), **attributes})


def ask(study: Study) -> Trial:
    """Ask for the next trial.

    Optuna makes a trial first and tells its parameters later. A process that dies in between must not leave one that
    is nobody's, for nobody could tell that it is dead: so every trial is lined up with its owner's name.
    """
    if not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        line_up(study, {})
    with warnings.catch_warnings():
        # Heartbeats are ours to record, see `beating`.
        warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed", category=UserWarning)
        trial = study.ask()
    trial.set_user_attr(OWNER, this_process())
    return trial


def abandon_own(study: Study) -> None:
    """Abandon the running trials of this process."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(OWNER) == this_process():
            abandon(study, trial)


def recover(study: Study) -> int:
    """Abandon the running trials of dead processes; return how many there were.

    Trials of live processes stay: several workers may share a study.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    silent = _silent(study) if running else set()
    stale = [trial for trial in running if trial._trial_id in silent or _is_stale(trial, study)]
    return sum(abandon(study, trial) for trial in stale)


def abandon(study: Study, trial: FrozenTrial, reason: str = "") -> bool:
    """Mark a running trial failed and have its point tried again; say whether no other worker was faster.

    Args:
        study: The study.
        trial: A running trial.
        reason: What went wrong, kept with the trial that tries again.
    """
    # A trial that was lined up may have gone before it took up its parameters; Optuna keeps them here.
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    attempt = int(trial.user_attrs.get(_ATTEMPT, 1))
    if attempt >= _MOST_ATTEMPTS:
        error = f"Given up after {attempt} attempts: {reason or 'the process of each went away'}"
        _note(study, trial, ERROR, error)
        return withdraw(study, trial)
    if not withdraw(study, trial):
        return False
    kept = {PLACE: trial.user_attrs[PLACE]} if PLACE in trial.user_attrs else {}
    line_up(study, params, **kept, **{_ATTEMPT: attempt + 1}, **({_REASON: reason} if reason else {}))
    return True


def withdraw(study: Study, trial: FrozenTrial) -> bool:
    """Mark a running trial failed without another attempt; say whether no other worker was faster."""
    try:
        study.tell(trial.number, state=TrialState.FAIL)
    except (ValueError, UpdateFinishedTrialError):
        return False
    return True


def _note(study: Study, trial: FrozenTrial, name: str, value: str) -> None:
    # A settled trial, which another worker was faster with, keeps what it has.
    with suppress(UpdateFinishedTrialError):
        study._storage.set_trial_user_attr(trial._trial_id, name, value)


@contextmanager
def beating(study: Study, trial: Trial) -> Iterator[None]:
    """Record heartbeats of a trial while the block runs, where the storage keeps them."""
    storage = _database(study)
    if storage is None:
        yield
        return
    over = Event()

    def beat() -> None:
        while True:
            storage.record_heartbeat(trial._trial_id)
            if over.wait(storage.get_heartbeat_interval()):
                return

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _database(study: Study) -> RDBStorage | None:
    """The storage behind Optuna's cache if it has heartbeats."""
    storage = getattr(study._storage, "_backend", None)
    return storage if isinstance(storage, RDBStorage) and storage.get_heartbeat_interval() else None


def _silent(study: Study) -> set[int]:
    """Identifiers of running trials whose heartbeat stopped."""
    storage = _database(study)
    return set(storage._get_stale_trial_ids(study._study_id)) if storage is not None else set()


def _is_stale(trial: FrozenTrial, study: Study) -> bool:
    # Optuna keeps local times without a zone.
    age = datetime.now() - (trial.datetime_start or datetime.min)
    name = trial.user_attrs.get(OWNER)
    if name is None:
        return age > _UNOWNED_AFTER
    lives = is_alive(name)
    if lives is None:
        return age > (_STALE_AFTER if _database(study) is None else _STALE_AFTER_BEATING)
    return not lives
