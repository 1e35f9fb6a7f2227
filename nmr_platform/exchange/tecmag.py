"""Measured records from Tecmag spectrometers (TNMR)."""

from pathlib import Path
from typing import Annotated

import numpy as np

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.record import INDEX, START, Record, pick

__all__ = ["FORMAT", "read_tecmag"]


def read_tecmag(
    path: str | Path, *, start: Annotated[float, START] = 0.0, index: Annotated[int | None, INDEX] = None
) -> Record:
    """Read a measured echo from a ``.tnt`` file.

    Args:
        path: The file.
        start: Time of the first point after the first pulse, us; the file does not say.
        index: Which record of a file of several, from 0, the second dimension running fastest.

    Returns:
        The record.

    Raises:
        DataError: The file is missing, damaged or something else, or ``index`` does not fit it.
    """
    import nmrglue  # noqa: PLC0415

    path = Path(path)
    try:
        header, mapped = nmrglue.tecmag.read(str(path))
        records = np.array(mapped).reshape(mapped.shape[0], -1, order="F").T.astype(np.complex128)
    # nmrglue checks the lengths of the sections by assertions.
    except (OSError, ValueError, KeyError, AssertionError) as error:
        message = f"File `{path}` is missing, damaged or not a Tecmag file: {error!s}".rstrip(": ")
        raise DataError(message, path=path) from error
    signal = pick(records, index, path)
    nucleus = bytes(header["nuclei"][0]).split(b"\0")[0].decode("ascii", "replace")
    return Record(signal, start, float(header["dwell"][0]) * 1e6, path, "tecmag", {"nucleus": nucleus})


FORMAT = Format("tecmag", "a measured echo, a `.tnt` file", read_tecmag, measured=True, suffixes=(".tnt",))
