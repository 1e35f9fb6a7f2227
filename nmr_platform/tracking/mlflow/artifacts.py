"""Files of a run as MLflow can show and compare them: tables it can read, pictures it can lay side by side.

Names and tags are those that MLflow 3.17 gives to what `log_table` and `log_image` write. Those two add to what is
there; these files take its place, so that the same can be shown twice.
"""

import json
import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run, RunTag

__all__ = ["COMPARED", "SHOWN_TAGS", "log_files"]

COMPARED = ("parity", "confusion", "verdict", "importances", "sequence", "history")
"""Pictures of a study that are laid beside those of others, the most telling first."""

SHOWN_TAGS = ("mlflow.loggedArtifacts", "mlflow.loggedImages")
"""Tags by which MLflow finds the tables and the pictures of a run."""

_TABLES, _PICTURES = SHOWN_TAGS
# What lies deeper is read by other programs rather than by people.
_TABLE_FOLDERS = {"", "tables"}


def log_files(client: MlflowClient, run: Run, source: Path, folder: str) -> None:
    """Keep a file, or what a folder holds: a CSV table as MLflow's own kind of table, everything else as it is.

    Args:
        client: The open store.
        run: The run.
        source: The file or folder.
        folder: Path below the run's artifacts; empty for their top.
    """
    sources = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    base = source if source.is_dir() else source.parent
    tables: list[dict[str, str]] = json.loads(run.data.tags.get(_TABLES, "[]"))
    tags = {}
    with TemporaryDirectory() as place:
        for path in sources:
            name = PurePosixPath(folder) / path.relative_to(base).as_posix()
            target = Path(place) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if name.suffix == ".csv" and name.parent.as_posix() in _TABLE_FOLDERS:
                _write_table(path, target.with_suffix(".json"))
                tables.append({"path": name.with_suffix(".json").as_posix(), "type": "table"})
                continue
            shutil.copyfile(path, target)
            if name.suffix == ".png" and name.stem in COMPARED:
                _lay_beside(path, Path(place))
                tags[_PICTURES] = "True"
        client.log_artifacts(run.info.run_id, place)
    if tables:
        each = {table["path"]: table for table in tables}
        tags[_TABLES] = json.dumps([each[path] for path in sorted(each)])
    new = [RunTag(name, value) for name, value in tags.items() if run.data.tags.get(name) != value]
    if new:
        client.log_batch(run.info.run_id, tags=new)


def _write_table(source: Path, target: Path) -> None:
    pd.read_csv(source).to_json(target, orient="split", index=False, double_precision=15)


def _lay_beside(picture: Path, place: Path) -> None:
    """Copy a picture to where the grid of pictures looks for it, for the grid and for a closer look.

    MLflow puts a time and a random name in the place of the zero and the word, so that the second of a kind does not
    take the place of the first.
    """
    images = place / "images"
    images.mkdir(exist_ok=True)
    for ending in ("", "+compressed"):
        shutil.copyfile(picture, images / f"{picture.stem}+step+0+timestamp+0+latest{ending}.png")
