"""The page as a program of its own, and how the command starts it."""

import json
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from nmr_platform.errors import ConfigurationError
from nmr_platform.explorer.guard import OwnPageOnly
from nmr_platform.explorer.opening import Opening, begin
from nmr_platform.explorer.overlay import read_overlay
from nmr_platform.serving import LOOPBACK, require_free, serve_pages
from nmr_platform.simulation import measure

__all__ = ["main", "serve_explorer"]

_APP = Path(__file__).with_name("app.py")


def serve_explorer(announce: Callable[[str], None], opening: Opening, *, port: int) -> int:
    """Serve the page until interrupted.

    Args:
        announce: Called once the page can be opened, with one sentence.
        opening: What it begins with.
        port: The port on 127.0.0.1.

    Returns:
        The exit code: 0 if it was interrupted.

    Raises:
        ConfigurationError: The extra is missing, the port is taken, or the measurement is not acceptable.
        NmrPlatformError: A model or file that was named cannot be had, or the page does not start.
    """
    if find_spec("marimo") is None:
        message = (
            "The explorer needs a library that the default set-up leaves out: "
            "`pip install 'nmr-platform[explore]'` installs it."
        )
        raise ConfigurationError(message, key="explore")
    require_free(port)
    # What was named is refused here, where it makes one sentence; champions are loaded once, by the page.
    if opening.measurement is not None or opening.measured is not None:
        first = opening.first
        if opening.measured is not None:
            read_overlay(Path(opening.measured), first, opening.options)
    if opening.models:
        _ = opening.predictors
    command = [sys.executable, "-m", "nmr_platform.explorer", str(port), json.dumps(opening.as_plain())]

    def ready() -> None:
        announce(f"The explorer is at http://{LOOPBACK}:{port}. Stop with Ctrl-C.")

    return serve_pages(command, os.environ, port, ready, whose="The explorer's")


def main(port: int, opening: Opening) -> None:
    """Serve the page in this process, until it is asked to end.

    Args:
        port: The port on 127.0.0.1.
        opening: What the page begins with.
    """
    import marimo  # noqa: PLC0415 an extra
    import uvicorn  # noqa: PLC0415 comes with it

    begin(opening)
    # The engine is compiled, or read from its cache, before anybody moves anything.
    measure(opening.first, seed=opening.seed, integrator="fast")
    _ = opening.predictors
    app = marimo.create_asgi_app(quiet=True).with_app(path="", root=str(_APP)).build()
    uvicorn.run(OwnPageOnly(app), host=LOOPBACK, port=port, log_level="warning", ws="websockets-sansio")
