"""Make a registered model again from nothing but its commit, and compare."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nmr_platform.errors import DataError, NmrPlatformError
from nmr_platform.stages.features import read_features
from nmr_platform.stages.standing import read_scores
from nmr_platform.stages.tune import repeating
from nmr_platform.tracking import PATCH, git_environment, resolve_store
from nmr_platform.workspace import Workspace

__all__ = ["Reproduction", "ReproductionError", "check_out", "reproduce_version"]

# Metrics are written with six digits.
_TOLERANCE = 1e-5
# What the patch of a file begins with; some hold nothing but the names of those that were left out.
_FIRST = b"diff --git "


class ReproductionError(NmrPlatformError):
    """A registered model could not be made again, or came out otherwise."""


@dataclass(frozen=True)
class Reproduction:
    """A model that was made again.

    Attributes:
        version: Number of the version.
        folder: Where its commit was checked out and run.
        metric: What the score is.
        score: Held-out score of the model made again.
        registered: Held-out score of the registered one.
    """

    version: str
    folder: Path
    metric: str
    score: float
    registered: float


def reproduce_version(workspace: Workspace, name: str, version: str, into: Path | None = None) -> Reproduction:
    """Check out the commit of a version beside the repository, run the pipeline up to its evaluation, and compare.

    Changes that were not committed when the model was made were kept with the version, and are applied. Nothing of this
    repository's outputs, studies or runs is used.

    Args:
        workspace: The project.
        name: Registered model.
        version: Number or alias.
        into: New folder; ``.nmr/reproduced/<name>-<version>`` by default.

    Raises:
        DataError: The folder exists.
        ReproductionError: The commit is unknown, a stage fails, or score or data differ.
        TrackingError: There is no such version.
    """
    from nmr_platform.tracking.mlflow import ModelStore, find_version, open_client, origin_of  # noqa: PLC0415

    client = open_client(resolve_store(root=workspace.root), reading=True)
    origin = origin_of(find_version(client, name, version))
    folder = (into or workspace.root / ".nmr" / "reproduced" / f"{name}-{origin.version}").absolute()
    if folder.exists():
        message = f"Folder `{folder}` must not exist yet; remove it, or choose another with --into."
        raise DataError(message, path=folder)
    if origin.commit == "unknown":
        message = (
            f"Version {origin.version} of `{name}` was made outside a git repository, so that its code is unknown."
        )
        raise ReproductionError(message)
    _run(workspace.root, "git", "worktree", "add", "--no-checkout", "--detach", str(folder), origin.commit)
    try:
        with ModelStore(root=workspace.root).files(f"{name}/{origin.version}") as files:
            check_out(folder, files / PATCH)
        _run(folder, sys.executable, "-m", *repeating("evaluate", origin.task).split())
    except BaseException:
        _run(workspace.root, "git", "worktree", "remove", "--force", str(folder))
        shutil.rmtree(folder, ignore_errors=True)
        raise
    metric = origin.metric.removeprefix("test_")
    made = Workspace(folder)
    found = read_scores(made, origin.task)
    score = float(found["models"][found["champion"]]["scores"][metric]["value"])
    digests = {record.name: record.digest for record in read_features(made).datasets}
    changed = sorted(key for key, digest in origin.data.items() if digests.get(key) != digest)
    if changed:
        message = f"{name} version {origin.version} was made from other data: {', '.join(changed)} differ in {folder}."
        raise ReproductionError(message)
    if abs(score - origin.score) > _TOLERANCE * max(1.0, abs(origin.score)):
        message = (
            f"{name} version {origin.version} came out with {metric} {score:.6g} instead of {origin.score:.6g}; "
            f"compare {folder} with the run {origin.run_id}."
        )
        raise ReproductionError(message)
    return Reproduction(origin.version, folder, metric, score, origin.score)


def check_out(folder: Path, patch: Path) -> None:
    """Fill a worktree with its commit and the patch on top, if there is one.

    The patch is applied to what git keeps, from which it was made: line endings, encodings and filters of the files
    that are checked out depend on who does it.

    Args:
        folder: The worktree, nothing in it yet.
        patch: What `uncommitted_changes` made; it need not exist.

    Raises:
        ReproductionError: The patch does not belong to the commit.
    """
    _run(folder, "git", "read-tree", "HEAD")
    if patch.exists() and _FIRST in patch.read_bytes():
        _run(folder, "git", "apply", "--cached", "--whitespace=nowarn", str(patch.absolute()))
    _run(folder, "git", "checkout-index", "--all", "--force", "--quiet")


def _run(folder: Path, *command: str) -> None:
    # The reproduction keeps its own runs and studies, whatever this session records to.
    own = {"MLFLOW_TRACKING_URI", "NMR_STUDY_STORAGE", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "MLFLOW_RUN_ID"}
    environment = {name: value for name, value in git_environment().items() if name not in own}
    environment["PYTHONPATH"] = str(folder)
    # DVC's stages call `python`, which must be this one.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        message = f"`{' '.join(command)}` ended with exit code {done.returncode} in {folder}:\n" + "\n".join(said)
        raise ReproductionError(message)
