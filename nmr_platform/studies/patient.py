"""A study database that may be away for a while: what it is asked is asked again until it is back."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError

__all__ = ["PatientStorage", "is_away"]

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database does not answer just now, rather than that it was asked nonsense."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    # What Optuna asks again in a session whose connection is gone ends in the third of these.
    return isinstance(cause, OperationalError | InterfaceError | PendingRollbackError) or (
        isinstance(cause, DBAPIError) and cause.connection_invalidated
    )


def _patient(method: Callable[P, R]) -> Callable[P, R]:
    """Ask again, ever less often, while the database is away."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, _FIRST_PAUSE
        while True:
            try:
                return method(*args, **kwargs)
            except (StorageInternalError, SQLAlchemyError) as error:
                if not is_away(error) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    return wrapper


class PatientStorage(RDBStorage):  # type: ignore[misc, unused-ignore]
    """Optuna's database storage, whose questions wait up to ten minutes for a database that restarts.

    Every question may be asked twice without harm, even if only the answer was lost: values are overwritten by
    themselves, and a trial created twice bears its owner's name and is given up as the owner goes on.
    """

    def close(self) -> None:
        """Close all connections; they are opened again if anything more is asked."""
        self.remove_session()
        self.engine.dispose()

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        """Set state and values; a trial that already has them, because only the answer was lost, is fine."""
        try:
            return bool(self._set_trial_state_values(trial_id, state, values))
        except UpdateFinishedTrialError:
            kept = self.get_trial(trial_id)
            if state is TrialState.COMPLETE and kept.state is state and kept.values == list(values or []):
                return True
            raise

    _set_trial_state_values = _patient(RDBStorage.set_trial_state_values)
    create_new_study = _patient(RDBStorage.create_new_study)
    get_all_studies = _patient(RDBStorage.get_all_studies)
    get_study_directions = _patient(RDBStorage.get_study_directions)
    get_study_id_from_name = _patient(RDBStorage.get_study_id_from_name)
    get_study_name_from_id = _patient(RDBStorage.get_study_name_from_id)
    get_study_system_attrs = _patient(RDBStorage.get_study_system_attrs)
    get_study_user_attrs = _patient(RDBStorage.get_study_user_attrs)
    get_trial = _patient(RDBStorage.get_trial)
    get_trial_id_from_study_id_trial_number = _patient(RDBStorage.get_trial_id_from_study_id_trial_number)
    record_heartbeat = _patient(RDBStorage.record_heartbeat)
    set_study_system_attr = _patient(RDBStorage.set_study_system_attr)
    set_study_user_attr = _patient(RDBStorage.set_study_user_attr)
    set_trial_intermediate_value = _patient(RDBStorage.set_trial_intermediate_value)
    set_trial_system_attr = _patient(RDBStorage.set_trial_system_attr)
    set_trial_user_attr = _patient(RDBStorage.set_trial_user_attr)
    # Below: what the caching layer, which Optuna puts before every database, asks in its own way.
    _get_best_trial_id = _patient(RDBStorage._get_best_trial_id)
    _set_trial_param = _patient(RDBStorage._set_trial_param)
    _get_trials = _patient(RDBStorage._get_trials)
    _create_new_trial = _patient(RDBStorage._create_new_trial)
    _get_stale_trial_ids = _patient(RDBStorage._get_stale_trial_ids)
