"""`nmr ceiling`."""

from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, say
from nmr_platform.cli.running import making, opened

__all__ = ["ceiling"]


def ceiling(
    kernel: Annotated[str, typer.Option("--kernel", help="Name of a data set in params.yaml.")],
    params: ParamsOption = Path("params.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Find how well any model could read the records of a data set, by the Cramer-Rao bound.

    Example: `nmr ceiling --kernel gaussian`
    """
    from nmr_platform.stages.ceiling import CeilingParams, find_ceiling  # noqa: PLC0415

    read, workspace = opened(params, CeilingParams)
    with making(workspace, workspace.metrics(f"ceiling-{kernel}")):
        found = find_ceiling(read, workspace, kernel)
    lines = [f"{kernel}: R2 of {name} at most {each['r2']:.3f} +- {each['error']:.3f}" for name, each in found.items()]
    say("\n".join(lines), {"kernel": kernel, "ceiling": found}, as_json=as_json)
