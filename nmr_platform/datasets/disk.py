"""What a full disk looks like to a person."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from nmr_platform.errors import DataError

__all__ = ["full_disk_explained"]

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "the file is too large"}


@contextmanager
def full_disk_explained(what: str) -> Iterator[None]:
    """Turn the error of a disk that takes no more into a sentence about ``what`` was to be written.

    Raises:
        DataError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        message = (
            f"There is no room to write {what} ({_FULL[error.errno]}); make some and run the same command again: "
            "finished shards are kept."
        )
        raise DataError(message) from error
