"""Which process is which, whether it lives, and how one that we started is ended."""

import os
import signal
import socket
import subprocess
from uuid import uuid4

__all__ = ["end_process", "is_alive", "this_process"]

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


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a process that we started, and kill it if it has not ended half a minute later."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
