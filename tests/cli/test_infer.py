"""`nmr infer`, from a file to a page."""

import json

import numpy as np
import pytest
import yaml

from nmr_platform.cli.app import main
from tests.inference.matched.records import SEQUENCE
from tests.inference.matched.small import PRIOR, QUICK, measured


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an echo in volts, its experiment and a prior, and no params.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nmr_platform.inference.matched.way.TUNE", QUICK)
    record = measured(tmp_path / "echo.csv")
    np.savetxt("echo.csv", np.column_stack([record.time - 34.0, record.signal.real, record.signal.imag]), delimiter=",")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"sequence": SEQUENCE, "lattice": {"shape": [8, 8]}}))
    (tmp_path / "prior.yaml").write_text(yaml.safe_dump({"gaussian": PRIOR}))
    return tmp_path


def infer(*more):
    options = [
        "--experiment",
        "mine.yaml",
        "--prior",
        "prior.yaml",
        "--budget",
        "60",
        "--tracker",
        "none",
        "--unit",
        "us",
    ]
    with pytest.raises(SystemExit) as ended:
        main(["infer", "echo.csv", *options, *more])
    return ended.value.code


def test_a_file_becomes_an_answer_and_a_page(folder, capsys):
    assert infer("--start", "34", "--json") in (0, None)
    said = json.loads(capsys.readouterr().out)
    assert {"quantities", "kernel", "misfit", "report"} <= set(said)
    assert set(said["quantities"]["W"]) == {"value", "lower", "upper", "level", "unit", "informative"}
    assert said["kernel"] == {"gaussian": 1.0}
    page = folder / said["report"]
    assert f"record digest {said['digest']}" in page.with_suffix(".md").read_text()
    assert (page.parent / "record.png").stat().st_size > 0


def test_a_start_that_was_forgotten_is_a_warning_that_names_the_option(folder, capsys):
    # In the noise of so few spins something like an echo is found all the same.
    infer()
    assert "Warning: The echo is at" in (said := " ".join(capsys.readouterr().out.split()))
    assert "`--start`" in said


def test_a_wrong_start_is_refused_by_a_sentence_that_names_the_option(folder, capsys):
    assert infer("--start", "700") == 2
    assert "give `--start`" in " ".join(capsys.readouterr().err.split())


def test_a_magnitude_alone_is_answered_and_nothing_is_said_of_its_phase(folder):
    table = np.loadtxt("echo.csv", delimiter=",")
    np.savetxt("echo.csv", np.column_stack([table[:, 0], np.hypot(table[:, 1], table[:, 2])]), delimiter=",")
    assert infer("--start", "34", "--columns", "1,2") in (0, None)
    page = (folder / "inferred" / "echo.csv" / "report.md").read_text()
    assert "* line:" in page
    assert "* phase:" not in page
    assert "mislead" not in page
