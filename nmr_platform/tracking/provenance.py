"""The tags that say which code, data and surroundings a run came from."""

import getpass
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nmr_platform.tracking.protocol import DatasetEntry

__all__ = ["data_tags", "environment_tags", "git_tags", "uncommitted_changes"]

# What can change a result. Tracked outputs and `dvc.lock` do change half-way through `dvc repro`, and say nothing.
_SOURCES = ["*.py", "*.toml", "*.yaml", "*.yml", "requirements.lock"]
_VARIABLES = {
    "dvc.stage": "DVC_STAGE",
    "dvc.exp": "DVC_EXP_NAME",
    # The run that `mlflow run` opened around this process; ours live in experiments of their own.
    "mlproject.run_id": "MLFLOW_RUN_ID",
}


def environment_tags(root: Path) -> dict[str, str]:
    """Return the tags for this process: git state, DVC stage, versions, program and user.

    Args:
        root: The repository whose commit is meant.
    """
    tags = {
        **git_tags(root),
        **{tag: os.environ[name] for tag, name in _VARIABLES.items() if os.environ.get(name)},
        "python.version": platform.python_version(),
        "nmr_platform.version": _package_version(),
        "mlflow.source.name": Path(sys.argv[0]).name or "python",
        "mlflow.source.type": "LOCAL",
    }
    with suppress(OSError, KeyError, ImportError):  # a container may have no name for its user
        tags["mlflow.user"] = getpass.getuser()
    return tags


def git_tags(root: Path) -> dict[str, str]:
    """Return commit and dirty flag of ``root``; both are ``unknown`` outside a repository.

    Dirty means that code or settings differ from the commit, new files included.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *_SOURCES)
    return {
        "mlflow.source.git.commit": commit or "unknown",
        "git.dirty": "unknown" if changes is None else str(bool(changes)).lower(),
    }


def uncommitted_changes(root: Path) -> str:
    """Changes of code and settings since the commit as a patch; empty if there are none."""
    patch = _git(root, "diff", "HEAD", "--", *_SOURCES)
    return f"{patch}\n" if patch else ""


def data_tags(datasets: Iterable[DatasetEntry]) -> dict[str, str]:
    """Return ``data.<name>`` with the full digest of each data set."""
    return {f"data.{dataset.name}": dataset.digest for dataset in datasets}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _package_version() -> str:
    try:
        return version("nmr-platform")
    except PackageNotFoundError:
        return "unknown"
