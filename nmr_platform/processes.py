"""Which process is which, whether it lives, and how one that we started is ended."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

__all__ = ["end_process", "is_alive", "start_kept", "this_process"]

# Tells this process from an earlier one of the same number.
_TOKEN = uuid4().hex[:8]
# Enough to say good-bye.
_GRACE_SECONDS = 30.0


def this_process() -> str:
    """Name of this process among those of all machines: host, number and a token."""
    return f"{socket.gethostname()}:{os.getpid()}:{_TOKEN}"


def is_alive(name: str) -> bool | None:
    """Whether the process of a name that `this_process` gave lives; None if it is on a machine that we cannot ask."""
    host, number, token = name.rsplit(":", 2)
    if host != socket.gethostname():
        return None
    pid = int(number)
    if pid == os.getpid():
        return token == _TOKEN
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_kept(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
    grace: float = _GRACE_SECONDS,
) -> subprocess.Popen[bytes]:
    """Start a process that ends, with all that it starts, at the latest when this one does, however that happens.

    It is a session of its own, so that Ctrl-C is heard by this process alone, which ends it by `end_process`.

    Args:
        command: What to run, and its arguments.
        environment: Its environment; that of this process by default.
        folder: Its working directory; that of this process by default.
        grace: Seconds after which it is killed if it does not end when it is asked to.
    """
    keeping = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(grace)]
    return subprocess.Popen(
        [*keeping, *command], stdin=subprocess.PIPE, env=environment, cwd=folder, start_new_session=True
    )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start_kept` started: it is asked to, and killed in the end."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
