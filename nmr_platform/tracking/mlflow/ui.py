"""Open MLflow's comparison pages on what has been recorded."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mlflow.exceptions import MlflowException

from nmr_platform.errors import TrackingError
from nmr_platform.serving import LOOPBACK, require_free, serve_pages
from nmr_platform.tracking.address import StoreAddress, resolve_store
from nmr_platform.tracking.mlflow.relocation import relocate
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.views import PageLink, page_links

__all__ = ["serve_ui", "ui_command", "view_links"]

_PORT = 5000
# What MLflow says at every start: that it uses what a library will give up, and how it would be opened to others.
_OLD = "ignore:starlette.middleware.wsgi is deprecated"
_NOISE = "[MLflow] Security middleware enabled"


def ui_command(tracking_uri: str, artifacts: str | None, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command that serves the pages, and its environment.

    The addresses travel in the environment: other users can read a command line, and a password with it.

    Args:
        tracking_uri: The database to show.
        artifacts: Where artifacts of new experiments would go; ``None`` for MLflow's own choice.
        port: The port on 127.0.0.1.
    """
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--host", LOOPBACK, "--port", str(port)]
    command += ["--uvicorn-opts", "--log-level warning"]  # a line for every request says nothing to a reader
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": tracking_uri,
        "MLFLOW_REGISTRY_STORE_URI": tracking_uri,  # it says so if it has to take the other
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its workers triple the memory, and nothing here uses them
        "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _OLD])),
    }
    if artifacts is not None:
        environment["MLFLOW_DEFAULT_ARTIFACT_ROOT"] = artifacts
    return command, environment


def serve_ui(
    announce: Callable[[str], None], *, tracking_uri: str | None = None, root: Path | None = None, port: int = _PORT
) -> int:
    """Serve the pages until interrupted.

    Args:
        announce: Called once the pages can be opened, with one sentence and then with the addresses of the views.
        tracking_uri: The database; by default ``MLFLOW_TRACKING_URI``, else ``<root>/mlflow.db``.
        root: The repository; by default the one around the working directory.
        port: The port on 127.0.0.1.

    Returns:
        The exit code: 0 if it was interrupted.

    Raises:
        TrackingError: There is nothing to show yet.
        ConfigurationError: The port is taken.
        NmrPlatformError: MLflow does not start.
    """
    address = resolve_store(tracking_uri, root)
    if address.is_server:
        announce(f"The tracking server serves its own pages: open {address} in a browser.")
        _announce_views(announce, address, str(address))
        return 0
    if address.sqlite_file is not None and not address.sqlite_file.exists():
        message = (
            f"File `{address.sqlite_file}` does not exist, so there is nothing to compare yet: run `make run` first."
        )
        raise TrackingError(message)
    require_free(port)
    relocate(address)
    command, environment = ui_command(address.uri, address.artifact_location, port)

    def ready() -> None:
        announce(f"Comparing runs at http://{LOOPBACK}:{port} (store {address}). Stop with Ctrl-C.")
        _announce_views(announce, address, f"http://{LOOPBACK}:{port}")

    return serve_pages(command, environment, port, ready, whose="MLflow's", noise=_NOISE)


def view_links(tracking_uri: str | None = None, root: Path | None = None) -> list[PageLink]:
    """Addresses of the installed views, as `nmr ui` serves them unless it is told another port.

    Args:
        tracking_uri: The store; by default ``MLFLOW_TRACKING_URI``, else ``<root>/mlflow.db``.
        root: The repository; by default the one around the working directory.

    Returns:
        Nothing where the store has none, or does not answer.
    """
    address = resolve_store(tracking_uri, root)
    return _links(address, str(address) if address.is_server else f"http://{LOOPBACK}:{_PORT}")


def _links(address: StoreAddress, pages: str) -> list[PageLink]:
    try:
        return page_links(open_client(address, reading=True), pages.rstrip("/"))
    except (TrackingError, MlflowException):
        return []


def _announce_views(announce: Callable[[str], None], address: StoreAddress, pages: str) -> None:
    for link in _links(address, pages):
        announce(str(link))
