"""Measured echoes as instruments store them: recovered from text, Bruker and Tecmag."""

import numpy as np
import pytest

from nmr_platform.errors import DataError
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
from tests.exchange.instruments import write_bruker, write_tecmag, write_text_record

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
    assert record.details["nucleus"] == "139La"
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
    with pytest.raises(DataError, match=r"holds 180 complex points, but its `acqus` promises 5000 complex ones"):
        read_bruker(tmp_path / "1")


def test_what_is_no_bruker_experiment_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"is not a Bruker experiment: it needs `acqus`, and `fid` or `ser`"):
        read_bruker(tmp_path)
    write_bruker(tmp_path / "real", instrument_signal(), AQ_mod=0)
    with pytest.raises(DataError, match=r"real` holds .* real points, but its `acqus` promises 180 complex"):
        read_bruker(tmp_path / "real")
    write_bruker(tmp_path / "type", instrument_signal(), DTYPA=7)
    with pytest.raises(DataError, match=r"type` is not a readable Bruker experiment: DTYPA"):
        read_bruker(tmp_path / "type")
    write_bruker(tmp_path / "filter", instrument_signal(), delay=0.0, DSPFVS=11, DECIM=17)
    with pytest.raises(
        DataError,
        match=r"filter` is not a readable Bruker experiment: no group delay is known for DSPFVS = 11 and DECIM = 17",
    ):
        read_bruker(tmp_path / "filter")


def test_a_tecmag_record_is_recovered(tmp_path):
    write_tecmag(tmp_path / "echo.tnt", instrument_signal())
    record = read_tecmag(tmp_path / "echo.tnt")
    assert record.dwell == pytest.approx(STEP)
    assert record.details["nucleus"] == "139La"
    np.testing.assert_allclose(record.signal, instrument_signal(), rtol=1e-6)
    assert_truth_recovered(record)


def test_one_tecmag_record_of_several_is_chosen(tmp_path):
    write_tecmag(tmp_path / "echo.tnt", np.array([np.zeros(180), instrument_signal()]))
    assert_truth_recovered(read_tecmag(tmp_path / "echo.tnt", index=1))
    with pytest.raises(DataError, match=r"File `.*echo.tnt` holds 2 records; say which one by `index`"):
        read_tecmag(tmp_path / "echo.tnt")
    with pytest.raises(DataError, match=r"`index` must be from 0 to 1, the records of `.*echo.tnt`, but is 5"):
        read_tecmag(tmp_path / "echo.tnt", index=5)


def test_damaged_tecmag_files_are_refused(tmp_path):
    write_tecmag(tmp_path / "whole.tnt", instrument_signal())
    whole = (tmp_path / "whole.tnt").read_bytes()
    broken = {"magic": b"XNT9" + whole[4:], "cut": whole[:-500], "short": whole[:2000], "empty": b""}
    for name, content in broken.items():
        (tmp_path / f"{name}.tnt").write_bytes(content)
        with pytest.raises(DataError, match=rf"File `.*{name}.tnt` is missing, damaged or not a Tecmag file"):
            read_tecmag(tmp_path / f"{name}.tnt")
    with pytest.raises(DataError, match=r"File `.*nothing.tnt` is missing, damaged or not a Tecmag file"):
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
