"""Where studies remember what they tried: a journal file by default, a database by URL."""

import os
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from nmr_platform.errors import ConfigurationError

__all__ = ["JOURNAL", "STORAGE_VARIABLE", "open_storage"]

JOURNAL = "studies.journal"
STORAGE_VARIABLE = "NMR_STUDY_STORAGE"


class _Lock:
    """A lock that the system takes back from a process that dies.

    Optuna's own locks are files that outlive their process: whoever comes next waits for half a minute, and Ctrl-C at
    the wrong moment ends in an error about a missing file.
    """

    def __init__(self, journal: Path) -> None:
        # Not Optuna's own name, which may still be a link to the journal.
        self._lock = FileLock(journal.with_suffix(".filelock"))

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.acquire()
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()


def open_storage(folder: Path) -> BaseStorage:
    """Open the storage named by `NMR_STUDY_STORAGE`, or else the journal in ``folder``.

    Args:
        folder: Folder of the journal file ``studies.journal``; made if it does not exist.

    Raises:
        ConfigurationError: The variable holds no database URL, or the database cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = os.environ.get(STORAGE_VARIABLE, "")
    if url:
        return _open_database(url)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / JOURNAL
    lock = _Lock(path)
    _drop_torn_line(path, lock)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _open_database(url: str) -> BaseStorage:
    if "://" not in url:
        message = (
            f"Variable `{STORAGE_VARIABLE}` must be a database URL like postgresql+psycopg://host/name, but is {url!r}."
        )
        raise ConfigurationError(message, key=STORAGE_VARIABLE, value=url)
    try:
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except Exception as error:
        # The URL may hold a password, which the driver's own message leaves out.
        reason = " ".join(str(error).split()) or type(error).__name__
        message = f"Variable `{STORAGE_VARIABLE}` must name a database that can be opened, but: {reason}"
        raise ConfigurationError(message, key=STORAGE_VARIABLE) from error


def _drop_torn_line(path: Path, lock: _Lock) -> None:
    """Cut off a last line without its end, which a process killed while writing leaves and nobody can read past."""
    if not path.exists():
        return
    lock.acquire()
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n") and content:
            with path.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()
