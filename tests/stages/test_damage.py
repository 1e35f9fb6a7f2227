"""Whatever happens to a file that one stage leaves to another, it is a sentence that names it."""

import json
import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import DataError
from nmr_platform.learning.models.xgboost import XGBoost
from nmr_platform.schema import read_sections
from nmr_platform.stages.display import show_folder
from nmr_platform.stages.features import read_features
from nmr_platform.stages.report import ReportParams, read_disorder, write_report
from nmr_platform.stages.standing import read_scores
from nmr_platform.stages.tune import read_tuned
from nmr_platform.studies import open_storage
from nmr_platform.tracking import NullTracker
from nmr_platform.workspace import Workspace
from tests.stages.tiny import champion_of

DAMAGES = {
    "empty": lambda _: b"",
    "cut": lambda content: content[: len(content) // 2],
    "garbage": lambda _: bytes(range(256)) * 8,
    "zeros": lambda content: bytes(len(content)),
    "a byte at the beginning": lambda content: bytes([content[0] ^ 4]) + content[1:],
    "a byte in the middle": lambda content: content[:77] + bytes([content[77] ^ 1]) + content[78:],
    "a byte near the end": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "twice": lambda content: content * 2,
    "UTF-16": lambda content: content.decode("latin-1").encode("utf-16"),
    "a list": lambda _: b"[]",
    "nothing": lambda _: b"null",
    "no keys": lambda _: b"{}",
    "depth": lambda _: b"[" * 100_000,
}


def shown(workspace):
    folder = champion_of(workspace.root, "W")
    show_folder(folder, NullTracker(), open_storage(workspace.studies, reading=True))


def reported(workspace):
    write_report(read_sections(workspace.params, ReportParams), workspace)


READ = {
    "data/features/facts.json": read_features,
    "data/features/labels.parquet": read_features,
    "data/features/mean_echo.parquet": read_features,
    "data/features/pointwise-magnitude.parquet": read_features,
    "data/features/SHA256SUMS": read_features,
    "results/tune/W.json": lambda workspace: read_tuned(workspace, "W"),
    "results/evaluate/W/scores.json": lambda workspace: read_scores(workspace, "W"),
    "results/disorder/scores.csv": read_disorder,
    "results/pulses/summary.json": reported,
    "champion/run.json": shown,
    "champion/model/about.json": shown,
}


@pytest.fixture(scope="module")
def workspace(project, tmp_path_factory):
    """A copy of the project of which one file after another is spoilt and put back."""
    return Workspace(shutil.copytree(project, tmp_path_factory.mktemp("damage") / "project"))


# It has no checksum but the one that DVC keeps, so that another digit in it is another result.
KEPT_BY_DVC = {("results/tune/W.json", damage) for damage in ("a byte in the middle", "a byte near the end")}


@pytest.mark.parametrize(("name", "damage"), sorted({*product(READ, DAMAGES)} - KEPT_BY_DVC))
def test_a_damaged_file_is_named_with_the_command_that_makes_it_again(workspace, name, damage):
    path = workspace.root / name if "champion" not in name else champion_of(workspace.root, "W") / name[9:]
    content = path.read_bytes()
    path.write_bytes(DAMAGES[damage](content))
    try:
        with pytest.raises(DataError, match=rf"`{path.parent}.*make it again with `dvc repro") as refused:
            READ[name](workspace)
        assert len(str(refused.value).splitlines()) == 1
    finally:
        path.write_bytes(content)


def test_files_that_are_whole_are_read(workspace):
    for read in READ.values():
        read(workspace)


@pytest.mark.parametrize("change", ["rows", "a value", "a column"])
def test_a_table_that_was_written_again_otherwise_is_refused(spoilable, change):
    path = Workspace(spoilable).features / "pointwise-magnitude.parquet"
    table = pd.read_parquet(path)
    if change == "rows":
        table = table.sample(frac=1, random_state=0)
    elif change == "a value":
        table.iloc[0, 0] = np.nan
    else:
        table = table.drop(columns=table.columns[3])
    table.to_parquet(path)
    with pytest.raises(DataError, match=r"file `.*pointwise-magnitude.parquet` was changed since it was written"):
        read_features(Workspace(spoilable))


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd"])
def test_a_table_outside_the_folder_is_not_read(spoilable, name):
    sums = Workspace(spoilable).features / "SHA256SUMS"
    sums.write_text(sums.read_text() + f"{'0' * 64}  {name}\n")
    with pytest.raises(DataError, match=r"has a checksum of `.*`, which lies outside of it"):
        read_features(Workspace(spoilable))


@pytest.mark.parametrize(
    "change", [{"best_params": {"of another": "version"}}, {"family": "../../evil"}], ids=["parameters", "family"]
)
def test_a_study_that_this_version_cannot_build_is_refused(spoilable, change):
    workspace = Workspace(spoilable)
    content = json.loads(workspace.tuned("W").read_text())
    content["studies"][0] |= change
    workspace.tuned("W").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"W\.json` is damaged .*make it again with `dvc repro tune`"):
        read_tuned(workspace, "W")


def test_a_study_of_a_family_whose_library_is_missing_is_refused_with_the_name_of_its_extra(spoilable, monkeypatch):
    monkeypatch.setattr(XGBoost, "library", "no_such_library")
    with pytest.raises(DataError, match=r"W\.json` is of other families .*`pip install 'nmr-platform\[xgboost\]'`"):
        read_tuned(Workspace(spoilable), "W")
