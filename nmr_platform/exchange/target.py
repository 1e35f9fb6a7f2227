"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmr_platform.errors import DataError

__all__ = ["BLOCK", "fresh_file", "fresh_folder"]

BLOCK = 256
"""Curves that an export holds in memory at a time."""


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that is renamed to ``path`` at the end.

    Raises:
        DataError: ``path`` exists.
    """
    with _staging(path) as staging:
        staging.mkdir(parents=True)
        yield staging


@contextmanager
def fresh_file(path: Path) -> Iterator[Path]:
    """Yield the name of a file that is renamed to ``path`` at the end.

    Raises:
        DataError: ``path`` exists.
    """
    with _staging(path) as staging:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield staging


@contextmanager
def _staging(path: Path) -> Iterator[Path]:
    if path.exists():
        message = f"`{path}` exists; remove it or choose another name."
        raise DataError(message, path=path)
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield staging
        staging.rename(path)
    finally:
        if staging.is_dir():
            shutil.rmtree(staging, ignore_errors=True)
        else:
            staging.unlink(missing_ok=True)
