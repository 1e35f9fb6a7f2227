"""Lay the files of a project down in a folder, all of them or none."""

from dataclasses import dataclass
from pathlib import Path

import nmr_platform
from nmr_platform.errors import DataError
from nmr_platform.files import write_text
from nmr_platform.project.code import depending_on_files_of_code, write_code
from nmr_platform.project.shipped import shipped

__all__ = ["Laid", "lay_down"]

_WITHOUT_GIT = "[core]\n    no_scm = true\n"


@dataclass(frozen=True)
class Laid:
    """A project that was laid down.

    Attributes:
        folder: Where.
        files: Its files, relative to it.
        has_git: Whether git keeps the folder, without which no result can be traced to a commit.
    """

    folder: Path
    files: tuple[str, ...]
    has_git: bool


def lay_down(folder: Path, params: str | None = None) -> Laid:
    """Write what a run of the pipeline needs.

    Args:
        folder: Where to; it is made if need be.
        params: Text of ``params.yaml``; that of the repository by default.

    Returns:
        What was written.

    Raises:
        DataError: A file of the folder would be replaced by another, or the disk refuses.
    """
    texts = {name: path.read_text(encoding="utf-8") for name, path in shipped().items()}
    texts["dvc.yaml"] = depending_on_files_of_code(texts["dvc.yaml"])
    texts["python_env.yaml"] = texts["python_env.yaml"].replace(
        "-r requirements.lock", f"nmr-platform=={nmr_platform.__version__}"
    )
    texts |= {"params.yaml": params} if params else {}
    has_git = any((place / ".git").exists() for place in (folder.absolute(), *folder.absolute().parents))
    texts |= {} if has_git else {".dvc/config.local": _WITHOUT_GIT}
    taken = [name for name, text in texts.items() if _is_other(folder / name, text)]
    if taken:
        message = (
            f"Folder `{folder}` already holds {', '.join(taken)}, which would be replaced: name an empty folder, "
            "or move them away."
        )
        raise DataError(message, path=folder)
    for name, text in texts.items():
        write_text(folder / name, text)
    code = [path.relative_to(folder).as_posix() for path in write_code(folder)]
    return Laid(folder, (*texts, *code), has_git)


def _is_other(path: Path, text: str) -> bool:
    """Whether something else is there: what a killed command has written is not."""
    return (path.exists() or path.is_symlink()) and not (path.is_file() and path.read_bytes() == text.encode())
