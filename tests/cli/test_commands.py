"""What every command has in common: help, JSON for programs, exit codes."""

import json
import os
import runpy
import subprocess
import sys
from importlib.metadata import version

import pytest

import nmr_platform
from nmr_platform.cli.app import app
from tests.stages.tiny import ROOT, isolate, nmr, nmr_alone

COMMANDS = [
    "init",
    "simulate",
    "generate",
    "export",
    "import",
    "features",
    "evaluate",
    "ceiling",
    "compare-disorder",
    "optimise-pulses",
    "export-sequence",
    "predict",
    "explore",
    "infer",
    "next",
    "tune",
    "studies",
    "report",
    "leaderboard",
    "ui",
    "code",
]


def test_the_commands_are_those_of_the_pipeline():
    assert [command.name for command in app.registered_commands] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    ended = nmr_alone(command, "--help")
    assert ended.code == 0
    assert f"nmr {command}" in " ".join(ended.out.split())


def test_without_arguments_the_commands_are_listed():
    ended = nmr_alone()
    text = ended.out + ended.err
    assert all(command in text for command in COMMANDS)


def test_a_finished_data_set_is_not_simulated_again(spoilable):
    assert json.loads(nmr(spoilable, "generate", "--kernel", "power", "--json").out.splitlines()[-1])["simulated"] == 0


def test_the_report_can_be_found_without_writing_it(spoilable):
    page = spoilable / "reports" / "index.html"
    before = page.stat().st_mtime_ns
    assert str(page) in nmr(spoilable, "report", "--where").out
    assert page.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("simulate", "generate"),
        ("features", "features"),
        ("tune", "tune"),
        ("evaluate", "evaluate"),
        ("optimise_pulses", "optimise-pulses"),
        ("report", "report"),
    ],
)
def test_each_script_of_the_pipeline_is_one_command(monkeypatch, capsys, script, command):
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"pipelines.{script}", run_name="__main__")
    assert ended.value.code == 0
    assert f"nmr {command}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [["--help"], ["studies"]], ids=" ".join)
def test_help_and_the_list_of_studies_do_not_wait_for_mlflow_or_scikit_learn(arguments, tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path)
    code = (
        f"import sys\nfrom nmr_platform.cli.app import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print(sorted({'mlflow', 'sklearn', 'matplotlib', 'pandas', 'numba'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_asked_for_in_either_way(flag):
    assert "Simulate nuclear spin echoes" in nmr_alone(flag).out
    assert "nmr predict" in nmr_alone("predict", flag).out


def test_the_version_is_that_of_the_package():
    assert nmr_alone("--version").out == f"nmr_platform {version('nmr-platform')}\n"
    assert nmr_platform.__version__ == version("nmr-platform")


def test_the_package_shows_its_public_names_and_no_others():
    assert dir(nmr_platform) == sorted(nmr_platform.__all__)
