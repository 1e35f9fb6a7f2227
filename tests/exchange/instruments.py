"""Files as instruments would have made them."""

import nmrglue
import numpy as np
from nmrglue.fileio.tecmag import TNTTLV, TNTTMAG, TNTTMG2

from tests.exchange.builders import STEP

__all__ = ["change_acqus", "tecmag_sequence", "write_bruker", "write_tecmag", "write_text_record"]


def write_text_record(path, signal, *, header="", factor=1.0, delimiter=",", step=STEP):
    """Write columns of time, real and imaginary part."""
    time = np.arange(len(signal)) * step * factor
    np.savetxt(path, np.column_stack([time, signal.real, signal.imag]), delimiter=delimiter, header=header, comments="")


def write_bruker(folder, data, *, delay=None, big=False, isfloat=False, points=None, step=STEP, **acqus):
    """Write a Bruker experiment by nmrglue's own writer; ``data`` has shape (T,) or (n, T)."""
    folder.mkdir()
    parameters = {
        "_comments": [],
        "_coreheader": ["##TITLE= Parameter file"],
        "AQ_mod": 3,
        "TD": 2 * (points or data.shape[-1]),
        "SW_h": 1e6 / step,
        "BYTORDA": int(big),
        "DTYPA": 2 if isfloat else 0,
        "NUC1": "139La",
        "DECIM": 16,
        "DSPFVS": 20,
        "GRPDLY": delay if delay is not None else -1.0,
    }
    header = {"acqus": parameters | acqus}
    if delay is None:
        header["acqus"] |= {"DECIM": 1, "DSPFVS": 0}
    if data.ndim == 2:
        header["acqu2s"] = {"_comments": [], "_coreheader": ["##TITLE= Parameter file"], "TD": len(data)}
    nmrglue.bruker.write(str(folder), header, data, write_prog=False, big=big, isfloat=isfloat)


def change_acqus(folder, **values):
    """Change or add parameters of a Bruker experiment, to any text."""
    acqus = folder / "acqus"
    lines = acqus.read_text().splitlines()
    kept = [line for line in lines if line.partition("=")[0].removeprefix("##$") not in values]
    changed = [f"##${name}= {value}" for name, value in values.items()]
    acqus.write_text("\n".join([*kept[:-1], *changed, "##END=", ""]))


def write_tecmag(path, data, *, version=b"TNT1.005", step=STEP, acq_points=0, fft_flag=0, planned=None, sequence=b""):
    """Build a .tnt file from the format's own types: nmrglue reads them, but has no writer."""
    records = np.atleast_2d(data)
    header = np.zeros(1, TNTTMAG)
    header["npts"] = [records.shape[1], planned or len(records), 1, 1]
    header["actual_npts"] = [records.shape[1], len(records), 1, 1]
    header["ob_freq"] = [60.1, 0, 0, 0]
    header["magnet_field"] = 9.4
    header["actual_scans"] = 64
    header["dwell"] = [step * 1e-6, 0, 0, 0]
    header["acq_points"] = acq_points
    header["nuclei"] = [b"139La", b"", b"", b""]
    processing = np.zeros(1, TNTTMG2)
    processing["fft_flag"][:, 0] = fft_flag
    sections = {
        b"TMAG": header.tobytes(),
        b"DATA": records.T.astype("<c8").tobytes(order="F"),
        b"TMG2": processing.tobytes(),
        b"PSEQ": sequence,
    }
    with path.open("wb") as file:
        file.write(version)
        for tag, content in sections.items():
            file.write(np.array((tag, 1, len(content)), TNTTLV).tobytes())
            file.write(content)


def tecmag_sequence(tables=(), variables=(), uses=()):
    """The bytes of a pulse sequence: texts with their lengths, as TNMR writes them between zeros."""

    def text(value):
        return len(value).to_bytes(4, "little") + value.encode()

    used = b"".join(bytes(20) + text(name) for name in uses)
    named = b"".join(bytes(12) + text(name) + text(entries) + text("+ Add") for name, entries in dict(tables).items())
    valued = b"".join(bytes(8) + text(name) + bytes(4) + text(value) for name, value in dict(variables).items())
    return b"1.18 BIN" + used + named + valued + bytes(16)
