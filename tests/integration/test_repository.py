"""A repository of its own with git and DVC: experiments, comparisons, and a registered model made again."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nmr_platform.schema import read_yaml
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow.registry import find_version, origin_of
from nmr_platform.tracking.mlflow.store import open_client
from tests.stages.tiny import ROOT, merged, tiny_values, write_params

pytestmark = pytest.mark.integration
OWN = ("MLFLOW_TRACKING_URI", "NMR_STUDY_STORAGE", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "MLFLOW_RUN_ID")


def run(folder, *command):
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    environment |= {
        "PYTHONPATH": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "ada@lab" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "COLUMNS": "200",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_of_another_task(entry):
    path = Path(next(iter(entry)) if isinstance(entry, dict) else entry)
    return path.parts[0] in {"results", "metrics"} and path.stem != "W"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The platform with small parameters, one task, committed; its evaluation ran with one uncommitted change."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("nmr_platform", "pipelines"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".gitignore", root)
    values = merged(tiny_values(), {"tune": {"families": ["xgboost"]}})
    values["tasks"] = {"W": values["tasks"]["W"]}
    write_params(root, values)
    stages = read_yaml(ROOT / "dvc.yaml")
    for name in ("tune", "evaluate"):
        for part in ("deps", "outs", "metrics"):
            stages["stages"][name][part] = [
                entry for entry in stages["stages"][name].get(part, []) if not is_of_another_task(entry)
            ]
    (root / "dvc.yaml").write_text(yaml.safe_dump(stages, sort_keys=False))
    run(root, "git", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "config", "core.analytics", "false")
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", "The platform")
    write_params(root, merged(values, {"tune": {"n_trials": 3}}))
    run(root, sys.executable, "-m", "dvc", "repro", "evaluate")
    return root


def client_of(root):
    return open_client(resolve_store(f"sqlite:///{root / 'mlflow.db'}", root))


def test_the_printed_command_makes_a_registered_model_again(repository):
    said = json.loads(run(repository, sys.executable, "-m", "nmr_platform", "track", "origin", "nmr-W", "--json"))
    origin = origin_of(find_version(client_of(repository), "nmr-W"))
    assert said["command"] == origin.command
    assert origin.commit == run(repository, "git", "rev-parse", "HEAD").strip()
    assert origin.dirty == "true", "one number in params.yaml differs from the commit"
    program, *arguments = shlex.split(origin.command)
    assert program == "nmr"
    out = run(repository, sys.executable, "-m", "nmr_platform", *arguments)
    assert out.startswith("Reproduced nmr-W version 1 in ")
    made = repository / ".nmr" / "reproduced" / "nmr-W-1"
    assert read_yaml(made / "params.yaml")["tune"]["n_trials"] == 3
    assert (made / "metrics" / "W.json").read_bytes() == (repository / "metrics" / "W.json").read_bytes()


def test_experiments_of_dvc_are_compared_and_recorded_in_the_original_repository(repository):
    run(repository, "git", "add", "-A")
    run(repository, "git", "commit", "-qm", "Results")
    dvc = (sys.executable, "-m", "dvc")
    run(repository, *dvc, "exp", "run", "--temp", "-n", "longer", "-S", "tune.n_trials=4", "evaluate")
    shown = json.loads(run(repository, *dvc, "exp", "show", "--json"))
    assert "longer" in json.dumps(shown)
    assert run(repository, "git", "status", "--porcelain") == "", "a run in a copy leaves no trace in this one"
    client = client_of(repository)
    (parent,) = client.search_runs(
        [client.get_experiment_by_name("W").experiment_id], "tags.`dvc.exp` = 'longer' AND tags.`nmr.run` != ''"
    )
    # A pruned trial is one of those that were asked for.
    assert parent.data.metrics["n_trials"] == 4.0
    assert parent.info.artifact_uri.startswith((repository / "mlartifacts").as_uri())
    diff = json.loads(run(repository, *dvc, "metrics", "diff", "HEAD", "longer", "--json", "--all"))
    assert "metrics/W.json" in json.dumps(diff)
    run(repository, *dvc, "plots", "diff", "HEAD", "longer", "--out", str(repository / ".nmr" / "plots"))
    tracked = run(repository, "git", "ls-files").splitlines()
    assert not [path for path in tracked if path.startswith((".nmr", "mlflow", "mlartifacts"))]
