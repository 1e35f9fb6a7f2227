"""Stage `features`: from simulated data sets to feature tables."""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nmr_platform.checksums import require_checksums, write_checksums
from nmr_platform.datasets import DataSettings, dvc_digest, labels_of, load_records
from nmr_platform.errors import DataError
from nmr_platform.features import Acquisition, FeaturesSettings, extract, naming_record
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
        mean_echo: Of each record by its name, mean |M| of every kernel, one column each, indexed by time in us.
        acquisition: How each record of every curve was taken, by its name.
        datasets: The data sets behind it.
    """

    tables: dict[str, pd.DataFrame]
    labels: pd.DataFrame
    mean_echo: dict[str, pd.DataFrame]
    acquisition: dict[str, Acquisition]
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
    datasets = {kernel: load_records(workspace.simulated(kernel)) for kernel in params.data.kernels}
    for kernel, records in datasets.items():
        _require_digests(kernel, records, params, workspace)
    m, acquisition, mean_echo = {}, {}, {}
    for record, first in next(iter(datasets.values())).items():
        own = {kernel: records[record]["m"].to_numpy() for kernel, records in datasets.items()}
        m[record] = np.concatenate([*own.values()])
        with naming_record(record):
            acquisition[record] = Acquisition.of_dataset(first)
        mean_echo[record] = pd.DataFrame(
            {kernel: np.abs(curves).mean(axis=0) for kernel, curves in own.items()},
            index=pd.Index(first["time"].to_numpy(), name="time"),
        )
    labels = [labels_of(next(iter(records.values()))).assign(kernel=kernel) for kernel, records in datasets.items()]
    made = FeatureTables(
        tables={item.name: extract(m, item, acquisition) for item in params.features.sets},
        labels=pd.concat(labels, ignore_index=True),
        mean_echo=mean_echo,
        acquisition=acquisition,
        datasets=tuple(_entry(kernel, records, params, workspace) for kernel, records in datasets.items()),
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
            mean_echo={record: _table(folder, _mean_echo(record), known) for record in facts["acquisition"]},
            acquisition={record: validate(Acquisition, taken) for record, taken in facts["acquisition"].items()},
            datasets=tuple(DatasetEntry(**item) for item in facts["datasets"]),
        )


def _table(folder: Path, name: str, known: Container[str]) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    with intact(path, made_by=_MADE_BY):
        if path.name not in known:
            message = "it has no checksum"
            raise ValueError(message)
        return pd.read_parquet(path)


def _mean_echo(record: str) -> str:
    """Name of the table of a record's mean echo."""
    return f"mean_echo.{record}" if record else "mean_echo"


def _require_digests(
    kernel: str, records: Mapping[str, xr.Dataset], params: FeaturesParams, workspace: Workspace
) -> None:
    """Refuse a data set whose records are not those of the recipe."""
    recipe = params.data.recipe(kernel)
    held = {name: dataset.attrs["digest"] for name, dataset in records.items()}
    wanted = {name: recipe.of_record(name).digest for name in recipe.record_names}
    if [*held.items()] != [*wanted.items()]:
        shown, asked = (
            ", ".join(f"{name} {digest}".strip() for name, digest in each.items()) for each in (held, wanted)
        )
        message = (
            f"Data set `{workspace.simulated(kernel)}` is not the one that params.yaml asks for "
            f"(digest {shown}, wanted {asked}); make it with `dvc repro simulate`."
        )
        raise DataError(message, path=workspace.simulated(kernel))


def _entry(
    kernel: str, records: Mapping[str, xr.Dataset], params: FeaturesParams, workspace: Workspace
) -> DatasetEntry:
    first = next(iter(records.values()))
    samples = {name: dataset.sizes["time"] for name, dataset in records.items()}
    return DatasetEntry(
        name=kernel,
        digest=dvc_digest(workspace.simulated(kernel)),
        source=workspace.simulated(kernel).relative_to(workspace.root).as_posix(),
        profile={
            "recipe": params.data.recipe(kernel).digest,
            "curves": first.sizes["curve"],
            "samples": samples.get("", samples),
            "engine_version": int(first.attrs["engine_version"]),
        },
    )


def _write(made: FeatureTables, workspace: Workspace) -> None:
    with staged_folder(workspace.features) as folder:
        for name, table in made.tables.items():
            table.to_parquet(folder / f"{name}.parquet")
        made.labels.to_parquet(folder / "labels.parquet")
        for record, mean_echo in made.mean_echo.items():
            mean_echo.to_parquet(folder / f"{_mean_echo(record)}.parquet")
        facts = {
            "tables": list(made.tables),
            "acquisition": {record: taken.model_dump() for record, taken in made.acquisition.items()},
            "datasets": [asdict(each) for each in made.datasets],
        }
        write_json(folder / _FACTS, facts)
        write_checksums(folder)
