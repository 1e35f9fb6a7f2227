"""Stage `simulate`: make the data set of one kernel, and a picture of its first curves."""

from pathlib import Path

from nmr_platform import plots
from nmr_platform.datasets import (
    DataSettings,
    Executor,
    ExecutorSettings,
    Generated,
    Recipe,
    ThreadsSettings,
    Watcher,
    generate,
    load_records,
)
from nmr_platform.schema import Schema

__all__ = ["SimulateParams", "simulate_dataset"]

_CURVES_SHOWN = 6


class SimulateParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        executor: Who simulates it.
    """

    data: DataSettings
    executor: ExecutorSettings = ThreadsSettings()


def simulate_dataset(
    recipe: Recipe,
    path: Path,
    *,
    shard_folder: Path,
    executor: Executor | None = None,
    watcher: Watcher | None = None,
    drop_failed: bool = False,
) -> Generated:
    """Generate a data set; an interrupted run continues. See `nmr_platform.datasets.generate`.

    Args:
        recipe: What to simulate.
        path: Where the data set appears; the picture beside it has its name, with the ending ``.png``.
        shard_folder: See `generate`.
        executor: See `generate`.
        watcher: See `generate`.
        drop_failed: See `generate`.

    Raises:
        ConfigurationError: The prior hardly ever meets the constraints.
        DataError: Curves failed, or the disk is full.
    """
    made = generate(
        recipe, path, shard_folder=shard_folder, executor=executor, watcher=watcher, drop_failed=drop_failed
    )
    records = {f"{recipe.name}: {name}" if name else recipe.name: each for name, each in load_records(path).items()}
    figure = plots.plot_records(
        {title: (each["time"].to_numpy(), each["m"][:_CURVES_SHOWN].to_numpy()) for title, each in records.items()},
        {
            title: float(each["time"][index])
            for title, each in records.items()
            if (index := each.attrs["echo_index"]) >= 0
        },
    )
    plots.save(figure, path.with_suffix(".png"))
    return made
