"""A project that `nmr init` lays down: its files, on what its stages depend, and what is read off a measured echo."""

import json
import re
from hashlib import sha256

import numpy as np
import pytest
import yaml

import nmr_platform
from nmr_platform.config import read_params
from nmr_platform.project import write_code
from nmr_platform.project.shipped import shipped
from nmr_platform.schema import read_yaml
from tests.inference.matched.records import TAU, echo_record
from tests.stages.tiny import ROOT, contents_of, nmr_alone


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laid") / "mine"
    ended = nmr_alone("init", str(folder), "--json")
    assert ended.code == 0, ended.err
    return folder, json.loads(ended.out)


@pytest.fixture
def echo(tmp_path):
    """The second half of a Hahn echo as an instrument writes it, with noise of 0.002 of its height."""
    record = echo_record()
    path = tmp_path / "echo.csv"
    table = np.column_stack([record.time, record.signal.real, record.signal.imag])
    np.savetxt(path, table, delimiter=",", header="time_us,real,imaginary", comments="")
    return path


def test_a_project_has_the_files_of_the_repository_and_is_told_that_git_is_missing(laid):
    folder, said = laid
    assert sorted(said["files"]) == sorted(contents_of(folder))
    assert not said["git"]
    assert (folder / ".dvc" / "config.local").read_text() == "[core]\n    no_scm = true\n"
    for name in ("params.yaml", "MLproject", ".dvcignore", ".dvc/config", "pipelines/tune.py"):
        assert (folder / name).read_bytes() == (ROOT / name).read_bytes()
    assert f"nmr-platform=={nmr_platform.__version__}" in read_yaml(folder / "python_env.yaml")["dependencies"]


def test_what_is_packed_is_all_of_the_repository_that_a_run_needs():
    packed = set(shipped())
    assert {f"pipelines/{path.name}" for path in (ROOT / "pipelines").glob("*.py")} <= packed
    assert not [name for name in packed if "__pycache__" in name]


def test_a_folder_in_a_git_repository_leaves_dvc_as_it_is(tmp_path):
    (tmp_path / ".git").mkdir()
    assert json.loads(nmr_alone("init", str(tmp_path / "mine"), "--json").out)["git"]
    assert not (tmp_path / "mine" / ".dvc" / "config.local").exists()


def test_stages_are_those_of_the_repository_but_for_their_code(laid):
    folder, _ = laid
    ours, theirs = (read_yaml(place / "dvc.yaml") for place in (ROOT, folder))
    first, stage = next(iter(theirs["stages"].items()))
    assert (first, stage["always_changed"]) == ("code", True)
    del theirs["stages"]["code"]
    for name, stage in theirs["stages"].items():
        script = re.match(r"python -m pipelines\.(\w+)", stage["cmd"])[1]
        assert [path for path in stage["deps"] if path.startswith("code/")] == [f"code/{script}.txt"]
        assert not [path for path in stage["deps"] if path.startswith("nmr_platform")]
        kept = [path for path in ours["stages"][name]["deps"] if not path.startswith("nmr_platform/")]
        assert [path for path in stage["deps"] if not path.startswith("code/")] == kept
        assert {**stage, "deps": []} == {**ours["stages"][name], "deps": []}
    assert theirs["plots"] == ours["plots"]


def test_the_checksums_are_those_of_every_file_that_a_stage_imports(laid):
    folder, _ = laid
    for stage in read_yaml(ROOT / "dvc.yaml")["stages"].values():
        script = re.match(r"python -m pipelines\.(\w+)", stage["cmd"])[1]
        lines = (folder / "code" / f"{script}.txt").read_text().splitlines()
        listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
        for name, digest in listed.items():
            assert sha256((ROOT / name).read_bytes()).hexdigest() == digest
        for place in (path for path in stage["deps"] if path.startswith("nmr_platform/")):
            assert place in listed or any(name.startswith(f"{place}/") for name in listed)
    assert "nmr_platform/datasets/presets/august2021.yaml" in (folder / "code" / "simulate.txt").read_text()


def test_a_stage_whose_code_changes_is_told_apart_from_the_others(laid, tmp_path, monkeypatch):
    package = tmp_path / "nmr_platform"
    for path in (ROOT / "nmr_platform").rglob("*.*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = package / path.relative_to(ROOT / "nmr_platform")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    with (package / "learning" / "splitting.py").open("a") as file:
        file.write("# another version\n")
    monkeypatch.setattr("nmr_platform.project.code._PACKAGE", package)
    folder, _ = laid
    changed = {
        path.stem for path in write_code(tmp_path) if path.read_bytes() != (folder / "code" / path.name).read_bytes()
    }
    assert {"tune", "evaluate"} <= changed
    assert not {"simulate", "features"} & changed


def test_what_would_be_replaced_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "params.yaml").write_text("mine: 1\n")
    ended = nmr_alone("init", str(tmp_path))
    assert ended.code == 2
    assert "already holds params.yaml, which would be replaced" in " ".join(ended.err.split())
    assert list(contents_of(tmp_path)) == ["params.yaml"]


def test_laying_down_the_same_again_ends_well(laid):
    folder, _ = laid
    before = contents_of(folder)
    assert nmr_alone("init", str(folder)).code == 0
    assert contents_of(folder) == before


def test_the_experiment_of_a_measured_echo_is_written(echo, tmp_path):
    ended = nmr_alone("init", str(tmp_path / "mine"), "--from-echo", str(echo), "--json")
    assert ended.code == 0, ended.err
    params = read_params(tmp_path / "mine" / "params.yaml")
    [recipe, *_] = [params.data.recipe(kernel) for kernel in params.data.kernels]
    experiment = recipe.example
    assert experiment.sequence.tau == pytest.approx(TAU, rel=0.02), "guessed from the echo"
    assert experiment.line.fwhm == pytest.approx(0.08, rel=0.02)
    assert experiment.receiver.noise == pytest.approx(0.5 * 0.002, rel=0.2), "of an echo 1/2 high"
    assert experiment.receiver.every * experiment.step == pytest.approx(0.5)
    assert experiment.receiver.dead_time == pytest.approx(4.0, abs=1.0)
    assert params.pulse_search.space.sequences[0].vary["tau"].high == experiment.sequence.tau


def test_every_number_read_off_an_echo_says_where_it_comes_from(echo, tmp_path):
    (tmp_path / "mine.yaml").write_text("sequence: {kind: hahn, tau: 30.0, theta2: 0.0}")
    arguments = ("--from-echo", str(echo), "--experiment", str(tmp_path / "mine.yaml"))
    ended = nmr_alone("init", str(tmp_path / "mine"), *arguments)
    assert ended.code == 0
    assert re.search(r"line: .*wider line", ended.out)
    text = (tmp_path / "mine" / "params.yaml").read_text()
    assert yaml.safe_load(text)["data"]["experiment"]["sequence"]["theta2"] == 0.0
    for line in text.splitlines():
        if re.search(r": [-+]?\d[\d.e-]*(\s|$)", line):
            assert re.search(r"#\s*\w", line), line
    assert len(re.findall(r"#.*\b(in|:) echo\.csv$", text, re.MULTILINE)) == 4
    assert re.search(r"fwhm: .*couplings along x and y make an echo look as one of a wider line", text)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--unit", "us"], "Option `--unit` says how an echo is read: give that by `--from-echo`"),
        (["--experiment", "mine.yaml"], "Option `--experiment` says how an echo is read"),
        (["--from-echo", "ECHO", "--since", "echo"], "Option `--since` needs `--experiment`"),
    ],
)
def test_what_makes_no_project_is_refused_before_anything_is_written(echo, tmp_path, arguments, sentence):
    given = [str(echo) if each == "ECHO" else each for each in arguments]
    ended = nmr_alone("init", str(tmp_path / "mine"), *given)
    assert ended.code == 2
    assert re.search(sentence, " ".join(ended.err.split()))
    assert not (tmp_path / "mine").exists()
