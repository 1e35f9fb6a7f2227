"""Copies of databases."""

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["copy_database"]


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database, its write-ahead log included."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
