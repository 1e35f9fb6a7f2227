"""`nmr compare-disorder`."""

from pathlib import Path

from nmr_platform.cli.options import JsonOption, ParamsOption, say
from nmr_platform.cli.running import making

__all__ = ["compare_disorder"]


def compare_disorder(params: ParamsOption = Path("params.yaml"), as_json: JsonOption = False) -> None:
    """Train on frozen and on fresh disorder and test on both: what reads the coupling, and what one realisation?

    Example: `nmr compare-disorder`
    """
    from nmr_platform.schema import read_sections  # noqa: PLC0415
    from nmr_platform.stages.compare_disorder import DisorderParams  # noqa: PLC0415
    from nmr_platform.stages.compare_disorder import compare_disorder as run  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    read, workspace = read_sections(params, DisorderParams), Workspace(params.parent)
    with making(workspace, workspace.disorder):
        table = run(read, workspace)
    lines = [
        f"{row.task}: R2 {row.value:.3f} [{row.lower:.3f}, {row.upper:.3f}] trained on {row.trained_on}, tested on "
        f"{row.tested_on} disorder ({row.n_train} and {row.n_test} curves)"
        for row in table.itertuples()
    ]
    say("\n".join(lines), {"scores": table.to_dict("records")}, as_json=as_json)
