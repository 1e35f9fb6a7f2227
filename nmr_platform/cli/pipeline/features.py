"""`nmr features`."""

from pathlib import Path

from nmr_platform.cli.options import DesignedOption, JsonOption, ParamsOption, say
from nmr_platform.cli.running import making, opened

__all__ = ["features"]


def features(
    params: ParamsOption = Path("params.yaml"), designed: DesignedOption = False, as_json: JsonOption = False
) -> None:
    """Extract every feature set of params.yaml from the simulated data.

    Example: `nmr features`
    """
    from nmr_platform.stages.features import FeaturesParams, extract_features  # noqa: PLC0415

    read, workspace = opened(params, FeaturesParams, designed=designed)
    with making(workspace, workspace.features):
        made = extract_features(read, workspace)
    widths = {name: table.shape[1] for name, table in made.tables.items()}
    shown = ", ".join(f"{name} ({width})" for name, width in widths.items())
    say(f"{len(made.labels)} curves: {shown}.", {"curves": len(made.labels), "columns": widths}, as_json=as_json)
