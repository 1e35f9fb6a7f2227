"""Pages on the loopback address: a program that serves them is started, watched and ended with the command."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from nmr_platform.errors import ConfigurationError, NmrPlatformError
from nmr_platform.processes import end_process, start_kept

__all__ = ["LOOPBACK", "require_free", "serve_pages"]

LOOPBACK = "127.0.0.1"
"""The only address that pages are served on."""

_START_SECONDS = 120.0
_LAST_WORDS_SECONDS = 5.0


def require_free(port: int) -> None:
    """Refuse a port that another program has.

    Args:
        port: The port on 127.0.0.1.

    Raises:
        ConfigurationError: It is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            message = f"Argument `port` must be free, but {port} is in use ({error.strerror})."
            raise ConfigurationError(message, key="port", value=port) from error


def serve_pages(
    command: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    ready: Callable[[], None],
    *,
    whose: str,
    noise: str | None = None,
) -> int:
    """Run a program that serves pages until it ends, or until this process is interrupted, which ends it.

    Args:
        command: The program and its arguments.
        environment: Its environment.
        port: The port on 127.0.0.1 at which it answers ``/health`` once it is up.
        ready: Called once the pages can be opened.
        whose: Whose pages they are, for a refusal, for instance ``MLflow's``.
        noise: Lines of its standard error that begin so are left out.

    Returns:
        The exit code: 0 if it was interrupted.

    Raises:
        NmrPlatformError: The program ends before it is up, or does not come up.
    """
    # Its own workers would outlive it.
    process = start_kept(command, environment, errors=None if noise is None else subprocess.PIPE)
    passing = Thread(target=_pass_on, args=(process.stderr, noise), daemon=True)
    passing.start()
    try:
        _wait_until_up(process, port, whose)
        ready()
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        end_process(process)
        passing.join(_LAST_WORDS_SECONDS)


def _pass_on(said: IO[bytes] | None, noise: str | None) -> None:
    """Say what a program says, but for its noise; nothing where it says it by itself."""
    if said is None or noise is None:
        return
    with said:
        for line in said:
            text = line.decode(errors="replace")
            if not text.startswith(noise):
                sys.stderr.write(text)
                sys.stderr.flush()


def _wait_until_up(process: subprocess.Popen[bytes], port: int, whose: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"{whose} pages stopped with exit code {process.returncode} before they could be opened."
            raise NmrPlatformError(message)
        try:
            with urlopen(f"http://{LOOPBACK}:{port}/health", timeout=2.0):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    message = f"{whose} pages did not come up on port {port} within {_START_SECONDS:.0f} seconds."
    raise NmrPlatformError(message)
