"""Files and folders that appear whole or not at all, whoever else writes them, and what a disk says that refuses.

What is being written lies beside its destination (a rename needs one file system) under a name that one writer owns as
long as it lives: ``.<name>.<12 characters>.partial``. The lock beside it goes with the process, however that ends, so
the next writer of the same destination clears up after a killed one and never touches what a live one writes.
``.dvcignore`` lists these names: what a killed process left is neither data nor a dependency.
"""

import codecs
import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import uuid4

from filelock import FileLock, Timeout
from pydantic import ValidationError

from nmr_platform.errors import DataError, NmrPlatformError

__all__ = [
    "alone",
    "explain_refusal",
    "folder_digest",
    "intact",
    "read_json",
    "read_text",
    "refusal_explained",
    "staged_file",
    "staged_folder",
    "write_json",
    "write_text",
]

_DIGITS = 6
_TOKEN = 12
_LARGEST_TEXT = 256 * 2**20
_OTHER_ENCODINGS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "the file is too large"}
_FORBIDDEN = {
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.EROFS: "the file system is read-only",
}
# What the system says when something that is no file, or a full folder, is in the way of a rename.
_IN_THE_WAY = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


@contextmanager
def staged_file(path: Path, *, replace: bool = True, what: str = "") -> Iterator[Path]:
    """Yield a name to write a file under; when the block ends well, the file appears as ``path`` by one rename.

    Args:
        path: Where the file appears; its folder is made if need be.
        replace: Whether something may be there already.
        what: What is written, for the sentence about a disk that refuses; the path by default.

    Raises:
        DataError: ``path`` exists and is not to be replaced, or the disk is full or not ours.
    """
    with _staged(path, replace=replace, what=what) as staging:
        yield staging


@contextmanager
def staged_folder(path: Path, *, replace: bool = True, what: str = "") -> Iterator[Path]:
    """Yield an empty folder to write into, which takes the place of ``path`` when the block ends well.

    Args:
        path: Where the folder appears.
        replace: Whether something may be there already.
        what: What is written, for the sentence about a disk that refuses; the path by default.

    Raises:
        DataError: ``path`` exists and is not to be replaced, or the disk is full or not ours.
    """
    with _staged(path, replace=replace, what=what) as staging:
        staging.mkdir()
        yield staging


def write_text(path: Path, text: str) -> None:
    """Write a file in one go, in UTF-8.

    Args:
        path: Where the file appears.
        text: What is in it.

    Raises:
        DataError: The disk is full or not ours.
    """
    with staged_file(path) as staging:
        staging.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any], *, rounded: bool = False) -> None:
    """Write plain data as JSON in one go.

    Args:
        path: Where the file appears.
        content: The data.
        rounded: Keep six digits of every number, for people and `dvc metrics diff`.

    Raises:
        DataError: The disk is full or not ours.
    """
    write_text(path, json.dumps(_rounded(content) if rounded else content, indent=2) + "\n")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a mark of the byte order.

    Args:
        path: The file.

    Raises:
        ValueError: It is missing, no file, not ours to read, larger than any text of this package, or not UTF-8; the
            message completes the sentence "The file ...".
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TEXT + 1)
    except FileNotFoundError as error:
        message = "does not exist"
        raise ValueError(message) from error
    except (OSError, ValueError) as error:
        message = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise ValueError(message) from error
    if len(content) > _LARGEST_TEXT:
        message = f"is larger than {_LARGEST_TEXT // 2**20} MiB, which no such file is"
        raise ValueError(message)
    for mark, encoding in _OTHER_ENCODINGS.items():
        if content.startswith(mark):
            message = f"must be encoded in UTF-8, but is in {encoding}"
            raise ValueError(message)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"must be encoded in UTF-8, but has the byte {content[error.start]:#04x} in line {line}"
        raise ValueError(message) from error


def read_json(path: Path, *, made_by: str) -> Any:
    """Read plain data that an earlier command wrote.

    Args:
        path: The file.
        made_by: The command, for the sentence about a file that is not there.

    Raises:
        DataError: The file is missing or damaged.
    """
    if not path.exists():
        message = f"File `{path}` does not exist yet; make it with `{made_by}`."
        raise DataError(message, path=path)
    with intact(path, made_by=made_by):
        return json.loads(read_text(path), object_pairs_hook=_once)


@contextmanager
def intact(path: Path, *, made_by: str) -> Iterator[None]:
    """Turn whatever goes wrong where the content of a file of ours is taken apart into a sentence that names the file.

    Args:
        path: The file.
        made_by: The command that makes it again.

    Raises:
        DataError: The file does not hold what the block expects.
    """
    try:
        yield
    except NmrPlatformError as error:
        if str(path) in str(error):
            raise
        raise _damaged(path, str(error).rstrip("."), made_by) from error
    except KeyError as error:
        raise _damaged(path, f"it has no {error}", made_by) from error
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "(top level)"
        raise _damaged(path, f"key `{place}`: {fault['msg']}", made_by) from error
    except (ValueError, TypeError, AttributeError, LookupError, OSError, OverflowError, RecursionError) as error:
        raise _damaged(path, " ".join(str(error).split())[:200] or type(error).__name__, made_by) from error


def _damaged(path: Path, reason: str, made_by: str) -> DataError:
    return DataError(f"File `{path}` is damaged ({reason}); make it again with `{made_by}`.", path=path)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The keys and values of a JSON object, of which none may come twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        message = f"key `{next(name for name in names if names.count(name) > 1)}` comes twice"
        raise ValueError(message)
    return found


def folder_digest(folder: Path) -> str:
    """Hash of every file in a folder and of its place in it: 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(json.dumps([path.relative_to(folder).as_posix(), len(content)]).encode() + content)
    return digest.hexdigest()


@contextmanager
def refusal_explained(what: str) -> Iterator[None]:
    """Turn the error of a disk that takes no more, or not from us, into a sentence about ``what`` was to be written.

    Raises:
        DataError: The disk is full, or writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        message = explain_refusal(error, what)
        if not message:
            raise
        raise DataError(message, path=error.filename) from error


def explain_refusal(error: OSError, what: str = "") -> str:
    """A sentence about what the file system refused; empty if it is about something else.

    Args:
        error: What was raised.
        what: What was to be written; the file that the error names by default.
    """
    named = f"`{error.filename}`" if error.filename is not None else "a file"
    if error.errno in _FULL:
        return (
            f"There is no room to write {what or named} ({_FULL[error.errno]}); make some and run the same command "
            "again: what is finished is kept."
        )
    if error.errno in _FORBIDDEN:
        place = f"{named} ({_FORBIDDEN[error.errno]})"
        return f"{what} cannot be written: {place}." if what else f"This user has no access to {place}."
    return ""


@contextmanager
def alone(lock: Path, what: str) -> Iterator[None]:
    """Refuse the block to all but one process; the lock goes with the process, however that ends.

    Args:
        lock: A file that all of them know.
        what: What is made in the block, for the sentence.

    Raises:
        DataError: Another process is at it, or this user must not write here.
    """
    with refusal_explained(what):
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, thread_local=False)
        try:
            held.acquire(timeout=0)
        except Timeout as error:
            message = f"Another process is making {what} (it holds `{lock}`); wait for it or stop it."
            raise DataError(message, path=lock) from error
    try:
        yield
    finally:
        held.release()


class _Place(NamedTuple):
    """The names that one writer owns, beside its destination."""

    partial: Path
    replaced: Path
    lock: Path

    @classmethod
    def beside(cls, path: Path, token: str) -> Self:
        """The names of one writer of ``path``, told from others by its ``token``."""
        return cls(*(path.with_name(f".{path.name}.{token}.{part}") for part in ("partial", "replaced", "lock")))

    def publish(self, path: Path) -> None:
        """Rename what was written to ``path``; of several writers that end at once, the last one stays."""
        while True:
            try:
                self.partial.replace(path)
            except OSError as error:
                if error.errno not in _IN_THE_WAY:
                    raise
                _remove(self.replaced)
                with suppress(FileNotFoundError):
                    path.rename(self.replaced)
            else:
                return

    def clear(self) -> None:
        """Remove everything; the lock last, for it is how others find the rest."""
        for path in (self.partial, self.replaced, self.lock):
            _remove(path)


@contextmanager
def _staged(path: Path, *, replace: bool, what: str) -> Iterator[Path]:
    _refuse_existing(path, replace=replace)
    with refusal_explained(what or f"`{path}`"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_up_after_the_dead(path)
        place = _Place.beside(path, uuid4().hex[:_TOKEN])
        with FileLock(place.lock, thread_local=False):
            try:
                yield place.partial
                _refuse_existing(path, replace=replace)
                place.publish(path)
            finally:
                place.clear()


def _refuse_existing(path: Path, *, replace: bool) -> None:
    if not replace and path.exists():
        message = f"`{path}` exists; remove it or choose another name."
        raise DataError(message, path=path)


def _clear_up_after_the_dead(path: Path) -> None:
    start, end = f".{path.name}.", ".lock"
    for entry in path.parent.iterdir():
        name = entry.name
        if not (name.startswith(start) and name.endswith(end) and len(name) == len(start) + _TOKEN + len(end)):
            continue
        place = _Place.beside(path, name[len(start) : -len(end)])
        # Held by a live writer, or another user's.
        with suppress(Timeout, OSError), FileLock(entry, timeout=0, thread_local=False):
            if place.replaced.exists() and not path.exists():
                # Killed between its two renames.
                place.replaced.rename(path)
            place.clear()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
