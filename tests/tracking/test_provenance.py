import json
from pathlib import Path

import pytest

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.provenance import Session, environment_tags, git_tags, pinned_requirements
from tests.tracking.repositories import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    for name in ("params.yaml", "dvc.lock", "scores.json"):
        (tmp_path / name).write_text("a: 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_clean_repository_names_its_commit(repository):
    commit = git(repository, "rev-parse", "HEAD")
    assert git_tags(repository) == {"mlflow.source.git.commit": commit, "git.dirty": "false"}


@pytest.mark.parametrize(
    ("name", "dirty"), [("params.yaml", "true"), ("new.py", "true"), ("dvc.lock", "false"), ("scores.json", "false")]
)
def test_changed_code_and_settings_are_dirty_but_outputs_are_not(repository, name, dirty):
    (repository / name).write_text("a: 2\n")
    assert git_tags(repository)["git.dirty"] == dirty


def test_outside_a_repository_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_tags(tmp_path) == {"mlflow.source.git.commit": "unknown", "git.dirty": "unknown"}


def test_the_stage_and_the_surrounding_run_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "tune@forest")
    monkeypatch.setenv("DVC_EXP_NAME", "lucky-bird")
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    tags = environment_tags(tmp_path)
    assert (tags["dvc.stage"], tags["dvc.exp"], tags["mlproject.run_id"]) == ("tune@forest", "lucky-bird", "abc")
    assert tags["nmr_platform.version"]
    assert tags["python.version"].startswith("3.")


def test_a_session_goes_to_plain_data_and_back():
    session = Session({"git.dirty": "true"}, 1.5, "a patch", ["numpy==2.4.0"])
    assert Session.from_dict(json.loads(json.dumps(session.to_dict()))) == session


def test_a_requirement_of_unknown_version_that_is_not_here_is_one_sentence_with_its_extra():
    with pytest.raises(TrackingError, match=r"`no-such` .*: `pip install 'nmr-platform\[no-such\]'` installs it"):
        pinned_requirements(["numpy", "no-such"])
