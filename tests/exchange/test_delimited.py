"""Measured echoes as columns of text, in the habits of many programs: read by names, or refused with the line."""

import os

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import read_delimited

N = 24
TIME = 0.5 * np.arange(N)
SIGNAL = np.exp(-(((TIME - 6.0) / 3.0) ** 2)) * np.exp(0.7j) * 2.5


def table(*columns, separator=",", head="", decimal=".", form="%.6f", end="\n"):
    """Text of columns, each a list of numbers or of texts."""
    rows = zip(
        *[[each if isinstance(each, str) else form % each for each in column] for column in columns], strict=True
    )
    lines = [separator.join(cell.replace(".", decimal) for cell in row) for row in rows]
    return end.join([*head.splitlines(), *lines]) + end


def plain(head="", **how):
    return table(TIME, SIGNAL.real, SIGNAL.imag, head=head, **how)


def read(tmp_path, text, encoding="utf-8", **options):
    path = tmp_path / "echo.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_delimited(path, **options)


def assert_read(record, dwell=0.5):
    assert record.dwell == pytest.approx(dwell)
    np.testing.assert_allclose(record.signal, SIGNAL, atol=2e-6)


@pytest.mark.parametrize("separator", [",", ", ", " , ", ";", "\t", " ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_whatever_separates_columns_and_ends_lines(tmp_path, separator, end):
    assert_read(read(tmp_path, plain(separator=separator, end=end)))


@pytest.mark.parametrize("separator", [";", "\t", " ", "; "])
def test_decimal_commas_are_read_wherever_commas_separate_nothing(tmp_path, separator):
    assert_read(read(tmp_path, plain(separator=separator, decimal=",")))
    assert_read(read(tmp_path, plain("t re im".replace(" ", separator), separator=separator, decimal=",")))


def test_whole_times_beside_decimal_commas_tell_the_decimal_mark_as_well(tmp_path):
    whole = [str(k) for k in range(N)]
    assert_read(read(tmp_path, table(whole, SIGNAL.real, SIGNAL.imag, separator="\t", decimal=",")), dwell=1.0)


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (",", ","), (";", ","), ("\t", ".")])
def test_quoted_cells_are_read(tmp_path, separator, decimal):
    quoted = plain("t,re,im".replace(",", separator), separator=f'"{separator}"', decimal=decimal)
    head, *rows = quoted.splitlines()
    assert_read(read(tmp_path, "\n".join([head, *(f'"{row}"' for row in rows)])))


def test_separators_after_the_last_number_of_every_row_are_no_column(tmp_path):
    rows = plain().splitlines()
    assert_read(read(tmp_path, "\n".join(f"{row},," for row in rows)))
    assert_read(read(tmp_path, "\n".join(f"{row}," for row in ["time,real,imag", *rows])))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_any_encoding_will_do(tmp_path, encoding):
    record = read(tmp_path, plain("# 4 K, für Ångström\nTime (µs),Re (V),Im (V)"), encoding)
    assert_read(record)
    assert record.details["time_unit"] == "us"


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        ("time,real,imaginary", "us"),
        ("time_us,real,imag", "us"),
        ("Time [ms],Re,Im", "ms"),
        ("t/us,Re/V,Im/V", "us"),
        ("t / ms,Re / mV,Im / mV", "ms"),
        ("TIME(S),REAL(V),IMAG(V)", "s"),
        ("Zeit in ms,Realteil,Imaginärteil", "ms"),
        ("temps (s),réel,imaginaire", "s"),
        ("time (ns),I,Q", "ns"),
        ("t,X,Y", "us"),
        ("time μs,M_x,M_y", "us"),
        ("usec,In-phase,Quadrature", "us"),
        ("t,Re M(t),Im M(t)", "us"),
        ('"Time (ms)","Real","Imag"', "ms"),
        ("time,real,imag\nms,V,V", "ms"),
        ("time real imag", "us"),
        ("# time imag\n# time_ms real imag", "ms"),
        ("% made at 4 K\n%\tt [ms]\tRe\tIm", "ms"),
        ("Listing of C:\\shot.tnt\nStart: 1 End: 24\ntime,real,imag", "us"),
        ("ms,V,V", "ms"),
        ("time, real; channel A, imag; channel B", "us"),
        ("scope 3\n! shot 12\n// no filter", "us"),
    ],
)
def test_names_and_their_units_are_understood(tmp_path, names, unit):
    dwell = 0.5 * {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}[unit]
    record = read(tmp_path, plain(names))
    assert_read(record, dwell)
    assert record.details["time_unit"] == unit


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        ("time_us,imag,real", "tir"),
        ("Real,Imag,usec", "rit"),
        ("# imag real time", "irt"),
        (",time_us,real,imag", "ntri"),
        ("Unnamed: 0,t,Re,Im", "ntri"),
        ("time_us,magnitude,real,imag", "tmri"),
        ("t,Betrag,Phase (deg),Re,Im", "tmpri"),
        ("t,R,Theta,X,Y", "tmpri"),
        ("Time (us) - Plot 0,real,Time (us) - Plot 1,imag", "trti"),
        ("curve,time_us,real,imaginary,m_z", "ntrim"),
        ("Mz,My,Mx,t", "mirt"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_found_by_their_names_wherever_they_are(tmp_path, names, columns, separator):
    values = {
        "t": TIME,
        "r": SIGNAL.real,
        "i": SIGNAL.imag,
        "m": np.abs(SIGNAL),
        "p": np.full(N, 3.0),
        "n": [str(k) for k in range(N)],
    }
    head = names.replace(",", separator)
    assert_read(read(tmp_path, table(*(values[each] for each in columns), head=head, separator=separator)))


@pytest.mark.parametrize(("unit", "factor"), [("deg", 180 / np.pi), ("rad", 1.0)])
def test_magnitude_and_phase_make_a_signal(tmp_path, unit, factor):
    phase = np.angle(SIGNAL) * factor
    assert_read(read(tmp_path, table(TIME, np.abs(SIGNAL), phase, head=f"time,magnitude,phase ({unit})")))
    with pytest.raises(DataError, match=r"line 1 \(time, magnitude, phase\) do not say whether the phase is in deg or"):
        read(tmp_path, table(TIME, np.abs(SIGNAL), phase, head="time,magnitude,phase"))
    with pytest.raises(DataError, match=r"give the magnitude in dB, but it must be linear"):
        read(tmp_path, table(TIME, np.abs(SIGNAL), phase, head=f"time,magnitude (dB),phase ({unit})"))


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("a,b,c", r"line 1 \(a, b, c\) have no time; say which columns .* `--columns 1,2,3`"),
        ("TIME,CH1,CH2", r"line 1 \(TIME, CH1, CH2\) have no real part and no imaginary part; say which"),
        ("time,real,magnitude", r"have no imaginary part; say which"),
        ("time,real,real", r"have 2 real parts and no imaginary part; say which"),
        ("index,real,imag", r"have no time; say which"),
        ("frequency (kHz),real,imag", r"line 1 names a frequency and no time: it is a spectrum"),
        ("ppm,real,imag", r"it is a spectrum, but an echo in time is needed"),
        ("time,real,time", r"have no imaginary part; say which"),
        ("t,re", r"line 1 names 2 columns, but there are 3; mend it, or begin it with #"),
        ("t,im,re,note", r"line 1 names 4 columns, but there are 3"),
        ("Real time scope", r"`.*echo.csv`.* line 1"),
        ("V,V,us", r"line 1: the units do not begin with one of time"),
        ("time (min),re,im", r"give times in `min`, but ns, us, ms and s are known; say which one it is by `--unit`"),
        ("time (1e-6 s),re,im", r"give times in `1e-6 s`, but ns"),
        ("t,Re (V),Im (mV)", r"give real and imaginary part different units"),
    ],
)
def test_names_that_are_not_clear_are_refused(tmp_path, names, sentence):
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, plain(names))


def test_columns_are_chosen_by_their_numbers(tmp_path):
    text = table(SIGNAL.imag, TIME, SIGNAL.real, SIGNAL.real)
    with pytest.raises(DataError, match=r"has 4 columns without names; say which columns are time"):
        read(tmp_path, text)
    assert_read(read(tmp_path, text, columns="2,3,1"))
    record = read(tmp_path, table(SIGNAL.imag, TIME, SIGNAL.real, head="CH1,Time (ms),CH2"), columns="2, 3, 1")
    assert_read(record, 500.0)
    for order in ("1", "1,1", "1,1,2", "1,2,9", "0,1,2", "time,real,imag", "", "1,2,3,4"):
        with pytest.raises(ConfigurationError, match=r"`columns` must be three different numbers from 1 to 4"):
            read(tmp_path, text, columns=order)


def test_a_unit_that_the_names_contradict_is_refused(tmp_path):
    assert_read(read(tmp_path, plain("time_ms,real,imag"), unit="ms"), 500.0)
    assert_read(read(tmp_path, plain("time (min),real,imag"), unit="s"), 5e5)
    with pytest.raises(DataError, match=r"gives times in ms by the name `time_ms`, but `--unit` says us; leave the"):
        read(tmp_path, plain("time_ms,real,imag"), unit="us")


def changed(line, text):
    lines = plain("time,real,imag").splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"File `.*echo.csv` holds no numbers"),
        ("time,real,imaginary\n", r"is not a table of numbers: line 1 is `time,real,imaginary`"),
        ("0,1\n1,2\n2,3\n", r"has 2 columns without names"),
        ("0,1,0\n", r"must have 2 rows of numbers or more, but has 1"),
        ("0,1,0\n1,1,0\n2,1,0\n", r"has 3 points, but a record needs 16 or more"),
        (changed(7, "3.0,,0"), r"line 7: cell 2 is empty, but must be a number"),
        (changed(7, "3.0,1"), r"line 7: it has 2 numbers, but line 2 has 3"),
        (changed(7, "3.0,1,0,"), r"line 7: cell 4 is empty"),
        (changed(7, "3.0,two,0"), r"line 7: cell 2, `two`, is not a number with a decimal point like line 2"),
        (changed(7, "time,real,imag"), r"line 7: `time real imag` is not numbers; delete the line, or begin it with #"),
        (changed(7, "2.5,nan,0"), r"line 7: column 2 is nan, but must be a finite number"),
        (changed(7, "nan,1,0"), r"line 7: column 1 is nan, but must be a finite number"),
        (changed(7, "2.5,1e999,0"), r"line 7: column 2 is inf, but must be a finite number"),
        (changed(7, "2.0,1,0"), r"evenly spaced times, but from line 6 to line 7 they step by 0 instead of 0.5"),
        (changed(25, "99,1,0"), r"from line 24 to line 25 they step by 88 instead of 0.5, .* by more than 0.2 of a"),
        (plain(form="%.4f").replace("0.5000", "0,5000", 1), r"line 2"),
        (table(TIME, SIGNAL.real, 0 * TIME, separator=";", decimal=",") + "9.5;1;0\n", r"line 25: cell 1, `9.5`, is"),
        (table(TIME[::-1], SIGNAL.real, SIGNAL.imag), r"must have increasing, evenly spaced times"),
        (table(TIME, 0 * TIME, 0 * TIME), r"every point is zero, as where nothing was recorded"),
        (b"PK\x03\x04" + bytes(50), r"File `.*echo.csv` is not text"),
        (b"\xff\xfea", r"File `.*echo.csv` is not text"),
    ],
)
def test_text_that_is_no_record_is_refused_with_its_line(tmp_path, text, sentence):
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, text)


def test_a_time_that_is_left_out_is_not_hidden_by_rounded_ones(tmp_path):
    time = 0.125 * np.arange(4096)
    rows = [f"{each:.5g},{1 + each:.4f},0" for each in time]
    assert read(tmp_path, "\n".join(rows)).dwell == pytest.approx(0.125, rel=1e-6)
    coarse = [f"{each:.3g},{1 + each:.4f},0" for each in time]
    assert read(tmp_path, "\n".join(coarse[:800])).dwell == pytest.approx(0.125, rel=1e-5)
    with pytest.raises(DataError, match=r"from line \d+ to line \d+ they step by 1 instead of 0.125"):
        read(tmp_path, "\n".join(coarse))
    for lost in (5, 1500, 2047, 2048, 2049, 4000):
        with pytest.raises(
            DataError, match=r"they step by 0.2\d+ instead of 0.125\d*, and no time may be off by more than"
        ):
            read(tmp_path, "\n".join(rows[:lost] + rows[lost + 1 :]))


def test_another_zero_of_time_may_be_given(tmp_path):
    text = table(TIME - 3, SIGNAL.real, SIGNAL.imag)
    assert read(tmp_path, text).start == -3.0
    assert read(tmp_path, text, start=7.0).start == 7.0


def test_what_is_no_ordinary_file_is_refused_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    for name, what in (("pipe", "a device, a pipe"), ("zero", "a device, a pipe"), ("folder", "a folder")):
        with pytest.raises(DataError, match=rf"`.*{name}.csv` is {what}.*, but must be a file"):
            read_delimited(tmp_path / f"{name}.csv")
    with pytest.raises(DataError, match=r"File `.*nothing.csv` cannot be read: No such file"):
        read_delimited(tmp_path / "nothing.csv")


def test_a_file_of_absurd_size_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "endless.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DataError, match=r"has 1048576 MiB, but 64 are allowed; keep a part of it"):
        read_delimited(tmp_path / "endless.csv")
