"""Folders compared byte by byte."""

import hashlib
from pathlib import Path

__all__ = ["digest_of_tree"]


def digest_of_tree(folder: Path) -> str:
    """One hash over the names and bytes of all files in ``folder``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    content = [f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()
