"""Checksums of a folder of files, which are compared before any of them is opened.

A changed byte in a tree makes it point outside of itself: readers of models end in a segmentation fault or not at all.
One in a table is a number like any other.
`sha256sum --check SHA256SUMS` compares the same.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from nmr_platform.errors import DataError

__all__ = ["CHECKSUMS", "require_checksums", "write_checksums"]

CHECKSUMS = "SHA256SUMS"
"""The file that keeps them."""

_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>.+)")


def write_checksums(folder: Path) -> None:
    """Write down the checksum of every file in a folder; of a folder in it that has checksums, that of these."""
    files = [path for path in _files(folder) if path != folder / CHECKSUMS]
    lines = [f"{_checksum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def require_checksums(folder: Path, *, what: str, made_by: str) -> frozenset[str]:
    """Refuse a folder in which a file is not as it was written; return the names of those that are.

    Args:
        folder: The folder.
        what: What is in it, for the sentence, for instance ``Model``.
        made_by: The command that makes it again.

    Raises:
        DataError: A file is missing or was changed, or there are no checksums.
    """
    path = folder / CHECKSUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    known = [match for line in lines if (match := _LINE.fullmatch(line))]
    names = frozenset(match["name"] for match in known)
    if not known or not len(names) == len(known) == len(lines):
        message = f"{what} `{folder}` has no readable checksums, `{CHECKSUMS}`; make it again with `{made_by}`."
        raise DataError(message, path=path)
    for match in known:
        file = folder / match["name"]
        if not file.resolve().is_relative_to(folder.resolve()):
            message = f"{what} `{folder}` has a checksum of `{file}`, which lies outside of it (`{CHECKSUMS}`)."
            raise DataError(message, path=path)
        if not file.is_file() or _checksum(file) != match["digest"]:
            state = "was changed since it was written" if file.is_file() else "is missing"
            message = f"{what} file `{file}` {state} (by `{CHECKSUMS}`); make it again with `{made_by}`."
            raise DataError(message, path=file)
    return names


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            yield path
        elif (path / CHECKSUMS).exists():
            yield path / CHECKSUMS
        else:
            yield from _files(path)


def _checksum(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
