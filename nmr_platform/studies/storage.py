"""Where studies remember what they tried: a journal file by default, a database by URL."""

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    ProgrammingError,
)

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies.attempts import try_again
from nmr_platform.studies.journal import Journal
from nmr_platform.tracking import database_owner, masked_address, without_secrets

__all__ = ["JOURNAL", "STORAGE_VARIABLE", "closing_storage", "is_away", "keeps_heartbeats", "open_storage", "retrying"]

P = ParamSpec("P")
R = TypeVar("R")

JOURNAL = "studies.journal"
STORAGE_VARIABLE = "NMR_STUDY_STORAGE"

# A worker says every so often that it lives, and is taken for dead after so long without a word. The silence that is
# forgiven is longer than the restart of a database.
HEARTBEAT_SECONDS = 15
SILENCE_SECONDS = 150
_ATTEMPTS = 5
# How long a database that restarts is waited for, and the pauses between two questions.
_LONGEST_WAIT = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def open_storage(folder: Path, *, reading: bool = False) -> BaseStorage:
    """Open the storage named by `NMR_STUDY_STORAGE`, or else the journal in ``folder``.

    A database gets heartbeats, by which the trials of dead workers on other machines are told apart, and is waited
    for while it restarts.

    Args:
        folder: Folder of the journal file ``studies.journal``; made if it does not exist.
        reading: Nothing is going to be written, so that the journal may be one that this user must not change; without
            a journal there are no studies.

    Raises:
        ConfigurationError: The variable holds no database URL, or the database cannot be opened.
        DataError: The journal is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = os.environ.get(STORAGE_VARIABLE, "")
    if url:
        return _open_database(url)
    path = folder / JOURNAL
    if reading and not path.exists():
        return InMemoryStorage()
    journal = Journal(path)
    try:
        if not reading:
            folder.mkdir(parents=True, exist_ok=True)
            journal.make()
        return JournalStorage(journal)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What Optuna makes of a line that is JSON and no entry of its own.
        raise journal.damaged(journal.n_lines, " ".join(f"{type(error).__name__} {error}".split())) from error


@contextmanager
def closing_storage(folder: Path, *, reading: bool = False) -> Iterator[BaseStorage]:
    """`open_storage` for a block, at whose end the connections to a database are closed.

    Args:
        folder: Folder of the journal file; made if it does not exist.
        reading: Nothing is going to be written, see `open_storage`.

    Raises:
        ConfigurationError: As `open_storage`.
    """
    storage = open_storage(folder, reading=reading)
    try:
        yield storage
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def keeps_heartbeats() -> bool:
    """Whether the storage is a database, in which running trials are heard of."""
    return bool(os.environ.get(STORAGE_VARIABLE))


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database does not answer just now, rather than that it was asked nonsense."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    # What Optuna asks again in a session whose connection is gone ends in the third of these.
    return isinstance(cause, OperationalError | InterfaceError | PendingRollbackError) or (
        isinstance(cause, DBAPIError) and cause.connection_invalidated
    )


def retrying(question: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Ask ``question``, and again, ever less often, while the database goes away in the middle of it.

    New connections wait for the database by themselves; this is for what was under way when it stopped.
    """
    return _asked_until_answered(lambda: question(*args, **kwargs), is_away)


def _asked_until_answered(question: Callable[[], R], is_absence: Callable[[Exception], bool]) -> R:
    deadline, pause = time.monotonic() + _LONGEST_WAIT, _FIRST_PAUSE
    while True:
        try:
            return question()
        except Exception as error:
            if not is_absence(error) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _connect_when_it_is_back(dialect: Dialect, _: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Open a connection; SQLAlchemy calls this for every new one."""
    driver: Any = dialect.loaded_dbapi
    return _asked_until_answered(
        lambda: dialect.connect(*arguments, **options),
        lambda error: isinstance(error, driver.OperationalError | driver.InterfaceError),
    )


def _open_database(url: str) -> BaseStorage:
    if "://" not in url:
        message = (
            f"Variable `{STORAGE_VARIABLE}` must be a database URL like postgresql+psycopg://host/name, "
            f"but is {masked_address(url)!r}."
        )
        raise ConfigurationError(message, key=STORAGE_VARIABLE)
    _refuse_mlflows(url)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _connected(url)
        except (IntegrityError, ProgrammingError, OperationalError, StorageInternalError) as error:
            # Of several processes that open an empty database, one makes the tables while the others stumble.
            if attempt == _ATTEMPTS or not _stumbled(error):
                raise _refusal(url, error) from None
            time.sleep(0.2 * attempt)
        except Exception as error:
            raise _refusal(url, error) from None
    raise AssertionError


def _connected(url: str) -> BaseStorage:
    with warnings.catch_warnings():
        # Heartbeats have been there since Optuna 2.9.
        warnings.filterwarnings("ignore", message=".*heartbeat_interval", category=ExperimentalWarning)
        storage = RDBStorage(
            url,
            # A connection that did not survive a restart is replaced before anything is asked through it.
            engine_kwargs={"pool_pre_ping": True},
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=SILENCE_SECONDS,
            heartbeat_stale_trial_callback=try_again,
        )
    # Only now: a database that was never there is refused at once.
    event.listen(storage.engine, "do_connect", _connect_when_it_is_back)
    return storage


def _stumbled(error: Exception) -> bool:
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    text = str(cause)
    return "already exists" in text or "duplicate key" in text or "UNIQUE constraint" in text


def _refuse_mlflows(url: str) -> None:
    """Refuse a database of MLflow's before Optuna adds its tables: neither would open it afterwards."""
    try:
        owner = database_owner(url)
    except Exception as error:
        raise _refusal(url, error) from None
    if owner == "MLflow":
        message = (
            f"Variable `{STORAGE_VARIABLE}` must name a database of its own, but {masked_address(url)} is MLflow's; "
            f"name another one, or unset it to keep studies in a journal."
        )
        raise ConfigurationError(message, key=STORAGE_VARIABLE)


def _refusal(url: str, error: Exception) -> ConfigurationError:
    # The URL may hold a password. Drivers leave it out of what they say, but not all errors come from drivers.
    reason = without_secrets(" ".join(str(error).split()) or type(error).__name__, url)
    if isinstance(error, RuntimeError) and "table schema" in reason:
        reason = (
            f"{masked_address(url)} was made by another version of Optuna than {optuna.__version__}, which is "
            f"installed: keep a copy, and `optuna storage upgrade --storage {masked_address(url)}` takes over what an "
            "earlier one made."
        )
    message = f"Variable `{STORAGE_VARIABLE}` must name a database that can be opened, but: {reason}"
    return ConfigurationError(message, key=STORAGE_VARIABLE)
