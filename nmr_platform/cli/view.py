"""Commands that show results: the report and MLflow's comparison pages."""

from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, say

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("report")(report)
    app.command("ui")(ui)


def report(
    params: ParamsOption = Path("params.yaml"),
    where: Annotated[bool, typer.Option("--where", help="Write nothing, only say where the results are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report: scores beside the published ones, curves, importances, the pulse search.

    Example: `nmr report`
    """
    from nmr_platform import stages  # noqa: PLC0415
    from nmr_platform.config import read_params  # noqa: PLC0415

    workspace = stages.Workspace(params.parent)
    page = workspace.reports / "index.html"
    if not where:
        page = stages.write_report(read_params(params), workspace)
    lines = [
        f"Report:   {page} (and report.md beside it)",
        f"Metrics:  {workspace.metrics('*')} (`dvc metrics show`)",
        "Compare:  make ui",
    ]
    say("\n".join(lines), {"report": str(page), "markdown": str(page.with_name("report.md"))}, as_json=as_json)


def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000) -> None:
    """Open MLflow's comparison pages on everything that was recorded.

    Example: `nmr ui --port 5001`
    """
    from nmr_platform.tracking.ui import serve_ui  # noqa: PLC0415

    raise typer.Exit(serve_ui(typer.echo, port=port))
