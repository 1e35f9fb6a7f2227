"""The digest by which DVC knows a data set."""

from pathlib import Path

from nmr_platform.errors import DataError

__all__ = ["dvc_digest"]


def dvc_digest(path: Path) -> str:
    """Hash a data set as DVC does, so that what a run says can be found in ``dvc.lock`` and in a remote.

    It is computed from the files, and not read from ``dvc.lock``, which may be about other files.

    Args:
        path: The data set's folder.

    Returns:
        MD5 over the list of its files and their MD5s, ending in ``.dir``: 36 characters.

    Raises:
        DataError: There is no such folder.
    """
    # DVC's libraries take most of a second to import.
    from dvc_data.hashfile.build import build  # noqa: PLC0415
    from dvc_data.hashfile.db import HashFileDB  # noqa: PLC0415
    from dvc_objects.fs.local import LocalFileSystem  # noqa: PLC0415
    from dvc_objects.fs.memory import MemoryFileSystem  # noqa: PLC0415

    if not path.is_dir():
        message = f"Data set `{path}` does not exist."
        raise DataError(message, path=path)
    nowhere = HashFileDB(MemoryFileSystem(), "/")
    _, _, tree = build(nowhere, str(path), LocalFileSystem(), "md5", dry_run=True)
    return str(tree.hash_info.value)
