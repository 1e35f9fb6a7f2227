"""Commands that serve pages until they are told to end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).parents[1]


@contextmanager
def ended_by(
    number: int, command: str, *, folder: Path, port: int, python: str | Path = sys.executable
) -> Iterator[IO[str]]:
    """What a command of `nmr` that serves pages says; afterwards a signal ends it, and nothing of it may be left.

    Args:
        number: The signal.
        command: The command.
        folder: Where it is started.
        port: Of the pages, on 127.0.0.1.
        python: Of the environment whose package it is; this one's has that of the repository.
    """
    arguments = [str(python), "-m", "nmr_platform", command, "--port", str(port)]
    ours = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)] if python == sys.executable else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(ours)}
    with subprocess.Popen(arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.wait(60)
    gone, left = psutil.wait_procs(started, timeout=30)
    assert (len(gone), left) == (len(started), [])
    assert started
