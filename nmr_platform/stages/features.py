"""Stage `features`: from simulated data sets to feature tables."""

from collections.abc import Container
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nmr_platform.checksums import require_checksums, write_checksums
from nmr_platform.datasets import DataSettings, dvc_digest, labels_of, load
from nmr_platform.errors import DataError
from nmr_platform.features import Acquisition, FeaturesSettings, extract
from nmr_platform.files import intact, read_json, staged_folder, write_json
from nmr_platform.schema import Schema, validate
from nmr_platform.tracking import DatasetEntry
from nmr_platform.workspace import Workspace

__all__ = ["FeatureTables", "FeaturesParams", "extract_features", "read_features"]

_MADE_BY = "dvc repro features"
_FACTS = "facts.json"


class FeaturesParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        features: What is extracted from it.
    """

    data: DataSettings
    features: FeaturesSettings


@dataclass(frozen=True)
class FeatureTables:
    """What the stage leaves behind.

    Attributes:
        tables: Feature tables by name, rows in the order of ``labels``.
        labels: Kernel, disorder and parameters of every curve.
        mean_echo: Mean |M| of every kernel, one column each, indexed by time in us.
        acquisition: How every curve was recorded.
        datasets: The data sets behind it.
    """

    tables: dict[str, pd.DataFrame]
    labels: pd.DataFrame
    mean_echo: pd.DataFrame
    acquisition: Acquisition
    datasets: tuple[DatasetEntry, ...]


def extract_features(params: FeaturesParams, workspace: Workspace) -> FeatureTables:
    """Extract every feature set of ``params`` from every kernel's data set, and write the tables.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where the data sets are, and where the tables are written.

    Raises:
        DataError: A data set is missing, of another version, or not the one that ``params`` asks for.
        ConfigurationError: The window reaches outside the record.
    """
    datasets = {kernel: load(workspace.simulated(kernel)) for kernel in params.data.kernels}
    for kernel, dataset in datasets.items():
        _require_digest(kernel, dataset, params, workspace)
    first = next(iter(datasets.values()))
    m = np.concatenate([dataset["m"].to_numpy() for dataset in datasets.values()])
    acquisition = Acquisition.of_dataset(first)
    made = FeatureTables(
        tables={item.name: extract(m, item, acquisition) for item in params.features.sets},
        labels=pd.concat([labels_of(dataset) for dataset in datasets.values()], ignore_index=True),
        mean_echo=pd.DataFrame(
            {kernel: np.abs(dataset["m"].to_numpy()).mean(axis=0) for kernel, dataset in datasets.items()},
            index=pd.Index(first["time"].to_numpy(), name="time"),
        ),
        acquisition=acquisition,
        datasets=tuple(_entry(kernel, dataset, workspace) for kernel, dataset in datasets.items()),
    )
    _write(made, workspace)
    return made


def read_features(workspace: Workspace) -> FeatureTables:
    """Read what `extract_features` wrote.

    Raises:
        DataError: It has not run yet, or a file is missing or not as it was written.
    """
    folder = workspace.features
    facts = read_json(folder / _FACTS, made_by=_MADE_BY)
    known = require_checksums(folder, what="Feature tables", made_by=_MADE_BY)
    with intact(folder / _FACTS, made_by=_MADE_BY):
        return FeatureTables(
            tables={name: _table(folder, name, known) for name in facts["tables"]},
            labels=_table(folder, "labels", known),
            mean_echo=_table(folder, "mean_echo", known),
            acquisition=validate(Acquisition, facts["acquisition"]),
            datasets=tuple(DatasetEntry(**item) for item in facts["datasets"]),
        )


def _table(folder: Path, name: str, known: Container[str]) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    with intact(path, made_by=_MADE_BY):
        if path.name not in known:
            message = "it has no checksum"
            raise ValueError(message)
        return pd.read_parquet(path)


def _require_digest(kernel: str, dataset: xr.Dataset, params: FeaturesParams, workspace: Workspace) -> None:
    wanted = params.data.recipe(kernel).digest
    if dataset.attrs["digest"] != wanted:
        message = (
            f"Data set `{workspace.simulated(kernel)}` is not the one that params.yaml asks for "
            f"(digest {dataset.attrs['digest']}, wanted {wanted}); make it with `dvc repro simulate`."
        )
        raise DataError(message, path=workspace.simulated(kernel))


def _entry(kernel: str, dataset: xr.Dataset, workspace: Workspace) -> DatasetEntry:
    return DatasetEntry(
        name=kernel,
        digest=dvc_digest(workspace.simulated(kernel)),
        source=workspace.simulated(kernel).relative_to(workspace.root).as_posix(),
        profile={
            "recipe": dataset.attrs["digest"],
            "curves": dataset.sizes["curve"],
            "samples": dataset.sizes["time"],
            "engine_version": int(dataset.attrs["engine_version"]),
        },
    )


def _write(made: FeatureTables, workspace: Workspace) -> None:
    with staged_folder(workspace.features) as folder:
        for name, table in made.tables.items():
            table.to_parquet(folder / f"{name}.parquet")
        made.labels.to_parquet(folder / "labels.parquet")
        made.mean_echo.to_parquet(folder / "mean_echo.parquet")
        facts = {
            "tables": list(made.tables),
            "acquisition": made.acquisition.model_dump(),
            "datasets": [asdict(each) for each in made.datasets],
        }
        write_json(folder / _FACTS, facts)
        write_checksums(folder)
