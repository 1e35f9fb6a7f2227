"""A finished project that may only be read, by a user without a home."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.stages.tiny import ROOT, nmr

# Without capabilities, root is bound by the mode of a file like everybody else.
BOUND = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

COMMANDS = """
import json, sys
from pathlib import Path
from tests.stages.tiny import nmr
project = Path(sys.argv[1])
echoes = str(project / "data" / "simulated" / "gaussian.zarr")
reading = [("studies",), ("track", "origin", "nmr-W"), ("predict", echoes, "--task", "W", "--json")]
writing = [("features",), ("generate", "--kernel", "gaussian"), ("tune", "--task", "W"), ("report",)]
print(json.dumps([nmr(project, *command) for command in reading + writing]))
"""


@pytest.fixture
def untouchable(project, tmp_path, monkeypatch):
    if BOUND and (shutil.which("setpriv") is None or subprocess.run([*BOUND, "true"], check=False).returncode):
        pytest.skip("root cannot give up its rights here: no setpriv (util-linux)")
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o700)


@pytest.mark.slow
def test_reading_works_and_writing_ends_with_one_sentence(untouchable, tmp_path):
    before = sorted(untouchable.rglob("*"))
    environment = {**os.environ, "HOME": str(tmp_path / "none"), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    ran = subprocess.run(
        [*BOUND, sys.executable, "-c", COMMANDS, str(untouchable)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    ended = json.loads(ran.stdout)
    assert [code for code, _, _ in ended] == [0, 0, 0, 2, 2, 2, 2], ended
    for _, _, said in ended[3:]:
        assert said.splitlines()[-1].startswith("Error: ")
        assert "permission denied" in said.splitlines()[-1]
    assert sorted(untouchable.rglob("*")) == before
    echoes = str(untouchable / "data" / "simulated" / "gaussian.zarr")
    assert json.loads(ended[2][1]) == json.loads(nmr(untouchable, "predict", echoes, "--task", "W", "--json").out)
