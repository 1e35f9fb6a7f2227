"""Measured echoes as instruments store them: recovered from text, Bruker and Tecmag."""

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import (
    find_corrections,
    guess_format,
    measured_curve,
    read_bruker,
    read_delimited,
    read_tecmag,
    resample,
)
from tests.exchange.builders import STEP, measured, quiet_experiment, truth
from tests.exchange.instrument_files import change_acqus, write_bruker, write_tecmag, write_text_record

PHASE, SHIFT, GAIN, NOISE = 65.0, 0.04, 2e5, 0.004
LONG = 256


def instrument_signal(n=180):
    """What the receiver saw: the truth shifted, turned, amplified and noisy, longer than the sequence's axis."""
    m = truth(shift=SHIFT)
    padded = np.concatenate([m, np.zeros(max(n - len(m), 0))])
    return measured(padded, phase=PHASE, gain=GAIN, noise=NOISE).signal


def assert_truth_recovered(record):
    """The curve and the corrections of a record of `instrument_signal` are the truth's within its noise."""
    experiment = quiet_experiment()
    centred = find_corrections(measured(truth()), experiment)
    curve = measured_curve(record, experiment, scale=1 / GAIN)
    assert curve.attrs["offset"] - centred.offset == pytest.approx(-SHIFT, abs=1e-3)
    assert np.cos(np.deg2rad(curve.attrs["phase"] - centred.phase - PHASE)) == pytest.approx(1.0, abs=1e-3)
    around = slice(100, 140)
    turned = truth() * np.exp(-1j * np.deg2rad(centred.phase))
    np.testing.assert_allclose(curve["m"].to_numpy()[0, around], turned[around], atol=0.03)
    assert curve.sizes == {"curve": 1, "time": 180}


@pytest.mark.parametrize("header", ["", "time,real,imaginary", "# scope of May 3\ntime,real,imaginary"])
@pytest.mark.parametrize(("unit", "factor"), [("us", 1.0), ("ms", 1e-3), ("s", 1e-6)])
def test_text_is_read_with_or_without_a_header_in_any_unit(tmp_path, header, unit, factor):
    write_text_record(tmp_path / "echo.csv", instrument_signal(), header=header, factor=factor)
    record = read_delimited(tmp_path / "echo.csv", unit=unit)
    assert record.dwell == pytest.approx(STEP)
    assert_truth_recovered(record)


@pytest.mark.parametrize(("big", "isfloat"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("n_points", [180, LONG])
def test_a_bruker_record_is_recovered(tmp_path, big, isfloat, n_points):
    write_bruker(tmp_path / "1", instrument_signal(n_points), big=big, isfloat=isfloat)
    record = read_bruker(tmp_path / "1")
    assert record.dwell == pytest.approx(STEP)
    assert len(record.signal) == n_points
    assert record.told.nucleus == "139La"
    assert_truth_recovered(record)


@pytest.mark.parametrize(("delay", "header"), [(67.0, {}), (67.5, {}), (44.75, {"DSPFVS": 10, "DECIM": 2})])
def test_the_group_delay_of_the_digital_filter_is_taken_out(tmp_path, delay, header):
    whole, finer = int(delay), 16
    fraction = round(delay % 1 * finer)
    m = truth(step=STEP / finer)
    # Everything comes late, by a time that need not be a whole number of points.
    late = np.concatenate([np.zeros(whole + (fraction > 0)), m[-fraction % finer :: finer], np.zeros(LONG - 180)])
    known = not header
    write_bruker(tmp_path / "1", GAIN * late, delay=delay if known else -1.0, **header)
    record = read_bruker(tmp_path / "1")
    assert record.details["group_delay_points"] == delay
    on_axis = resample(record, quiet_experiment().time, "bandlimited")[100:140] / GAIN
    np.testing.assert_allclose(on_axis, truth()[100:140], atol=1e-3)


def test_one_record_of_several_is_chosen(tmp_path):
    block = np.array([np.zeros(LONG), instrument_signal(LONG), np.ones(LONG)])
    write_bruker(tmp_path / "1", block)
    assert_truth_recovered(read_bruker(tmp_path / "1", index=1))
    with pytest.raises(DataError, match=r"Folder `.*1` holds 3 records; say which one by `index`"):
        read_bruker(tmp_path / "1")
    with pytest.raises(DataError, match=r"`index` must be from 0 to 2, the records of `.*1`, but is 3"):
        read_bruker(tmp_path / "1", index=3)


def test_records_of_a_ser_file_lose_the_padding_of_their_blocks(tmp_path):
    block = np.zeros((2, LONG), complex)
    block[:, :180] = instrument_signal()
    write_bruker(tmp_path / "1", block, points=180)
    assert len(read_bruker(tmp_path / "1", index=0).signal) == 180


def test_a_truncated_bruker_record_is_refused(tmp_path):
    write_bruker(tmp_path / "1", instrument_signal(), points=5000)
    with pytest.raises(DataError, match=r"fid` holds 180 complex points, but TD of its `acqus` promises 5000"):
        read_bruker(tmp_path / "1")
    (tmp_path / "1" / "fid").write_bytes(b"")
    with pytest.raises(DataError, match=r"fid` is empty, but TD of its `acqus` promises 5000"):
        read_bruker(tmp_path / "1")


@pytest.mark.parametrize("isfloat", [False, True])
def test_the_records_of_an_unfinished_ser_file_can_be_read(tmp_path, isfloat):
    block = instrument_signal(LONG) * np.arange(1, 5)[:, None]
    write_bruker(tmp_path / "1", block, isfloat=isfloat)
    acqu2s, ser = tmp_path / "1" / "acqu2s", tmp_path / "1" / "ser"
    acqu2s.write_text(acqu2s.read_text().replace("TD= 4", "TD= 8"))
    np.testing.assert_allclose(read_bruker(tmp_path / "1", index=3).signal, block[3], atol=2)
    ser.write_bytes(ser.read_bytes()[:-100])
    np.testing.assert_allclose(read_bruker(tmp_path / "1", index=2).signal, block[2], atol=2)
    with pytest.raises(DataError, match=r"`index` must be from 0 to 2, the records of"):
        read_bruker(tmp_path / "1", index=3)
    ser.write_bytes(ser.read_bytes() + bytes(100 + 4 * LONG * 16))
    with pytest.raises(DataError, match=r"every point is zero, as where nothing was recorded"):
        read_bruker(tmp_path / "1", index=4)


@pytest.mark.parametrize("isfloat", [False, True])
def test_records_of_a_ser_file_need_no_padding(tmp_path, isfloat):
    block = instrument_signal() * np.arange(1, 4)[:, None]
    write_bruker(tmp_path / "1", block, isfloat=isfloat)
    assert (tmp_path / "1" / "ser").stat().st_size == 3 * 180 * (16 if isfloat else 8)
    for row in range(3):
        np.testing.assert_allclose(read_bruker(tmp_path / "1", index=row).signal, block[row], atol=2)


def test_the_length_of_a_file_tells_silent_records_from_padding(tmp_path):
    block = instrument_signal() * np.arange(1, 4)[:, None]
    # As many zeros as would fill the first record up.
    block[1, :76] = 0
    write_bruker(tmp_path / "1", block)
    for row in range(3):
        np.testing.assert_allclose(read_bruker(tmp_path / "1", index=row).signal, block[row], atol=2)


def test_what_is_no_bruker_experiment_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"is not a Bruker experiment: it needs `acqus`, and `fid` or `ser`\."):
        read_bruker(tmp_path)
    (tmp_path / "pdata").mkdir()
    with pytest.raises(DataError, match=r"needs `acqus`, and `fid` or `ser`, and spectra are no echoes"):
        read_bruker(tmp_path)
    write_bruker(tmp_path / "both", instrument_signal())
    (tmp_path / "both" / "ser").touch()
    with pytest.raises(DataError, match=r"both` has `fid` and `ser`, but must have one of them"):
        read_bruker(tmp_path / "both")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"TD": ""}, r"acqus` has no number for TD\."),
        ({"TD": "many"}, r"acqus` has no number for TD, but `many`"),
        ({"TD": 361}, r"acqus`: TD must be even, from 32 to .*, but is 361"),
        ({"TD": 1e15}, r"acqus`: TD must be even, .* but is 1e\+15"),
        ({"SW_h": ""}, r"acqus` has no number for SW_h"),
        ({"SW_h": "inf"}, r"acqus` has no number for SW_h, but `inf`"),
        ({"SW_h": 0}, r"acqus`: SW_h must be above zero, but is 0"),
        ({"DECIM": ""}, r"acqus` has no number for DECIM"),
        ({"DECIM": 16, "DSPFVS": ""}, r"acqus` has no number for DSPFVS"),
        ({"AQ_mod": 0}, r"acqus`: AQ_mod is 0, but must be 1 or 3, for both channels at once"),
        ({"BYTORDA": 2}, r"acqus`: BYTORDA is 2, but must be 0 or 1"),
        ({"DTYPA": 7}, r"acqus`: DTYPA is 7, but must be 0 \(integers\) or 2 \(doubles\)"),
        ({"GRPDLY": 1e9}, r"the group delay of 1e\+09 points leaves too few of 180"),
        ({"GRPDLY": 170.0}, r"the group delay of 170 points leaves too few of 180"),
        (
            {"DSPFVS": 11, "DECIM": 17},
            r"no group delay is known for DSPFVS = 11 and DECIM = 17; give it by `--group-delay` in points, 0 if",
        ),
        ({"DSPFVS": 0, "DECIM": 2, "DIGMOD": 1}, r"no group delay is known for DSPFVS = 0 and DECIM = 2"),
        ({"DSPFVS": 20, "DECIM": 2}, r"no group delay is known for DSPFVS = 20 and DECIM = 2"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(tmp_path, change, sentence):
    write_bruker(tmp_path / "1", instrument_signal())
    change_acqus(tmp_path / "1", **change)
    with pytest.raises(DataError, match=sentence):
        read_bruker(tmp_path / "1")


@pytest.mark.parametrize("change", [{"GRPDLY": ""}, {"DIGMOD": 0, "DECIM": 2}, {"DSPFVS": 20, "DECIM": 2, "GRPDLY": 0}])
def test_without_a_digital_filter_there_is_no_delay(tmp_path, change):
    write_bruker(tmp_path / "1", instrument_signal())
    change_acqus(tmp_path / "1", **change)
    assert read_bruker(tmp_path / "1").details["group_delay_points"] == 0
    assert len(read_bruker(tmp_path / "1").signal) == 180


def test_a_group_delay_that_is_not_known_can_be_given(tmp_path):
    late = np.concatenate([np.zeros(40), GAIN * truth(), np.zeros(LONG - 180)])
    write_bruker(tmp_path / "1", late)
    change_acqus(tmp_path / "1", DSPFVS=0, DECIM=2)
    on_axis = resample(read_bruker(tmp_path / "1", group_delay=40.0), quiet_experiment().time, "bandlimited") / GAIN
    np.testing.assert_allclose(on_axis[100:140], truth()[100:140], atol=1e-3)
    assert len(read_bruker(tmp_path / "1", group_delay=0.0).signal) == len(late)
    with pytest.raises(ConfigurationError, match=r"`group_delay` must be 0 or more points, but is -1.0"):
        read_bruker(tmp_path / "1", group_delay=-1.0)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_parameters_are_read_in_any_encoding(tmp_path, encoding, end):
    write_bruker(tmp_path / "1", instrument_signal(), OWNER="<Müller>", USERA1="<4 µs>")
    acqus = tmp_path / "1" / "acqus"
    acqus.write_bytes(end.join(acqus.read_text(encoding="utf-8").splitlines()).encode(encoding))
    assert read_bruker(tmp_path / "1").dwell == pytest.approx(STEP)


@pytest.mark.parametrize(
    "text", ["##TITLE= x\n##$D= (0..63)\n0 1 2\n", "##TITLE= x\n##$TD= 1024\n##$OWNER= <abc\n", ""]
)
def test_parameters_that_are_cut_off_are_refused(tmp_path, text):
    write_bruker(tmp_path / "1", instrument_signal())
    (tmp_path / "1" / "acqus").write_text(text)
    with pytest.raises(DataError, match=r"acqus` is cut off: it does not end in ##END="):
        read_bruker(tmp_path / "1")


def test_parameters_that_say_two_things_are_refused(tmp_path):
    write_bruker(tmp_path / "1", instrument_signal())
    acqus = tmp_path / "1" / "acqus"
    acqus.write_text(acqus.read_text().replace("##END=", "##$TD= 64\n##END="))
    with pytest.raises(DataError, match=r"acqus` says two things of TD: `360` and `64`"):
        read_bruker(tmp_path / "1")


def test_a_tecmag_record_is_recovered(tmp_path):
    write_tecmag(tmp_path / "echo.tnt", instrument_signal())
    record = read_tecmag(tmp_path / "echo.tnt")
    assert record.dwell == pytest.approx(STEP)
    assert record.told.nucleus == "139La"
    np.testing.assert_allclose(record.signal, instrument_signal(), rtol=1e-6)
    assert_truth_recovered(record)


def test_one_tecmag_record_of_several_is_chosen(tmp_path):
    write_tecmag(tmp_path / "echo.tnt", np.array([np.zeros(180), instrument_signal()]))
    assert_truth_recovered(read_tecmag(tmp_path / "echo.tnt", index=1))
    with pytest.raises(DataError, match=r"File `.*echo.tnt` holds 2 records; say which one by `index`"):
        read_tecmag(tmp_path / "echo.tnt")
    with pytest.raises(DataError, match=r"`index` must be from 0 to 1, the records of `.*echo.tnt`, but is 5"):
        read_tecmag(tmp_path / "echo.tnt", index=5)


def test_windows_of_a_tecmag_record_are_records_of_their_own(tmp_path):
    trains = np.arange(1.0, 321.0).reshape(2, 160) * (1 + 1j)
    write_tecmag(tmp_path / "echo.tnt", trains, acq_points=32)
    with pytest.raises(DataError, match=r"echo.tnt` holds 10 records; say which one by `index`"):
        read_tecmag(tmp_path / "echo.tnt")
    for index, window in enumerate(trains.reshape(10, 32)):
        record = read_tecmag(tmp_path / "echo.tnt", index=index, start=5.0)
        np.testing.assert_array_equal(record.signal, window)
        assert record.start == 5.0
    for points in (33, 161):
        write_tecmag(tmp_path / "echo.tnt", trains, acq_points=points)
        with pytest.raises(
            DataError, match=rf"has 160 points, but acq_points says that {points} were recorded at a time"
        ):
            read_tecmag(tmp_path / "echo.tnt", index=0)
    write_tecmag(tmp_path / "echo.tnt", trains[0], acq_points=160)
    assert len(read_tecmag(tmp_path / "echo.tnt").signal) == 160


def test_a_tecmag_spectrum_is_refused(tmp_path):
    write_tecmag(tmp_path / "echo.tnt", instrument_signal(), fft_flag=1)
    with pytest.raises(DataError, match=r"echo.tnt` is a spectrum \(fft_flag is set\), but an echo in time is needed"):
        read_tecmag(tmp_path / "echo.tnt")


def test_damaged_tecmag_files_are_refused(tmp_path):
    write_tecmag(tmp_path / "whole.tnt", instrument_signal())
    whole = (tmp_path / "whole.tnt").read_bytes()
    broken = {"magic": b"XNT9" + whole[4:], "cut": whole[:-500], "short": whole[:2000], "empty": b""}
    for name, content in broken.items():
        (tmp_path / f"{name}.tnt").write_bytes(content)
        with pytest.raises(DataError, match=rf"File `.*{name}.tnt` is damaged or not a Tecmag file"):
            read_tecmag(tmp_path / f"{name}.tnt")
    with pytest.raises(DataError, match=r"File `.*nothing.tnt` cannot be read: No such file"):
        read_tecmag(tmp_path / "nothing.tnt")


def test_formats_are_told_by_names(tmp_path):
    write_bruker(tmp_path / "1", instrument_signal())
    for name in ("a.csv", "b.h5", "c.tnt", "d.jpg"):
        (tmp_path / name).touch()
    found = [guess_format(tmp_path / name) for name in ("1", "a.csv", "b.h5", "c.tnt")]
    assert found == ["bruker", "record", "hdf5", "tecmag"]
    with pytest.raises(DataError, match=r"`.*d.jpg` is none of the known formats by its name"):
        guess_format(tmp_path / "d.jpg")
    with pytest.raises(DataError, match=r"`.*e.csv` does not exist"):
        guess_format(tmp_path / "e.csv")
