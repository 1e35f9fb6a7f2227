"""What is wrong with a store that cannot be used, and the command that helps, in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.address import StoreAddress
from nmr_platform.tracking.database import database_owner

__all__ = ["explaining", "refuse_others_database"]

# The first is MLflow's own sentence, the second Alembic's about a version that it has never heard of.
_OTHER_VERSION = ("out-of-date database schema", "Can't locate revision")
_DAMAGED = ("not a database", "malformed", "disk image", "unsupported file format")


def refuse_others_database(address: StoreAddress, uri: str) -> None:
    """Refuse a database in which Optuna keeps studies: each takes the other's version for one of its own.

    Args:
        address: The store.
        uri: How it is opened.

    Raises:
        TrackingError: Optuna's tables are there.
        SQLAlchemyError: The database cannot be asked.
    """
    if (address.sqlite_file is not None or address.is_database) and database_owner(uri) == "Optuna":
        message = (
            f"The tracking store {address} is a database of Optuna's studies, and MLflow needs one of its own: "
            "set MLFLOW_TRACKING_URI to another, or unset it to record in mlflow.db."
        )
        raise TrackingError(message)


@contextmanager
def explaining(address: StoreAddress) -> Iterator[None]:
    """Turn what MLflow, SQLAlchemy and SQLite throw at a store of another version or a damaged one into a sentence.

    Args:
        address: The store.

    Raises:
        TrackingError: The store cannot be used; anything else that is thrown goes through.
    """
    try:
        yield
    except Exception as error:
        said = _said(address, error)
        if said is None:
            raise
        # The cause may spell out the password.
        raise TrackingError(said) from None


def _said(address: StoreAddress, error: Exception) -> str | None:
    text = address.masked(str(error)).strip()
    if any(sign in text for sign in _OTHER_VERSION):
        return (
            f"The tracking store {address} was made by another version of MLflow than {version('mlflow')}, which is "
            f"installed: keep a copy, and `mlflow db upgrade {address}` takes over what an earlier one made."
        )
    if any(sign in text for sign in _DAMAGED):
        reason = next(line for line in text.splitlines() if any(sign in line for sign in _DAMAGED))
        return (
            f"The tracking store {address} is damaged or no database ({reason}): move it away, and `nmr track sync` "
            "shows everything again."
        )
    return None
