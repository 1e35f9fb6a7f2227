"""Ask git the same, whatever the user has configured and whoever called us."""

import os
import subprocess
from pathlib import Path

__all__ = ["ask_git", "git_environment"]

# A hook of git sets the first of these for another repository; the rest change what a difference looks like.
_SURROUNDINGS = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)


def git_environment() -> dict[str, str]:
    """The environment of this process without what would lead git to another repository or another output."""
    return {name: value for name, value in os.environ.items() if name not in _SURROUNDINGS}


def ask_git(root: Path, *arguments: str) -> bytes | None:
    """What git answers in ``root``; None if it refuses, or is not installed.

    Args:
        root: A folder.
        arguments: What follows ``git``.
    """
    # A question takes no locks: the user may be committing.
    environment = {**git_environment(), "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
