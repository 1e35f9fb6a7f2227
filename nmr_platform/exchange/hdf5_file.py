"""HDF5 files from elsewhere: only what lies in them is read, and nothing that asks for more than they have."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import h5py

from nmr_platform.errors import DataError, NmrPlatformError
from nmr_platform.exchange.tables import check_file

__all__ = ["ANY_SIZE", "DAMAGES", "damaged", "elsewhere", "most_held", "opened_hdf5", "own_item", "try_to_read"]

ANY_SIZE = 2**63
"""Bytes that a file may have which is not read whole."""

# A shape that is damaged or made up would ask for any memory: no record is compressed to less than this.
_FEW_BYTES, _MOST_SHRUNK = 2**27, 100
# For reading a file that may be damaged: seconds of processor time, and bytes of memory beside the values.
_SECONDS, _BYTES_PER_SECOND, _BYTES = 20, 2**20, 2**31

DAMAGES = (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError, OverflowError)
"""What the libraries raise on damaged files."""


@contextmanager
def opened_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file of another program, after another process could read it.

    Args:
        path: The file.

    Raises:
        DataError: It is missing, damaged or no HDF5, then or while it is open.
    """
    size = check_file(path, most=ANY_SIZE)
    try_to_read(path, size)
    try:
        with h5py.File(path) as file:
            yield file
    except NmrPlatformError:
        raise
    except DAMAGES as error:
        raise damaged(path, error) from error


def own_item(group: h5py.Group, name: str, path: Path) -> h5py.Group | h5py.Dataset:
    """A member of a group that lies in the file itself.

    Args:
        group: The group.
        name: Its member.
        path: The file.

    Raises:
        DataError: It is a link, or its values are elsewhere.
    """
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise elsewhere(path, f"`{name}` is a link")
    item = group[name]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise elsewhere(path, f"`{name}` is kept in another file")
    return item


def try_to_read(path: Path, size: int) -> None:
    """Have another process read it first, which the system ends if the file asks for more than it is worth.

    Args:
        path: The file.
        size: Its size, bytes.

    Raises:
        DataError: It cannot be read.
    """
    _try_once(path.absolute(), size, path.stat().st_mtime_ns)


# Records of one file are read one by one.
@lru_cache(maxsize=4)
def _try_once(path: Path, size: int, _changed: int) -> None:
    seconds, held = _SECONDS + size // _BYTES_PER_SECOND, most_held(size)
    trial = Path(__file__).with_name("hdf5_trial.py")
    bounds = map(str, (seconds, _BYTES + held, held))
    command = [sys.executable, "-I", str(trial), str(path), *bounds]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        reason = said[-1] if said else f"it cannot be read in {seconds} s and {_BYTES + held:.2g} bytes of memory"
        raise damaged(path, reason)


def most_held(size: int) -> int:
    """Bytes that a file of ``size`` bytes may hold in memory."""
    return _FEW_BYTES + _MOST_SHRUNK * size


def damaged(path: Path, error: object) -> DataError:
    """That a file cannot be read, and why.

    Args:
        path: The file.
        error: What a library said.
    """
    return DataError(f"File `{path}` is damaged or not HDF5: {' '.join(str(error).split())}", path=path)


def elsewhere(path: Path, what: str) -> DataError:
    """That a member of a file is no array or group that lies in it.

    Args:
        path: The file.
        what: What is the matter with which member.
    """
    return DataError(f"File `{path}`: {what}, but only arrays of the file itself are read.", path=path)
