"""Artifacts lie beside their database, wherever both lie now: MLflow knows them by absolute addresses."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from nmr_platform.tracking.address import ARTIFACTS, StoreAddress

__all__ = ["local_path", "relocate"]

# Where MLflow 3.17 writes down an address of artifacts.
_ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
# The default experiment's, of `mlflow run` for instance.
_DEFAULT = "mlruns"


def relocate(address: StoreAddress) -> None:
    """Let the database of a project that was moved or copied name the artifacts beside it, and no others.

    A copy would write into its original otherwise. Where the database must not be changed, it stays as it is, and
    `local_path` finds what is read.

    Args:
        address: The store; nothing is done unless it is an SQLite file.
    """
    file = address.sqlite_file
    if file is None or address.artifact_location is None or not file.exists():
        return
    # Read-only, or without tables yet.
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(str(file))) as connection, connection:
        for old, new in _moves(connection, address.artifact_location):
            for table, columns in _ADDRESSES.items():
                for column in columns:
                    moved = f"{column} = ? || substr({column}, ?) WHERE substr({column} || '/', 1, ?) = ?"
                    place = (new, len(old) + 1, len(old) + 1, f"{old}/")
                    connection.execute(f"UPDATE {table} SET {moved}", place)


def local_path(source: str, address: StoreAddress) -> Path | None:
    """The folder of artifacts on this machine: beside the store if they lie there, else where ``source`` says.

    Args:
        source: Address of the artifacts as the store knows it.
        address: The store.

    Returns:
        The folder; None if they lie elsewhere than in the file system.
    """
    path = _path(source)
    if path is None:
        return None
    home = _path(address.artifact_location or "")
    if home is not None and ARTIFACTS in path.parts:
        inner = path.parts[len(path.parts) - path.parts[::-1].index(ARTIFACTS) :]
        if (beside := home.joinpath(*inner)).exists():
            return beside
    return path


def _moves(connection: sqlite3.Connection, home: str) -> Iterator[tuple[str, str]]:
    """Addresses that the store was known by where it lay before, each with what it is now."""
    here = Path(_path(home) or "")
    for (known,) in connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall():
        before = _path(known)
        if before is not None and before.name == ARTIFACTS and before.resolve() != here.resolve():
            yield known.rstrip("/"), home
            yield str(before.with_name(_DEFAULT)), str(here.with_name(_DEFAULT))


def _path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    return Path(url2pathname(parts.path)) if parts.scheme in {"", "file"} and parts.path else None
