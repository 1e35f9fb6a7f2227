"""Small git repositories."""

import subprocess
from pathlib import Path

__all__ = ["git"]


def git(root: Path, *arguments: str) -> str:
    """What git answers in ``root``, as a person with a name."""
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
