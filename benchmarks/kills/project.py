"""Small projects to kill commands in: copies of this one at every state that a scenario starts from."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from benchmarks.kills.scenarios import DROPPED_STAGES, KERNEL, PARAMS, TASK, Scenario
from nmr_platform.files import folder_digest
from nmr_platform.schema import laid_over, read_yaml

__all__ = ["SYNC", "Projects", "environment", "remove_half_a_lock", "require"]

_ROOT = Path(__file__).parents[2]
_PARTS = (
    *("nmr_platform", "pipelines", "data", "results"),
    *("dvc.yaml", "params.yaml", ".dvc", ".dvcignore", ".gitignore", "pyproject.toml", "requirements.lock"),
)
_TOLD = ("MLFLOW_", "DVC_", "NMR_", "GIT_", "PYTHONPATH")
SYNC = ("nmr_platform", "track", "sync")
"""Shows everything in MLflow that is not shown yet, and makes its database."""

_GIT = ("-c", "user.name=kills", "-c", "user.email=kills@localhost")


def environment(folder: Path, **further: str) -> dict[str, str]:
    """Variables of a command in a project: none that lead out of it, and a place for temporary files in it."""
    scratch = folder.with_name(f"{folder.name}.tmp")
    scratch.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_TOLD)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "TMPDIR": str(scratch), "NO_COLOR": "1", **further}


def require(command: tuple[str, ...], folder: Path) -> str:
    """Run ``python -m`` with a command in a project, and return what it said.

    Raises:
        RuntimeError: It did not end well.
    """
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"`{' '.join(command)}` ended with {done.returncode}, and nobody had killed it: {done.stdout}"
        raise RuntimeError(message)
    return done.stdout


def remove_half_a_lock(folder: Path) -> bool:
    """What `make run` does before `dvc repro`: DVC writes its list of busy files in place, and reads no half of one.

    Args:
        folder: The project, in which no process of DVC is at work.

    Returns:
        Whether there was half a file.
    """
    path = folder / ".dvc" / "tmp" / "rwlock"
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        path.unlink()
        return True
    return False


class Projects:
    """The states that scenarios start from, each made once.

    Args:
        folder: Where they lie.

    Attributes:
        digest: Of the code and parameters that are tried.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[tuple[str, ...], ...], Path] = {}
        self._lock = Lock()
        checkout = folder / "checkout"
        _check_out(checkout)
        self.digest = folder_digest(checkout)
        _commit(checkout)
        # What is compiled already need not be compiled again: kernels and byte code are copied with the project.
        shutil.copytree(_ROOT / "nmr_platform", checkout / "nmr_platform", dirs_exist_ok=True)
        warm = folder / "warm"
        shutil.copytree(checkout, warm)
        require(("nmr_platform", "generate", "--kernel", KERNEL), warm)
        shutil.copytree(warm / "nmr_platform", checkout / "nmr_platform", dirs_exist_ok=True)
        self._made[()] = checkout

    def start(self, scenario: Scenario, *, fresh: bool) -> Path:
        """Folder of what a scenario starts from; not to be changed.

        Args:
            scenario: The scenario.
            fresh: Whether nothing has ever been recorded, as in a checkout whose data came by `dvc pull`.
        """
        place = self._folder / f"{scenario.name}-{'fresh' if fresh else 'used'}".replace(" ", "-")
        if place.exists():
            return place
        with self._lock:
            before = self._after(scenario.before)
        shutil.copytree(before, place, symlinks=True)
        if scenario.changes:
            _lay_over(place / "params.yaml", scenario.changes)
            _commit(place)
        if fresh and scenario.is_tracked:
            for record in (".nmr", "mlartifacts", *(path.name for path in place.glob("mlflow.db*"))):
                _remove(place / record)
        elif not fresh:
            require(SYNC, place)
        return place

    def copied(self, start: Path, name: str) -> Path:
        """A copy of a state to kill commands in."""
        return Path(shutil.copytree(start, self._folder / name, symlinks=True))

    def remove(self, folder: Path) -> None:
        """Remove a copy, with what lies beside it."""
        for place in (folder, *folder.parent.glob(f"{folder.name}.*")):
            _remove(place)

    def _after(self, commands: tuple[tuple[str, ...], ...]) -> Path:
        if commands not in self._made:
            earlier, place = self._after(commands[:-1]), self._folder / f"after-{len(commands)}-{commands[-1][1]}"
            shutil.copytree(earlier, place, symlinks=True)
            require(commands[-1], place)
            self._made[commands] = place
        return self._made[commands]


def _check_out(place: Path) -> None:
    """The project as git sees it, uncommitted changes included, with a pipeline of one kernel and one task."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *_PARTS]
    names = subprocess.run(listed, cwd=_ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, names):
        if (_ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, place / name)
    values = read_yaml(place / "params.yaml")
    values["data"]["kernels"] = {KERNEL: values["data"]["kernels"][KERNEL]}
    others = values["tasks"].keys() - {TASK}
    values["tasks"] = {TASK: values["tasks"][TASK]}
    _write_yaml(place / "params.yaml", values)
    _lay_over(place / "params.yaml", PARAMS)
    pipeline = read_yaml(place / "dvc.yaml")
    stages = {name: stage for name, stage in pipeline["stages"].items() if name not in DROPPED_STAGES}
    for stage in stages.values():
        if "matrix" in stage:
            stage["matrix"] = {"kernel": [KERNEL]}
        for part in ("deps", "outs", "metrics"):
            stage[part] = [entry for entry in stage.get(part, []) if not _is_of(others, entry)]
    _write_yaml(place / "dvc.yaml", {**pipeline, "stages": stages})


def _is_of(tasks: Collection[str], entry: str | Mapping[str, Any]) -> bool:
    """Whether a path of a stage holds results of one of some tasks."""
    path = Path(entry if isinstance(entry, str) else next(iter(entry)))
    return path.parts[0] in {"results", "metrics"} and path.stem in tasks


def _commit(place: Path) -> None:
    for command in (["init", "--quiet"], ["add", "--all"], [*_GIT, "commit", "--quiet", "--message", "kills"]):
        subprocess.run(["git", *command], cwd=place, env=environment(place), check=True)


def _lay_over(path: Path, changes: Mapping[str, Any]) -> None:
    _write_yaml(path, laid_over(read_yaml(path), changes))


def _write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(values), sort_keys=False), encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
