"""Open an MLflow store safely: a missing database appears whole, made by one process; reading needs no writing."""

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import sqlalchemy
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

from nmr_platform.errors import DataError, StoreAwayError, TrackingError
from nmr_platform.files import staged_file
from nmr_platform.tracking.address import StoreAddress
from nmr_platform.tracking.mlflow.refusals import explaining, refuse_others_database
from nmr_platform.tracking.mlflow.relocation import relocate

__all__ = ["open_client", "require_contact", "store_lock"]

_CONTACT_SECONDS = 10.0
_SQLITE = "sqlite:///"


def open_client(address: StoreAddress, *, reading: bool = False) -> MlflowClient:
    """Connect to the store at ``address``, making a missing SQLite database.

    Args:
        address: The store.
        reading: Nothing is going to be written, so that the database may be one that this user must not change; it is
            not made if it is missing.

    Raises:
        StoreAwayError: Nothing answers there, or there is no room for a database.
        TrackingError: There is no database to read, or it is damaged, of another version of MLflow, or not MLflow's.
    """
    require_contact(address)
    with warnings.catch_warnings(), explaining(address):
        # MLflow 3.17 declares its tables with an option that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy", category=SADeprecationWarning)
        if reading and address.sqlite_file is not None:
            uri = _reading_uri(address.sqlite_file)
            refuse_others_database(address, uri)
            return _asked_once(uri)
        with store_lock(address):
            refuse_others_database(address, address.uri)
            if address.sqlite_file is not None:
                _make_whole(address.sqlite_file)
                relocate(address)
            return _asked_once(address.uri)


def _asked_once(uri: str) -> MlflowClient:
    client = MlflowClient(uri, uri)
    client.search_experiments(max_results=1)
    return client


def _make_whole(file: Path) -> None:
    """Let a database with all of MLflow's tables appear if there is none yet, by one rename.

    Killed while it makes them, MLflow would find some of them there for ever after.
    """
    if file.exists() and file.stat().st_size:
        _turn_on_wal(file)
        return
    try:
        with staged_file(file, what=f"database `{file}`") as staging:
            engine = create_sqlalchemy_engine(f"{_SQLITE}{staging}")
            try:
                _initialize_tables(engine)
            finally:
                engine.dispose()
            _turn_on_wal(staging)
    except (DataError, SQLAlchemyError, sqlite3.Error) as error:
        message = f"Database `{file}` cannot be made: {str(error).splitlines()[0]}"
        raise StoreAwayError(message) from error


def _reading_uri(file: Path) -> str:
    """Address of a database that is only read."""
    if not file.exists():
        message = f"File `{file}` does not exist, so nothing is recorded yet: `make run` or `nmr tune` records."
        raise TrackingError(message)
    for mode in ("mode=ro", "immutable=1"):
        # Read-only, SQLite still wants files of its own beside one that several may use; where it must not make them,
        # nobody is writing, and the file is read as it lies.
        path = f"file:{quote(str(file))}?{mode}"
        try:
            with closing(sqlite3.connect(path, uri=True)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            continue
        break
    # Spelt so, MLflow does not take it for a path of which it must make the folder.
    return f"sqlite+pysqlite:///{path}&uri=true"


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


def _turn_on_wal(file: Path) -> None:
    """Let readers and one writer work at once; the mode is kept in the file."""
    with closing(sqlite3.connect(str(file), timeout=_CONTACT_SECONDS)) as connection:
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
        reason = address.masked(str(error).splitlines()[0]) if str(error) else type(error).__name__
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
