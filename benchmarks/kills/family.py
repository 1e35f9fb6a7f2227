"""A command with all the processes that it starts, whatever sessions and parents they end up with."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.kills.project import environment

__all__ = ["Family"]

_MARK = "KILLS_FAMILY"
_PAUSE_SECONDS = 0.1


class Family:
    """Everything that is started in one project.

    Processes are found by a variable of their environment, which an orphan keeps.

    Args:
        folder: The project.

    Attributes:
        folder: The project.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said = folder.with_name(f"{folder.name}.log")

    def start(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        """Start ``python -m`` with a command."""
        with self._said.open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=self.folder,
                env=environment(self.folder, **{_MARK: str(self.folder)}),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What all of them printed so far."""
        return self._said.read_text(encoding="utf-8", errors="replace") if self._said.exists() else ""

    def alive(self) -> list[psutil.Process]:
        """Those that have not ended."""
        return [process for process in psutil.process_iter() if self._is_member(process)]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all; after SIGKILL, nobody is left."""
        members = self.alive()
        while members:
            for process in members:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            if number is not signal.SIGKILL:
                return
            psutil.wait_procs(members, timeout=1)
            members = self.alive()

    def has_ended(self, within: float) -> bool:
        """Whether all have ended before so many seconds are over."""
        deadline = time.monotonic() + within
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    def _is_member(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == str(self.folder)
        except (psutil.Error, OSError):
            return False
