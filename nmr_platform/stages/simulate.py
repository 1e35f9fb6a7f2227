"""Stage `simulate`: make the data set of one kernel."""

from nmr_platform.config import Params
from nmr_platform.datasets import Generated, generate
from nmr_platform.progress import progress_bar
from nmr_platform.stages.workspace import Workspace

__all__ = ["simulate_dataset"]


def simulate_dataset(params: Params, workspace: Workspace, kernel: str) -> Generated:
    """Generate one kernel's data set, with a progress bar; an interrupted run continues.

    Raises:
        ConfigurationError: There is no such kernel, or its prior hardly ever meets the constraints.
        DataError: A shard of an earlier run is damaged.
    """
    recipe = params.data.recipe(kernel)
    with progress_bar(f"simulate {kernel}", recipe.n_curves, "curves") as advance:
        return generate(recipe, workspace.simulated(kernel), shard_folder=workspace.shards, progress=advance)
