"""Files as instruments would have made them."""

from functools import partial
from itertools import groupby

import nmrglue
import numpy as np
from nmrglue.fileio.tecmag import TNTTLV, TNTTMAG, TNTTMG2

from tests.exchange.builders import STEP
from tests.exchange.dnmr_files import write_dnmr

__all__ = [
    "change_acqus",
    "tecmag_sequence",
    "write_bruker",
    "write_echo",
    "write_jcampdx",
    "write_kea",
    "write_nmrpipe",
    "write_simpson",
    "write_tecmag",
    "write_text_record",
]


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


def write_echo(name, folder, echo, *, step=STEP):
    """Write an echo in a measured format, by its name; return its path."""
    files = {
        "record": ("echo.csv", write_text_record),
        "bruker": ("7", partial(write_bruker, isfloat=True)),
        "tecmag": ("echo.tnt", write_tecmag),
        "dnmr": ("echo.hdf", write_dnmr),
        "kea": ("data.1d", write_kea),
        "jcampdx": ("echo.dx", partial(write_jcampdx, factor=1e-10)),
        "nmrpipe": ("pipe.fid", write_nmrpipe),
        "simpson": ("simpson.fid", write_simpson),
    }
    file, write = files[name]
    write(folder / file, echo, step=step)
    return folder / file


def write_kea(path, data, *, axis=False, version="1.1", step=STEP, kind=None, **acqu):
    """Write a file of Prospa or Spinsolve, and ``acqu.par`` beside it; ``data`` has shape (T,) or (n, T)."""
    records = np.atleast_2d(data)
    sizes = [records.shape[1], len(records), *([1, 1] if version == "1.1" else [1])]
    head = b"SORPATAD" + f"V{version}".encode()[::-1]
    head += np.array([kind or (504 if axis else 501), *sizes], "<i4").tobytes()
    # As these programs do, from the acquisition time with three digits.
    times = np.arange(records.shape[1]) * float(f"{step * records.shape[1]:.3g}") / records.shape[1]
    path.write_bytes(head + (times.astype("<f4").tobytes() if axis else b"") + records.astype("<c8").tobytes())
    said = {"b1Freq": "60.1d", "dwellTime": step, "nrPnts": records.shape[1], "nucleus": '"139La"'} | acqu
    (path.parent / "acqu.par").write_text("".join(f"{name} = {value}\r\n" for name, value in said.items()))


def write_nmrpipe(path, data, *, step=STEP, **header):
    """Write a file of NMRPipe by nmrglue's own writer; ``data`` has shape (T,) or (n, T)."""
    records = np.asarray(data, np.complex64)
    axes = nmrglue.fileiobase.create_blank_udic(records.ndim)
    axes[records.ndim - 1] |= {"sw": 1e6 / step, "obs": 60.1, "size": records.shape[-1], "label": "139La"}
    if records.ndim == 2:
        axes[0] |= {"size": len(records), "complex": False}
    nmrglue.pipe.write(str(path), nmrglue.pipe.create_dic(axes) | header, records)


def write_simpson(path, data, *, step=STEP, **keys):
    """Write a file of SIMPSON as text; ``data`` has shape (T,) or (n, T)."""
    records = np.atleast_2d(data)
    several = {"NI": len(records), "SW1": 1e3} if len(records) > 1 else {}
    head = {"NP": records.shape[1], "SW": repr(1e6 / step), **several, "TYPE": "FID"} | keys
    lines = [f"{name}={value}" for name, value in head.items()]
    numbers = [f"{point.real:.9g} {point.imag:.9g}" for point in records.ravel()]
    path.write_text("\n".join(["SIMP", *lines, "DATA", *numbers, "END", ""]))


def write_jcampdx(path, signal, *, step=STEP, factor=1e-6, packed=False, **labels):
    """Write a JCAMP-DX file of one record: whole numbers times ``factor``, written out or packed as DIF and DUP."""
    n = len(signal)
    head = {
        "TITLE": "echo",
        "JCAMP-DX": "5.01",
        "DATA TYPE": "NMR FID",
        "DATA CLASS": "NTUPLES",
        "ORIGIN": "",
        ".OBSERVE FREQUENCY": 60.1,
        ".OBSERVE NUCLEUS": "^139La",
        ".AVERAGES": 64,
        ".OBSERVE 90": "2.5",
        ".FIELD": "9.4 $$ Tesla",
        "NTUPLES": "NMR FID",
        "VAR_NAME": "TIME, FID/REAL, FID/IMAG, PAGE NUMBER",
        "SYMBOL": "X, R, I, N",
        "VAR_TYPE": "INDEPENDENT, DEPENDENT, DEPENDENT, PAGE",
        "VAR_DIM": f"{n}, {n}, {n}, 2",
        "UNITS": "SECONDS, ARBITRARY UNITS, ARBITRARY UNITS, ",
        "FIRST": "0, 0, 0, 1",
        "LAST": f"{step * 1e-6 * (n - 1)!r}, 0, 0, 2",
        "FACTOR": f"{step * 1e-6!r}, {factor!r}, {factor!r}, 1",
    } | labels
    lines = [f"##{name}= {value}" for name, value in head.items() if value is not None]
    for page, (letter, part) in enumerate({"R": signal.real, "I": signal.imag}.items(), start=1):
        values = np.rint(part / factor).astype(np.int64)
        lines += [f"##PAGE= N={page}", f"##DATA TABLE= (X++({letter}..{letter})), XYDATA"]
        lines += _differences(values) if packed else [f"{at} {value}" for at, value in enumerate(values)]
    path.write_text("\n".join([*lines, "##END NTUPLES= NMR FID", "##END=", ""]))


def _differences(values, per_line=40):
    """The first number of a line as it is, the others by what they differ, and repeated ones counted."""
    lines = []
    for first in range(0, len(values), per_line):
        # The next line begins with the last number of this one.
        piece = values[first : first + per_line + 1]
        line = f"{first}{_digits(piece[0], '@ABCDEFGHI', '@abcdefghi')}"
        for count, difference in _runs(np.diff(piece)):
            line += _digits(difference, "%JKLMNOPQR", "%jklmnopqr")
            line += _digits(count, " STUVWXYZs", "") if count > 1 else ""
        lines.append(line)
    return lines


def _digits(value, positive, negative):
    first, *rest = str(abs(int(value)))
    return (negative if value < 0 else positive)[int(first)] + "".join(rest)


def _runs(values):
    for value, run in groupby(values):
        yield len(list(run)), value
