"""Stage `ceiling`: how well any model could read the records of one data set."""

from nmr_platform.datasets import DataSettings
from nmr_platform.files import write_json
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design import CeilingSettings, RecordCache, ceiling_of
from nmr_platform.schema import Schema
from nmr_platform.workspace import Workspace

__all__ = ["CeilingParams", "find_ceiling"]

_MEGABYTES = 2000.0


class CeilingParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        ceiling: How its ceilings are found.
    """

    data: DataSettings
    ceiling: CeilingSettings


def find_ceiling(params: CeilingParams, workspace: Workspace, kernel: str) -> dict[str, dict[str, float]]:
    """Find the ceiling of one data set's targets and write it; an interrupted call continues.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where records are kept and the ceiling is written.
        kernel: Name of the data set.

    Returns:
        By target the largest ``r2`` that a model can have, and its standard ``error``.

    Raises:
        ConfigurationError: There is no such data set, or its prior does not fit what is asked.
    """
    settings, recipe = params.ceiling, params.data.recipe(kernel)
    # Every point is judged once more with those after it; its records are not made again.
    with progress_bar(f"bound of {kernel}", settings.bound.points - 1, "points") as advance:
        for judgement in ceiling_of(recipe, settings, RecordCache(workspace.records, _MEGABYTES)):
            details = judgement.details
            advance(1)
    found = {
        target: {"r2": details[f"r2_{target}"], "error": details[f"error_{target}"]}
        for target in settings.bound.targets
    }
    write_json(workspace.metrics(f"ceiling-{kernel}"), found, rounded=True)
    return found
