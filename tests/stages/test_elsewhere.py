"""A finished project that was moved or copied: its models answer the same, and nothing is written where it was."""

import shutil
from collections import OrderedDict

import pytest

from nmr_platform.tracking import resolve_store
from nmr_platform.tracking.mlflow import open_client
from tests.stages.shown import everything_shown
from tests.stages.tiny import contents_of, nmr


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_models_and_runs_go_with_the_project(project, tmp_path, monkeypatch, move):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # Within one process, MLflow remembers where the artifacts of a run went.
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._artifact_repos_cache", OrderedDict())
    old = shutil.copytree(project, tmp_path / "old")
    echoes = str(project / "data" / "simulated" / "gaussian.zarr")
    before = nmr(old, "predict", echoes, "--task", "W")
    assert before.code == 0, before.err
    left = contents_of(old) if move is shutil.copytree else {}
    new = tmp_path / "new"
    move(old, new)
    after = nmr(new, "predict", echoes, "--task", "W")
    assert (after.code, after.out) == (0, before.out)
    client = open_client(resolve_store(root=new))
    shown = everything_shown(client)
    assert nmr(new, "track", "sync").code == 0
    assert everything_shown(client) == shown
    assert contents_of(old) == left
