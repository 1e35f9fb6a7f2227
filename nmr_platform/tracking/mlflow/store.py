"""Open an MLflow store once and safely: a missing database is made by one process while the others wait."""

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import sqlalchemy
from filelock import FileLock
from mlflow import MlflowClient
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

from nmr_platform.errors import StoreAwayError
from nmr_platform.tracking.address import StoreAddress, masked_uri
from nmr_platform.tracking.mlflow.relocation import relocate

__all__ = ["open_client", "require_contact", "store_lock"]

_CONTACT_SECONDS = 10.0


def open_client(address: StoreAddress) -> MlflowClient:
    """Connect to the store at ``address``, making a missing SQLite database.

    Raises:
        StoreAwayError: Nothing answers there.
    """
    require_contact(address)
    with warnings.catch_warnings(), store_lock(address):
        # MLflow 3.17 declares its tables with an option that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy", category=SADeprecationWarning)
        if address.sqlite_file is not None:
            _turn_on_wal(address)
            relocate(address)
        client = MlflowClient(address.uri, address.uri)
        client.search_experiments(max_results=1)  # the first question creates the tables
    return client


@contextmanager
def store_lock(address: StoreAddress, root: Path | None = None) -> Iterator[None]:
    """Keep other processes of this machine from changing a SQLite store's tables or opening the same run.

    Args:
        address: The store; its lock lies beside a SQLite file.
        root: The repository, in whose `.nmr` the lock of any other store lies; without it, there is none.
    """
    file = address.sqlite_file or (root / ".nmr" / "tracking" if root is not None else None)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        yield


def _turn_on_wal(address: StoreAddress) -> None:
    """Let readers and one writer work at once; the mode is kept in the file."""
    with closing(sqlite3.connect(str(address.sqlite_file), timeout=_CONTACT_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def require_contact(address: StoreAddress) -> None:
    """Fail within seconds where MLflow itself would try again for minutes.

    Raises:
        StoreAwayError: Nothing answers there.
    """
    try:
        if address.is_server:
            _ask_server(address.uri)
        elif address.is_database:
            _ask_database(address.uri)
    except (OSError, SQLAlchemyError, ImportError) as error:
        reason = masked_uri(str(error).splitlines()[0]) if str(error) else type(error).__name__
        message = (
            f"The tracking store {address} does not answer ({reason}). "
            "Start the server, or unset MLFLOW_TRACKING_URI to record in the local mlflow.db."
        )
        # The cause may spell out the password.
        raise StoreAwayError(message) from None


def _ask_server(uri: str) -> None:
    parts = urlsplit(uri)
    # urllib does not understand `user:password@` in an address; whether anyone answers needs no password.
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    try:
        with closing(urlopen(f"{plain.geturl().rstrip('/')}/health", timeout=_CONTACT_SECONDS)):
            pass
    except HTTPError as error:
        error.close()  # someone is there, if only to ask for a password


def _ask_database(uri: str) -> None:
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
    with engine.connect():
        pass
