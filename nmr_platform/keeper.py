"""Run a command and end it, with all processes that it started, when whoever asked for it is gone.

`processes.start_kept` runs this file by its path, in an interpreter without our packages. Its standard input is a pipe
that nobody writes to; the system closes it when the asking process ends, however that happens, on every Unix.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__: list[str] = []

_STANDARD_INPUT = 0
_PR_SET_PDEATHSIG = 1


def _keep(grace: float, command: Sequence[str]) -> int:
    # There is no other thread yet that could hold a lock across the fork.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509
    )
    ended = threading.Event()

    def end(*_: object) -> None:
        _signal_all(process, signal.SIGTERM)
        if not ended.wait(grace):
            _signal_all(process, signal.SIGKILL)

    def watch() -> None:
        while os.read(_STANDARD_INPUT, 1):
            pass
        end()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # In a thread, for waiting in a handler would keep the process from being waited for.
        signal.signal(number, lambda *_: threading.Thread(target=end, daemon=True).start())
    threading.Thread(target=watch, daemon=True).start()
    code = process.wait()
    ended.set()
    # What it started and left behind.
    _signal_all(process, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _end_with_parent() -> None:
    """Have the system end this process should its keeper be killed, where it can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_all(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(_keep(float(sys.argv[1]), sys.argv[2:]))
