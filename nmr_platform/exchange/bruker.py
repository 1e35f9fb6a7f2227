"""Measured records from Bruker spectrometers."""

import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.errors import DataError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.record import INDEX, START, Record, pick

__all__ = ["FORMAT", "read_bruker"]


def read_bruker(
    folder: str | Path, *, start: Annotated[float, START] = 0.0, index: Annotated[int | None, INDEX] = None
) -> Record:
    """Read a measured echo from a Bruker folder (``fid`` or ``ser``, and ``acqus``).

    nmrglue takes the whole points of the digital filter's group delay out (GRPDLY, or by DECIM and DSPFVS), which
    costs about as many at the end of the record; the fraction of a point that is left is taken from the times.

    Args:
        folder: The experiment's folder.
        start: Time of the first point after the first pulse, us; the files do not say.
        index: Which record of a ``ser`` file, from 0.

    Returns:
        The record.

    Raises:
        DataError: The folder is not what it should be, or ``index`` does not fit it.
    """
    import nmrglue  # noqa: PLC0415

    folder = Path(folder)
    if not (folder / "acqus").is_file() or not any((folder / name).is_file() for name in ("fid", "ser")):
        message = f"Folder `{folder}` is not a Bruker experiment: it needs `acqus`, and `fid` or `ser`."
        raise DataError(message, path=folder)
    try:
        with warnings.catch_warnings():
            # A `fid` is not padded to whole blocks, which is what nmrglue tries first; its length is checked below.
            warnings.filterwarnings("ignore", r".* cannot be shaped into .*", UserWarning)
            header, data = nmrglue.bruker.read(str(folder), read_pulseprogram=False, read_procs=False)
        acquired = header["acqus"]
        n_points, width = int(acquired["TD"]) // 2, float(acquired["SW_h"])
        signal = _without_padding(pick(np.atleast_2d(data), index, folder), n_points, folder)
        delay = _group_delay(nmrglue, acquired)
        if delay:
            signal = nmrglue.bruker.rm_dig_filter(signal, 0, 0, delay)
    except (OSError, KeyError, ValueError) as error:
        message = f"Folder `{folder}` is not a readable Bruker experiment: {error!s}"
        raise DataError(message, path=folder) from error
    dwell = 1e6 / width
    details = {"nucleus": str(acquired.get("NUC1", "")), "group_delay_points": delay}
    return Record(signal, start - delay % 1 * dwell, dwell, folder, "bruker", details)


def _without_padding(signal: NDArray[Any], n_points: int, folder: Path) -> NDArray[np.complex128]:
    """A record as long as its parameters say."""
    if not np.iscomplexobj(signal) or len(signal) < n_points:
        held = f"{len(signal)} {'complex' if np.iscomplexobj(signal) else 'real'} points"
        message = f"Folder `{folder}` holds {held}, but its `acqus` promises {n_points} complex ones."
        raise DataError(message, path=folder)
    return signal[:n_points].astype(np.complex128)


def _group_delay(nmrglue: Any, acquired: dict[str, Any]) -> float:
    """Points by which the digital filter delays the signal."""
    stated, decimation, version = (acquired.get(name, 0) for name in ("GRPDLY", "DECIM", "DSPFVS"))
    if stated > 0:
        return float(stated)
    # Without decimation there is no filter, and firmware from 14 on states its delay.
    if decimation <= 1 or version >= 14:
        return 0.0
    table: dict[int, float] = nmrglue.bruker.bruker_dsp_table.get(version, {})
    if decimation not in table:
        message = f"no group delay is known for DSPFVS = {version} and DECIM = {decimation}"
        raise ValueError(message)
    return table[decimation]


FORMAT = Format(
    "bruker",
    "a measured echo, a folder with `acqus`, and `fid` or `ser`",
    read_bruker,
    measured=True,
    sniff=lambda folder: (folder / "acqus").exists(),
)
