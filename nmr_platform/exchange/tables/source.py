"""Bytes and text of files that come from elsewhere: ordinary files of a bounded size, in whatever encoding."""

import codecs
import os
import stat
from pathlib import Path

from nmr_platform.errors import DataError

__all__ = ["MOST_OF_A_RECORD", "MOST_OF_A_TABLE", "check_file", "decoded", "read_content"]

MOST_OF_A_RECORD = 2**26
"""Bytes that one measured echo may have: one or two million points as text."""

MOST_OF_A_TABLE = 2**31
"""Bytes that a file of many curves may have."""

# The longer marks first, for one begins like another.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BEGINNING = 4096
_MEBIBYTE = 2**20


def check_file(path: Path, *, most: int) -> int:
    """Refuse what is no ordinary file of a bounded size, before it is opened: a pipe or a device might never end.

    Args:
        path: The file.
        most: Bytes that it may have.

    Returns:
        How many it has.

    Raises:
        DataError: There is no such file, it is something else, or it is too large.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, a pipe or a socket"
        message = f"`{path}` is {what}, but must be a file."
        raise DataError(message, path=path)
    if status.st_size > most:
        message = (
            f"File `{path}` has {status.st_size // _MEBIBYTE} MiB, but {most // _MEBIBYTE} are allowed; "
            "keep a part of it, or every n-th point."
        )
        raise DataError(message, path=path)
    if not os.access(path, os.R_OK):
        message = f"File `{path}` cannot be read: you are not allowed to."
        raise DataError(message, path=path)
    return status.st_size


def read_content(path: Path, *, most: int) -> bytes:
    """All bytes of an ordinary file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        DataError: The file cannot be read, or is not an ordinary one of this size.
    """
    check_file(path, most=most)
    try:
        with path.open("rb") as file:
            # Some files of the system are longer than they say.
            content = file.read(most)
    except OSError as error:
        raise _unreadable(path, error) from error
    return content


def decoded(content: bytes, path: Path) -> str:
    """Text whose encoding nobody states, as numbers and their names need it.

    A byte order mark counts; without one it is UTF-16 if every other byte is zero, UTF-8 if it can be, and else
    Latin-1, in which an unknown 8-bit encoding has the same digits and, as most have, the same micro sign.

    Args:
        content: The bytes of the file.
        path: The file, for the sentence.

    Raises:
        DataError: It is not text.

    Example:
        >>> decoded("t (µs)".encode("latin-1"), Path("echo.csv"))
        't (µs)'
        >>> decoded("t;re".encode("utf-16"), Path("echo.csv"))
        't;re'
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    try:
        if encoding is None:
            encoding = _by_zeros(content[:_BEGINNING])
        text = _eight_bit(content) if encoding is None else content.decode(encoding)
    except UnicodeError as error:
        raise _no_text(path) from error
    if "\0" in text:
        raise _no_text(path)
    return text


def _by_zeros(beginning: bytes) -> str | None:
    """UTF-16 without a mark has a zero in every other byte of its digits."""
    halves = {"utf-16-be": beginning[::2], "utf-16-le": beginning[1::2]}
    return next((name for name, half in halves.items() if 2 * half.count(0) > len(half)), None)


def _eight_bit(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(f"File `{path}` cannot be read: {reason}.", path=path)


def _no_text(path: Path) -> DataError:
    return DataError(f"File `{path}` is not text.", path=path)
