"""PostgreSQL and an MLflow server, started for a test on free loopback ports as unprivileged users."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
from optuna.storages import BaseStorage
from psycopg import sql

from nmr_platform.studies import open_storage

__all__ = ["MlflowServer", "Postgres", "free_port", "postgres_missing", "storage_of"]

PATIENCE = 180.0


@cache
def storage_of(folder: Path, address: str) -> BaseStorage:
    """One connection for all questions: a test that asks ten times a second would use up the server's."""
    return open_storage(folder)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path | None:
    """Folder of initdb and pg_ctl, which Debian keeps out of PATH."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) + ([Path(found).parent] if found else [])
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def postgres_missing() -> str:
    """Why PostgreSQL cannot be started; empty if it can."""
    if postgres_programs() is None:
        return "PostgreSQL is not installed (apt-get install postgresql)"
    if os.geteuid() == 0 and unprivileged() is None:
        return "PostgreSQL refuses to run as root, and there is no user postgres or nobody"
    return ""


def unprivileged() -> str | None:
    """Whom to be instead of root; None if that is nobody's business."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


class Postgres:
    """A cluster of its own in ``folder``, which must not be below a folder that others cannot enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._programs = postgres_programs()
        folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(folder, unprivileged())
        self._as_user("initdb", "-D", str(folder / "data"), "-U", "ada", "-A", "trust", "-N", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._as_user(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        """As a machine that is switched off would: no time for connections to end."""
        self._as_user("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def database(self, name: str) -> str:
        """Make a database and return its address."""
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=ada dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        # The password is not needed, which makes it a good one to look for in logs.
        return f"postgresql+psycopg://ada:pa55w0rd@127.0.0.1:{self.port}/{name}"

    def _as_user(self, program: str, *arguments: str) -> None:
        user = unprivileged() if os.geteuid() == 0 else None
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=self.folder,
            extra_groups=[] if user else None,
        )


class MlflowServer:
    """An MLflow server with its artifacts behind it; ``artifacts`` may be a folder too small for them."""

    def __init__(self, database: str, artifacts: Path, log: Path) -> None:
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "MLFLOW_BACKEND_STORE_URI": database,
            "MLFLOW_ARTIFACTS_DESTINATION": artifacts.as_uri(),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--workers",
            "1",
            "--host",
            "127.0.0.1",
            "--serve-artifacts",
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()
            try:
                with urlopen(f"{self.uri}/health", timeout=5.0):
                    return
            except (URLError, OSError):
                time.sleep(0.3)
        raise AssertionError(self._log.read_text())

    def kill(self) -> None:
        """Without a word, workers included."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
