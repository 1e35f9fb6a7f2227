"""`nmr ui`: MLflow's comparison pages."""

from typing import Annotated

import typer

__all__ = ["ui"]


def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000) -> None:
    """Open MLflow's comparison pages on everything that was recorded.

    Example: `nmr ui --port 5001`
    """
    from nmr_platform.tracking.mlflow import serve_ui  # noqa: PLC0415

    raise typer.Exit(serve_ui(typer.echo, port=port))
