"""Records of candidates on disk, by identity: asking again costs nothing."""

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.files import staged_file
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["RecordCache"]


class RecordCache:
    """Arrays by what they were made from; the oldest go when the folder grows too large.

    Several processes may share the folder: a file appears whole, by one rename, and a lost one is made again.

    Args:
        folder: Where to keep them; nothing is kept without one.
        megabytes: Size that the folder may have.
    """

    def __init__(self, folder: Path | None, megabytes: float = 500.0) -> None:
        self._folder = folder
        self._limit = megabytes * 1e6

    def get(self, identity: Mapping[str, Any], make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of ``identity`` (plain data), made now if it is not there."""
        if self._folder is None:
            return make()
        text = json.dumps([ENGINE_VERSION, identity], sort_keys=True)
        path = self._folder / f"{blake2b(text.encode(), digest_size=12).hexdigest()}.npy"
        try:
            return np.asarray(np.load(path))
        except (OSError, ValueError, EOFError):
            made = make()
        self._keep(path, made)
        return made

    def _keep(self, path: Path, made: NDArray[Any]) -> None:
        self._make_room(path.parent, made.nbytes)
        with staged_file(path) as staging, staging.open("wb") as file:
            np.save(file, made)

    def _make_room(self, folder: Path, wanted: int) -> None:
        files = []
        for path in folder.glob("*.npy"):
            try:
                files.append((path.stat().st_mtime_ns, path.stat().st_size, path))
            except FileNotFoundError:
                continue  # another process made room
        total = sum(size for _, size, _ in files) + wanted
        for _, size, path in sorted(files):
            if total <= self._limit:
                break
            path.unlink(missing_ok=True)
            total -= size
