"""Files and folders that appear whole or not at all, and never in the place of others."""

from contextlib import AbstractContextManager
from pathlib import Path

from nmr_platform.files import staged_file, staged_folder

__all__ = ["BLOCK", "fresh_file", "fresh_folder"]

BLOCK = 256
"""Curves that an export holds in memory at a time."""


def fresh_folder(path: Path) -> AbstractContextManager[Path]:
    """Yield an empty folder that is renamed to ``path`` at the end.

    Raises:
        DataError: ``path`` exists, or the disk is full.
    """
    return staged_folder(path, replace=False)


def fresh_file(path: Path) -> AbstractContextManager[Path]:
    """Yield the name of a file that is renamed to ``path`` at the end.

    Raises:
        DataError: ``path`` exists, or the disk is full.
    """
    return staged_file(path, replace=False)
