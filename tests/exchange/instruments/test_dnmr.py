"""Scans of a Tecmag spectrometer behind frappy and NICOS: what is read of them, and what is refused."""

import h5py
import numpy as np
import pytest

from nmr_platform.errors import DataError
from nmr_platform.exchange import read_dnmr, read_records
from tests.exchange.builders import STEP, truth
from tests.exchange.dnmr_files import INVERSION_RECOVERY, write_dnmr

HAHN = ((2.5, 40, 20.0, "0 2"), (5, 40, 0.5, "1 1"))


def changed(sequence, pulse, delay):
    return tuple((*each[:2], delay, each[3]) if place == pulse else each for place, each in enumerate(sequence))


def test_an_echo_begins_where_its_sequence_says(tmp_path):
    write_dnmr(tmp_path / "echo.hdf", truth(), pulses=INVERSION_RECOVERY, ringdown=10.0)
    record = read_dnmr(tmp_path / "echo.hdf")
    np.testing.assert_allclose(record.signal, truth())
    assert (record.start, record.dwell) == pytest.approx((50 + 5 + 0.1 + 10, STEP))
    assert read_dnmr(tmp_path / "echo.hdf", start=3.5).start == 3.5
    write_dnmr(tmp_path / "hahn.hdf", truth(), pulses=HAHN, ringdown=2.0)
    assert read_dnmr(tmp_path / "hahn.hdf").start == pytest.approx(20 + 5 + 0.5 + 2)
    write_dnmr(tmp_path / "fid.hdf", truth(), pulses=HAHN[:1], ringdown=2.0)
    assert read_dnmr(tmp_path / "fid.hdf").start == pytest.approx(22)


def test_what_the_file_says_is_told(tmp_path):
    write_dnmr(tmp_path / "echo.hdf", truth(), pulses=INVERSION_RECOVERY, ringdown=10.0)
    told = read_dnmr(tmp_path / "echo.hdf").told
    assert (told.frequency, told.scans, told.dwell) == (60.1, 64, pytest.approx(STEP))
    waits = {"pre_acquisition": 1.0, "ringdown": 10.0, "post_acquisition": 1e4}
    assert told.times == {"p0": 5, "p1": 2.5, "p2": 5, "d0": 1, "d1": 50, "d2": 0.1} | waits
    assert told.phases["ph2"] == (90, 270, 270, 90)
    assert told.phases["receiver"] == (0, 180, 180, 0)


def test_points_of_a_scan_are_records_in_their_order_named_by_what_differs(tmp_path):
    data = np.outer([1, 2, 3, 4], truth())
    recoveries = [changed(INVERSION_RECOVERY, 0, delay) for delay in (1, 10, 100, 1000)]
    write_dnmr(tmp_path / "t1.hdf", data, pulses=recoveries, ringdown=10.0)
    records = read_records(tmp_path / "t1.hdf")
    assert [*records] == ["recovery1", "recovery10", "recovery100", "recovery1000"]
    np.testing.assert_allclose(records["recovery100"].signal, 3 * truth())
    assert records["recovery100"].told.swept == {"recovery": 100}
    write_dnmr(tmp_path / "t2.hdf", data[:2], pulses=[changed(HAHN, 0, delay) for delay in (20, 40)])
    assert [(name, each.start) for name, each in read_records(tmp_path / "t2.hdf").items()] == [
        ("tau20", pytest.approx(25.5)),
        ("tau40", pytest.approx(45.5)),
    ]
    write_dnmr(tmp_path / "same.hdf", data[:2], pulses=HAHN)
    assert [*read_records(tmp_path / "same.hdf")] == ["0", "1"]
    with pytest.raises(DataError, match=r"holds 2 records; say which one by `index`"):
        read_dnmr(tmp_path / "same.hdf")


def test_names_of_the_newer_version_are_read_and_its_sums_divided(tmp_path):
    counted = {"num_acqs": 100, "actual_num_acqs": 50}
    write_dnmr(tmp_path / "new.hdf", 50 * truth(), pulses=HAHN, prefix="", delay="delay_time", **counted)
    with h5py.File(tmp_path / "new.hdf", "r+") as file:
        file["entry8/detectors/tnmr_reals"] = file["entry8/reals"]
        del file["entry8/reals"]
        file["entry8/nucleus"] = "139La"
    record = read_dnmr(tmp_path / "new.hdf")
    np.testing.assert_allclose(record.signal, truth())
    assert (record.told.scans, record.told.nucleus) == (50, "139La")


def soft_link(file):
    del file["point8/tnmr_imags"]
    file["point8/tnmr_imags"] = h5py.SoftLink("/metadata")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.move("point8", "other"), "has no groups `point0` or `entry0`, which the points of a scan"),
        (lambda file: file.__delitem__("point8/tnmr_reals"), "has no numbers `reals` in a point of its scan"),
        (lambda file: file.__delitem__("point8/tnmr_params"), "has no group `params` in a point of its scan"),
        (
            lambda file: file.__delitem__("point8/tnmr_sequence/0"),
            "has 0 pulses and does not say .*: say by `--start` when the",
        ),
        (lambda file: file.__delitem__("point8/tnmr_sequence/0/pulse_width"), "has no numbers `pulse_width`"),
        (soft_link, "`tnmr_imags` is a link, but"),
    ],
)
def test_a_file_that_does_not_tell_is_refused(tmp_path, spoil, sentence):
    write_dnmr(tmp_path / "echo.hdf", truth())
    with h5py.File(tmp_path / "echo.hdf", "r+") as file:
        spoil(file)
    with pytest.raises(DataError, match=rf"`.*echo.hdf`:? {sentence}"):
        read_dnmr(tmp_path / "echo.hdf")


def test_pulses_that_make_no_hahn_echo_need_a_start(tmp_path):
    stimulated = tuple((2.5, 40, delay, "0") for delay in (20, 100, 1))
    write_dnmr(tmp_path / "echo.hdf", truth(), pulses=stimulated)
    with pytest.raises(
        DataError, match=r"has 3 pulses and does not say which of them the echo starts with: say by `--st"
    ):
        read_dnmr(tmp_path / "echo.hdf")
    assert read_dnmr(tmp_path / "echo.hdf", start=123.5).start == 123.5
