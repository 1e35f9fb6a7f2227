"""The journal of all studies: a file that grows line by line, and in which no damage goes unnoticed."""

import json
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

from filelock import FileLock
from optuna.storages.journal import BaseJournalBackend

from nmr_platform.errors import DataError

__all__ = ["Journal"]

_SUM, _DIGITS = b'{"sum":"', 8
_BLOCK = 2**16


class Journal(BaseJournalBackend):  # type: ignore[misc, unused-ignore]
    """Optuna's journal in a file, one JSON object a line, as other programs of Optuna read it too.

    Every line that is written here begins with a checksum of itself and of the line before, so that changed bytes and
    lost lines are found rather than read as something else; lines of others have none and are taken as they are. The
    lock is one that the system takes back from a process that dies, which Optuna's own is not. Whoever holds it may
    write, behind a whole line only: half a line, left by a process that was killed or met a full disk, is cut off, and
    nothing is appended to what cannot be read.

    Args:
        path: The file; made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Not Optuna's own name, which may still be a link to the journal.
        self._lock = FileLock(path.with_suffix(".filelock"))
        self._known = (0, 0, b"")

    @property
    def n_lines(self) -> int:
        """How many lines have been read so far."""
        return self._known[0]

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on, as far as whole lines go; see `BaseJournalBackend`.

        Raises:
            DataError: A line is damaged.
        """
        known, place, before = self._known if self._known[0] <= log_number_from else (0, 0, b"")
        with self._path.open("rb") as file:
            file.seek(place)
            for number, line in enumerate(file, known):
                if not line.endswith(b"\n"):
                    # Another process is writing it, or was killed.
                    return
                entry = self._entry(line, before, number + 1)
                place, before = place + len(line), line
                self._known = (number + 1, place, before)
                if number >= log_number_from:
                    yield entry

    def append_logs(self, logs: Iterable[Mapping[str, Any]]) -> None:
        """Write entries behind the last one; see `BaseJournalBackend`.

        Raises:
            DataError: The last line is damaged.
        """
        with self._lock:
            self.cut_torn_end()
            before, lines = self._last_line(), []
            if before:
                self._entry(before, None, 0)
            for log in logs:
                body = json.dumps(log, separators=(",", ":")).encode()[1:] + b"\n"
                before = _SUM + b'%08x",' % crc32(before + body) + body
                lines.append(before)
            with self._path.open("ab") as file:
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())

    def make(self) -> None:
        """Have the file, with a whole last line."""
        with self._lock:
            self._path.touch()
            self.cut_torn_end()

    def cut_torn_end(self) -> None:
        """Cut off a last line without its end; who calls it holds the lock."""
        with suppress(FileNotFoundError), self._path.open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            if not end:
                return
            file.seek(end - 1)
            if file.read() != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)

    def damaged(self, number: int, reason: str) -> DataError:
        """The sentence about a line, counted from 1, or about the last one by the number 0."""
        place = f"line {number}" if number else "its last line"
        message = (
            f"File `{self._path}` is damaged in {place} ({reason}), and nothing was written to it: put a copy in its "
            f"place, or keep the trials before by cutting it off there."
        )
        return DataError(message, path=self._path)

    def _entry(self, line: bytes, before: bytes | None, number: int) -> dict[str, Any]:
        """What a line says; ``before`` is the line before it, None if that is not known."""
        start = len(_SUM) + _DIGITS + 2
        if before is not None and line.startswith(_SUM):
            stated = line[len(_SUM) : len(_SUM) + _DIGITS]
            if stated != b"%08x" % crc32(before + line[start:]):
                raise self.damaged(number, "its checksum is another")
        try:
            entry = json.loads(line.decode())
        except (ValueError, RecursionError) as error:
            raise self.damaged(number, f"not JSON: {error}") from error
        if not isinstance(entry, dict) or not {"op_code", "worker_id"} <= entry.keys():
            raise self.damaged(number, "no entry of a journal")
        return entry

    def _last_line(self) -> bytes:
        if not self._path.exists():
            return b""
        with self._path.open("rb") as file:
            end, tail = file.seek(0, os.SEEK_END), b""
            while end and b"\n" not in tail[:-1]:
                start = max(0, end - _BLOCK)
                file.seek(start)
                tail, end = file.read(end - start) + tail, start
        return tail[tail[:-1].rfind(b"\n") + 1 :]
