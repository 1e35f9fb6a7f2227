"""Checksums of a folder of files, which are compared before any of them is opened.

A changed byte in a tree makes it point outside of itself: readers of models end in a segmentation fault or not at all.
`sha256sum --check SHA256SUMS` compares the same.
"""

import re
from hashlib import sha256
from pathlib import Path

from nmr_platform.errors import DataError

__all__ = ["require_checksums", "write_checksums"]

_FILE = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>.+)")


def write_checksums(folder: Path) -> None:
    """Write down the checksum of every file in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _FILE)
    lines = [f"{_checksum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / _FILE).write_text("".join(lines), encoding="utf-8")


def require_checksums(folder: Path, *, made_by: str) -> None:
    """Refuse a folder in which a file is not as it was written.

    Args:
        folder: The folder.
        made_by: The command that makes it again.

    Raises:
        DataError: A file is missing or was changed, or there are no checksums.
    """
    path = folder / _FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    known = [match for line in lines if (match := _LINE.fullmatch(line))]
    if not known or len(known) != len(lines):
        message = f"Model `{folder}` has no readable checksums, `{_FILE}`; make it again with `{made_by}`."
        raise DataError(message, path=path)
    for match in known:
        file = folder / match["name"]
        if not file.is_file() or _checksum(file) != match["digest"]:
            what = "was changed since it was written" if file.is_file() else "is missing"
            message = f"Model file `{file}` {what} (by `{_FILE}`); make it again with `{made_by}`."
            raise DataError(message, path=file)


def _checksum(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
