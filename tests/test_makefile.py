"""What `make setup` and `make run` do where the project lies, with programs in place of uv and DVC."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = """#!/bin/sh
echo "$@" >> uv.log
if [ "$1" = venv ]; then
    test ! -d .venv || test -f .venv/pyvenv.cfg || exit 2  # as uv: it clears environments only
    rm -rf .venv
    mkdir -p .venv/bin
    touch .venv/pyvenv.cfg
    ln -sf "$(command -v python3)" .venv/bin/python
    cp .tools/bin/dvc .venv/bin/dvc
fi
"""
DVC = """#!/bin/sh
echo "$@" >> dvc.log
case "$*" in
    *"--local core.no_scm true") echo true > "$2.no_scm";;
    *"config core.no_scm") cat "$2.no_scm";;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "a place"
    tools = folder / ".tools" / "bin"
    tools.mkdir(parents=True)
    (folder / "studies" / "larger").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "requirements-extras.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name, script in (("uv", UV), ("dvc", DVC)):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    return folder


def make(folder: Path, target: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**inherited, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["make", "--silent", "-C", str(folder), target]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def environments_made(folder: Path) -> int:
    log = folder / "uv.log"
    return sum(line.startswith("venv") for line in log.read_text().splitlines()) if log.exists() else 0


def test_an_environment_is_made_once(place):
    for _ in range(2):
        assert make(place, "setup").returncode == 0
    assert environments_made(place) == 1


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_the_environment_of_a_project_that_lies_elsewhere_is_made_again(place, move):
    make(place, "setup")
    elsewhere = place.with_name("elsewhere")
    move(place, elsewhere)
    for _ in range(2):
        assert make(elsewhere, "setup").returncode == 0
    assert environments_made(elsewhere) == 2


def test_an_environment_whose_interpreter_is_gone_is_made_again(place):
    make(place, "setup")
    python = place / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert make(place, "setup").returncode == 0
    assert environments_made(place) == 2


def test_new_requirements_change_the_environment_that_there_is(place):
    make(place, "setup")
    os.utime(place / "requirements.lock", (2e9, 2e9))
    assert make(place, "setup").returncode == 0
    assert environments_made(place) == 1
    assert (place / "uv.log").read_text().count("pip sync") == 2


def test_the_default_environment_has_no_extras(place):
    make(place, "setup")
    assert "extras" not in (place / "uv.log").read_text()


def test_extras_are_installed_once_and_stay_when_the_environment_changes_or_is_made_again(place):
    for _ in range(2):
        assert make(place, "extras").returncode == 0
    os.utime(place / ".venv" / ".complete", (1e9, 1e9))
    make(place, "setup")
    elsewhere = place.with_name("elsewhere")
    shutil.move(place, elsewhere)
    for _ in range(2):
        make(elsewhere, "setup")
    synced = [line for line in (elsewhere / "uv.log").read_text().splitlines() if line.startswith("pip sync")]
    assert ["requirements-extras.lock" in line for line in synced] == [False, True, True, True]
    assert environments_made(elsewhere) == 2


def test_an_unpacked_archive_runs_without_git_and_says_so_once(place):
    said = [make(place, "scm").stdout for _ in range(2)]
    assert said[0].count("DVC runs without one in") == 2
    assert said[1] == ""
    assert (place / "dvc.log").read_text().count("--local core.no_scm true") == 2


def test_in_a_git_repository_dvc_is_told_nothing(place):
    subprocess.run(["git", "-C", str(place), "init", "-q"], check=True)
    assert make(place, "scm").stdout == ""
    assert not (place / "dvc.log").exists()


@pytest.mark.parametrize(("held", "stays"), [('{"read": {}, "write": {}}', True), ('{"read": {', False), ("", False)])
def test_half_a_lock_that_a_kill_of_dvc_left_does_not_end_the_next_run(place, held, stays):
    lock = place / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(parents=True)
    lock.write_text(held)
    assert make(place, "scm").returncode == 0
    assert lock.exists() == stays
