"""The tags that say which code, data and surroundings a run came from."""

import getpass
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.changes import SOURCES
from nmr_platform.tracking.git import ask_git
from nmr_platform.tracking.protocol import DatasetEntry

__all__ = [
    "COMMIT",
    "UNKNOWN",
    "Session",
    "data_tags",
    "environment_tags",
    "git_tags",
    "pinned_requirements",
]

COMMIT = "mlflow.source.git.commit"
"""Tag of the git commit; ``unknown`` outside a repository."""

_DIRTY = "git.dirty"

UNKNOWN = {COMMIT: "unknown", _DIRTY: "unknown"}
"""The tags of something that came from nobody knows where."""

_VARIABLES = {
    "dvc.stage": "DVC_STAGE",
    "dvc.exp": "DVC_EXP_NAME",
    # The run that `mlflow run` opened around this process; ours live in experiments of their own.
    "mlproject.run_id": "MLFLOW_RUN_ID",
}


@dataclass(frozen=True)
class Session:
    """The call of a command that made something: it is kept beside what was made, which must not depend on it.

    Attributes:
        provenance: Tags of the code and surroundings.
        end: When it was done, seconds since the epoch.
        patch: Changes of code and settings that were not committed, see `uncommitted_changes`.
        requirements: Versions of the projects that a model was made with, ``scikit-learn==1.9.0``.
    """

    provenance: Mapping[str, str]
    end: float
    patch: str = ""
    requirements: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The session that `to_dict` gave."""
        return cls(**values)


def environment_tags(root: Path) -> dict[str, str]:
    """Return the tags for this process: git state, DVC stage, versions, program and user.

    Args:
        root: The repository whose commit is meant.
    """
    tags = {
        **git_tags(root),
        **{tag: os.environ[name] for tag, name in _VARIABLES.items() if os.environ.get(name)},
        "python.version": platform.python_version(),
        "nmr_platform.version": version("nmr-platform") if _is_installed("nmr-platform") else "unknown",
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
    commit = ask_git(root, "rev-parse", "--verify", "HEAD")
    changes = ask_git(root, "status", "--porcelain", "--untracked-files=normal", "--", *SOURCES)
    return {
        COMMIT: (commit or b"").decode().strip() or "unknown",
        _DIRTY: "unknown" if changes is None else str(bool(changes)).lower(),
    }


def pinned_requirements(projects: Iterable[str]) -> list[str]:
    """The projects with the versions installed here, ``scikit-learn==1.9.0``, those that have one left as they are.

    Raises:
        TrackingError: One is not installed, which is that of an extra.
    """
    # XGBoost comes as one of two projects with the same import name.
    names = ("xgboost-cpu" if name == "xgboost" and _is_installed("xgboost-cpu") else name for name in projects)
    return sorted(name if "==" in name else f"{name}=={_version(name)}" for name in set(names))


def data_tags(datasets: Iterable[DatasetEntry]) -> dict[str, str]:
    """Return ``data.<name>`` with the full digest of each data set."""
    return {f"data.{dataset.name}": dataset.digest for dataset in datasets}


def _version(project: str) -> str:
    try:
        return version(project)
    except PackageNotFoundError as error:
        message = (
            f"Nobody kept with which version of `{project}` a model was made, and it is not installed here: "
            f"`pip install 'nmr-platform[{project}]'` installs it."
        )
        raise TrackingError(message) from error


def _is_installed(project: str) -> bool:
    try:
        version(project)
    except PackageNotFoundError:
        return False
    return True
