"""Which format a file or folder has."""

from pathlib import Path
from typing import Literal

from nmr_platform.errors import DataError
from nmr_platform.exchange.csv_folder import ATTRIBUTES
from nmr_platform.exchange.text_format import NAMES

__all__ = ["ImportFormat", "guess_format"]

ImportFormat = Literal["text", "csv", "hdf5", "record", "bruker", "tecmag"]

_SUFFIXES: dict[str, ImportFormat] = {
    **dict.fromkeys((".h5", ".hdf5", ".nc"), "hdf5"),
    **dict.fromkeys((".csv", ".txt", ".dat", ".tsv"), "record"),
    ".tnt": "tecmag",
}


def guess_format(source: str | Path) -> ImportFormat:
    """Tell the format by the names in a folder or by a file's suffix.

    Args:
        source: What to import.

    Returns:
        ``text``, ``csv`` or ``hdf5`` for data sets; ``record``, ``bruker`` or ``tecmag`` for measured echoes.

    Raises:
        DataError: There is nothing, or nothing known.
    """
    source = Path(source)
    if not source.exists():
        message = f"`{source}` does not exist."
        raise DataError(message, path=source)
    if source.is_dir():
        if (source / "acqus").exists():
            return "bruker"
        if (source / ATTRIBUTES).exists():
            return "csv"
        if any(True for pattern in NAMES["real"] for _ in source.glob(pattern)):
            return "text"
    elif source.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[source.suffix.lower()]
    message = f"`{source}` is none of the known formats by its name; say which one it is."
    raise DataError(message, path=source)
