"""`nmr report`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, say
from nmr_platform.cli.running import making

if TYPE_CHECKING:
    from nmr_platform.reporting import ComparisonRow

__all__ = ["report"]


def report(
    params: ParamsOption = Path("params.yaml"),
    where: Annotated[bool, typer.Option("--where", help="Write nothing, only say where the results are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report, and print every published score beside ours, with curves and time of the search (s).

    Example: `nmr report`
    """
    from nmr_platform.schema import read_sections  # noqa: PLC0415
    from nmr_platform.stages.published import compare_with_published  # noqa: PLC0415
    from nmr_platform.stages.report import ReportParams, write_report  # noqa: PLC0415
    from nmr_platform.tracking.mlflow import view_links  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace(params.parent)
    page = workspace.reports / "index.html"
    compared: list[dict[str, Any]] = []
    if not where:
        read = read_sections(params, ReportParams)
        with making(workspace, workspace.reports):
            page = write_report(read, workspace)
        compared = [_record(row, seconds) for row, seconds in compare_with_published(read, workspace)]
    links = view_links(root=workspace.root)
    lines = [
        f"Report:   {page} (and report.md beside it)",
        f"Metrics:  {workspace.metrics('*')} (`dvc metrics show`)",
        "Compare:  make ui",
        *(f"          {link}" for link in links),
    ]
    record = {"report": str(page), "markdown": str(page.with_name("report.md")), "published": compared}
    record["views"] = [asdict(link) for link in links]
    say("\n".join([_table(compared), *lines] if compared else lines), record, as_json=as_json)


def _record(row: "ComparisonRow", seconds: float | None) -> dict[str, Any]:
    ours = {name: getattr(row, name) for name in ("model", "score", "lower", "upper", "n_train", "n_test", "remark")}
    return {"task": row.item.task, "recipe": row.item.recipe, "published": row.item.value, **ours, "seconds": seconds}


def _table(compared: list[dict[str, Any]]) -> str:
    """The comparison for people; pandas neither cuts nor wraps it, however narrow the terminal."""
    import pandas as pd  # noqa: PLC0415

    rows = [
        {
            "task": each["task"],
            "published": f"{each['published']:.3g}",
            "ours": each["remark"] or f"{each['score']:.3f} [{each['lower']:.3f}, {each['upper']:.3f}]",
            "curves (training + held out)": f"{each['n_train']} + {each['n_test']}" if each["n_train"] else "",
            "search": "" if each["seconds"] is None else f"{each['seconds']:.0f} s",
            "model": each["model"],
            "recipe": each["recipe"],
        }
        for each in compared
    ]
    return pd.DataFrame(rows).to_string(index=False) + "\n"
