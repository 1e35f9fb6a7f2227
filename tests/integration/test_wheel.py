"""The wheel in an empty environment, away from the repository: what it brings, and what it needs."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from nmr_platform import __version__
from nmr_platform.schema import read_yaml
from tests.serving import ended_by
from tests.stages.tiny import ROOT, merged, tiny_values, write_params

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SAMPLE = {
    "kernel": {"kind": "gaussian", "xi": 13.0},
    "coupling": {"alpha_x": 5e-5, "alpha_y": 5e-5, "alpha_z": 2e-5},  # MHz
}
OF_THE_REPOSITORY = ("PYTHONPATH", "VIRTUAL_ENV", "MLFLOW_TRACKING_URI", "NMR_STUDY_STORAGE", "DVC_ROOT")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder of the commands of an environment that holds the wheel with one extra, and what these ask for."""
    uv = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]]))
    if uv is None:
        pytest.skip("uv is not here (`make setup` gets it)")
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], ROOT)
    [wheel] = folder.glob("*.whl")
    run([uv, "venv", "--quiet", "--python", sys.executable, folder / "empty"], folder)
    python = folder / "empty" / "bin" / "python"
    # The versions of the lock, so that it is our metadata which is tried and not what was released today.
    locks = [part for name in ("requirements", "requirements-extras") for part in ("-c", ROOT / f"{name}.lock")]
    run([uv, "pip", "install", "--quiet", "--python", python, *locks, f"{wheel}[explore]"], folder)
    yield python.parent
    # A gigabyte, which pytest would keep of its last three runs.
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def laid(installed, tmp_path_factory):
    """A small project that `nmr init` laid down and `dvc repro` ran in, with a model."""
    folder = tmp_path_factory.mktemp("elsewhere") / "mine"
    nmr(installed, folder.parent, "init", folder)
    write_params(folder, merged(tiny_values(), {"tune": {"families": ["linear"]}}))
    run([installed / "dvc", "repro", "features"], folder, installed)
    for stage in ("tune", "evaluate"):
        nmr(installed, folder, stage, "--task", "W")
    return folder


def run(command, folder, programs=None):
    """What a command says that ends well, in a folder, with nothing of this repository but perhaps its path."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THE_REPOSITORY}
    path = os.pathsep.join([str(programs)] * (programs is not None) + [kept["PATH"]])
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept | {"PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def nmr(installed, folder, *arguments):
    return run([installed / "nmr", *arguments], folder, installed)


def test_it_says_its_version_and_comes_from_the_environment(installed, tmp_path):
    assert nmr(installed, tmp_path, "--version").split()[-1] == __version__
    where = run([installed / "python", "-c", "import nmr_platform; print(nmr_platform.__file__)"], tmp_path)
    assert Path(where).is_relative_to(installed.parent)


def test_an_echo_is_simulated_and_a_model_of_a_project_laid_down_reads_it(installed, laid, tmp_path):
    experiment = read_yaml(laid / "params.yaml")["data"]["experiment"]
    (tmp_path / "echo.yaml").write_text(yaml.safe_dump(experiment | SAMPLE))
    nmr(installed, tmp_path, "simulate", "echo.yaml", "--out", "echo.csv")
    said = json.loads(nmr(installed, laid, "predict", tmp_path / "echo.csv", "--task", "W", "--json"))
    [answer] = said["predictions"]
    assert answer["lower"] <= answer["prediction"] <= answer["upper"]


def test_a_second_run_in_a_project_laid_down_has_nothing_to_do(installed, laid):
    said = run([installed / "dvc", "repro", "features"], laid, installed)
    assert re.findall(r"Running stage '(\S+)'", said) == ["code"], "which looks at the installed package every time"


def test_the_explorer_opens_its_page(installed, tmp_path):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ended_by(signal.SIGTERM, "explore", folder=tmp_path, port=port, python=installed / "python") as said:
        assert f"http://127.0.0.1:{port}" in said.readline()
