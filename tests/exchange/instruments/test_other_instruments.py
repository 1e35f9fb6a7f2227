"""Prospa and Spinsolve, JCAMP-DX, NMRPipe and SIMPSON: files of known content give it back, others are refused."""

import nmrglue
import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import (
    read_file,
    read_jcampdx,
    read_kea,
    read_nmrpipe,
    read_records,
    read_simpson,
    resample,
)
from tests.exchange.builders import STEP, measured, quiet_experiment, truth
from tests.exchange.instrument_files import write_jcampdx, write_kea, write_nmrpipe, write_simpson
from tests.exchange.instruments.test_instruments import GAIN, LONG, assert_truth_recovered, instrument_signal

WRITERS = {
    "data.1d": write_kea,
    "echo.dx": lambda path, data: write_jcampdx(path, data, factor=0.125),
    "packed.jdx": lambda path, data: write_jcampdx(path, data, factor=0.125, packed=True),
    "pipe.fid": write_nmrpipe,
    "simpson.fid": write_simpson,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_record_is_recovered_with_its_phase_offset_and_height(tmp_path, name):
    WRITERS[name](tmp_path / name, instrument_signal())
    record = read_file(tmp_path / name)
    assert record.dwell == record.told.dwell == pytest.approx(STEP, rel=1e-6)
    np.testing.assert_allclose(record.signal, instrument_signal(), atol=0.1)
    assert_truth_recovered(record)


@pytest.mark.parametrize("name", ["data.2d", "pipe.fid", "simpson.fid"])
def test_rows_are_records(tmp_path, name):
    block = measured(truth()).signal * np.arange(1, 4)[:, None]
    {"data.2d": write_kea}.get(name, WRITERS.get(name))(tmp_path / name, block)
    read = read_records(tmp_path / name)
    assert list(read) == ["0", "1", "2"]
    for record, row in zip(read.values(), block, strict=True):
        np.testing.assert_allclose(record.signal, row, rtol=1e-6, atol=1e-6)
    with pytest.raises(DataError, match=r"`index` must be from 0 to 2, the records of"):
        read_file(tmp_path / name, index=3)


@pytest.mark.parametrize("name", ["echo.dx", "packed.jdx", "pipe.fid"])
@pytest.mark.parametrize("delay", [67.0, 67.5])
def test_a_group_delay_is_taken_out(tmp_path, name, delay):
    finer = 2
    late = np.concatenate([np.zeros(int(np.ceil(delay))), truth(step=STEP / finer)[int(delay % 1 * finer) :: finer]])
    late = GAIN * np.pad(late, (0, LONG - len(late)))
    path = tmp_path / name
    if name == "pipe.fid":
        write_nmrpipe(path, late, FDDMXVAL=delay)
        with pytest.raises(DataError, match=r"names a group delay of 67\.?5? points \(FDDMXVAL\), but not whether it"):
            read_nmrpipe(path)
        record = read_nmrpipe(path, group_delay=delay)
        assert len(read_nmrpipe(path, group_delay=0.0).signal) == LONG
    else:
        write_jcampdx(path, late, factor=0.125, packed=name.startswith("packed"), **{"$GRPDLY": delay, "$DECIM": 16})
        record = read_jcampdx(path)
        assert len(read_jcampdx(path, group_delay=0.0).signal) == LONG
    assert record.details["group_delay_points"] == delay
    on_axis = resample(record, quiet_experiment().time, "bandlimited")[100:140] / GAIN
    np.testing.assert_allclose(on_axis, truth()[100:140], atol=1e-3)
    with pytest.raises(ConfigurationError, match=r"`group_delay` must be 0 or more points, but is -1"):
        read_file(path, group_delay=-1.0)


@pytest.mark.parametrize("values", [[0, 0, 0, 5, 5, 5, -3, -3, -3, -3, 120, 119, 118, 117, 0, 0] * 9, range(200)])
def test_packed_numbers_are_what_they_were(tmp_path, values):
    signal = np.array(values) * (1 - 2j)
    write_jcampdx(tmp_path / "echo.dx", signal, factor=1.0, packed=True)
    np.testing.assert_array_equal(read_jcampdx(tmp_path / "echo.dx").signal, signal)


class TestKea:
    def test_the_parameters_say_the_time_between_points_and_the_axis_only_roughly(self, tmp_path):
        write_kea(tmp_path / "data.1d", truth(), axis=True, step=0.2477)
        axis = np.fromfile(tmp_path / "data.1d", "<f4", 2, offset=32)
        assert axis[1] != pytest.approx(0.2477, rel=1e-4)
        assert read_kea(tmp_path / "data.1d").dwell == 0.2477

    @pytest.mark.parametrize("unit", [1e-3, 1e-6])
    def test_the_axis_may_be_in_another_unit(self, tmp_path, unit):
        write_kea(tmp_path / "data.1d", truth(), axis=True, step=STEP * unit)
        write_kea(tmp_path / "other.1d", truth())
        assert read_kea(tmp_path / "data.1d").dwell == STEP

    def test_what_the_parameters_say_is_told(self, tmp_path):
        said = {"pulseLength90": 2.5, "echoTime": 40, "repTime": 2000, "nrScans": 64, "experiment": '"Hahn"'}
        write_kea(tmp_path / "data.1d", truth(), **said)
        told = read_kea(tmp_path / "data.1d").told
        assert str(told) == (
            "nucleus 139La, frequency 60.1 MHz, dwell 0.25 us, scans 64, sequence Hahn, pulseLength90 2.5 us, "
            "echoTime 40 us, repTime 2 s"
        )

    @pytest.mark.parametrize(
        ("spacing", "names"),
        [("lin", ["tau1000", "tau50500", "tau100000"]), ("log", ["tau1000", "tau10000", "tau100000"])],
    )
    def test_delays_from_one_to_another_tell_the_records_apart(self, tmp_path, spacing, names):
        said = {"minDelay": 1, "maxDelay": 100, "nrSteps": 3, "delaySpacing": f'"{spacing}"'}
        write_kea(tmp_path / "data.2d", np.array([truth()] * 3), **said)
        assert list(read_records(tmp_path / "data.2d")) == names
        write_kea(tmp_path / "data.2d", np.array([truth()] * 3), **said | {"nrSteps": 4})
        assert list(read_records(tmp_path / "data.2d")) == ["0", "1", "2"]

    def test_the_earliest_version_has_a_size_less(self, tmp_path):
        write_kea(tmp_path / "data.1d", truth(), version="1.0")
        np.testing.assert_allclose(read_kea(tmp_path / "data.1d").signal, truth(), rtol=1e-6, atol=1e-9)

    def test_without_parameters_the_dwell_time_is_asked_for(self, tmp_path):
        write_kea(tmp_path / "data.1d", truth(), axis=True)
        (tmp_path / "acqu.par").unlink()
        with pytest.raises(
            DataError, match=r"does not say its dwell time, nor does `acqu.par` beside it: give `--dwell`"
        ):
            read_kea(tmp_path / "data.1d")
        assert read_kea(tmp_path / "data.1d", dwell=0.5).dwell == 0.5

    @pytest.mark.parametrize("said", [{"nrPnts": 32}, {"dwellTime": 0.5}])
    def test_parameters_of_another_file_are_not_believed(self, tmp_path, said):
        write_kea(tmp_path / "data.1d", truth(), axis=True, **said)
        with pytest.raises(
            DataError, match=r"data.1d` has 180 points until .*, but `acqu.par` beside it says .* every"
        ):
            read_kea(tmp_path / "data.1d")
        assert read_kea(tmp_path / "data.1d", dwell=STEP).dwell == STEP

    def test_what_is_no_complex_record_in_time_is_refused(self, tmp_path):
        path = tmp_path / "data.1d"
        write_kea(path, truth(), kind=500)
        with pytest.raises(DataError, match=r"has data of type 500, but an echo must be complex \(501 or 504\)"):
            read_kea(path)
        write_kea(path, truth(), axis=True)
        content = bytearray(path.read_bytes())
        content[32:36] = np.float32(-5.0).tobytes()
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=r"spectrum or something else, .* its axis goes from -5 to .* not from zero on"
        ):
            read_kea(path)
        path.write_bytes(content[:-8])
        with pytest.raises(DataError, match=r"damaged: \d+ bytes cannot hold the 180 x 1 x 1 x 1 points"):
            read_kea(path)
        path.write_bytes(b"DATAPROS")
        with pytest.raises(DataError, match=r"damaged or not of Prospa or Spinsolve"):
            read_kea(path)


class TestJcampdx:
    def test_what_its_labels_say_is_told(self, tmp_path):
        write_jcampdx(tmp_path / "echo.dx", truth())
        told = read_jcampdx(tmp_path / "echo.dx").told
        assert str(told) == (
            "nucleus 139La, frequency 60.1 MHz, field 9.4 T, dwell 0.25 us, scans 64, pulse of 90 degrees 2.5 us"
        )

    def test_deltax_counts_before_the_last_time(self, tmp_path):
        # Some programs write the end of the last point as LAST.
        write_jcampdx(tmp_path / "echo.dx", truth(), DELTAX=STEP * 1e-6, LAST=f"{STEP * 1e-6 * 180}, 0, 0, 2")
        assert read_jcampdx(tmp_path / "echo.dx").dwell == pytest.approx(STEP, rel=1e-12)

    def test_of_several_blocks_the_record_in_time_is_read(self, tmp_path):
        write_jcampdx(tmp_path / "echo.dx", truth())
        record = (tmp_path / "echo.dx").read_text()
        spectrum = record.replace("NMR FID", "NMR SPECTRUM").replace("SECONDS", "HZ")
        link = "##TITLE= both\n##DATA TYPE= LINK\n##BLOCKS= 2\n"
        (tmp_path / "both.dx").write_text(f"{link}{spectrum}{record}##END=\n")
        np.testing.assert_allclose(read_jcampdx(tmp_path / "both.dx").signal, truth(), atol=1e-6)
        (tmp_path / "ft.dx").write_text(spectrum)
        with pytest.raises(
            DataError, match=r"ft.dx` is a spectrum or something else \(NMRSPECTRUM\), but an echo in time"
        ):
            read_jcampdx(tmp_path / "ft.dx")

    @pytest.mark.parametrize(
        ("labels", "sentence"),
        [
            ({"UNITS": "HZ, A, A,"}, r"must have times in SECONDS, but has `HZ`"),
            ({"VAR_DIM": "200, 200, 200, 2"}, r"is damaged: it holds 180 points, but promises 200"),
            ({"SYMBOL": "X, Y, Z, N"}, r"cannot be read as JCAMP-DX: NTUPLES: YFACTORs not applied"),
            ({"LAST": "x"}, r"the time between points must be positive, but is nan us"),
            ({"DATA CLASS": "XYDATA"}, r"cannot be read as JCAMP-DX|must have a real and an imaginary part"),
            ({"$GRPDLY": 170.0, "$DECIM": 16}, r"the group delay of 170 points leaves too few of 180"),
            ({"$DECIM": 17, "$DSPFVS": 11}, r"no group delay is known for DSPFVS = 11 and DECIM = 17; give it by"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path, labels, sentence):
        write_jcampdx(tmp_path / "echo.dx", truth(), **labels)
        with pytest.raises(DataError, match=sentence):
            read_jcampdx(tmp_path / "echo.dx")

    def test_pages_of_several_records_are_refused(self, tmp_path):
        write_jcampdx(tmp_path / "echo.dx", truth())
        text = (tmp_path / "echo.dx").read_text()
        page = text[text.index("##PAGE= N=1") : text.index("##PAGE= N=2")]
        (tmp_path / "echo.dx").write_text(text.replace("##END NTUPLES", f"{page}##END NTUPLES"))
        with pytest.raises(DataError, match=r"multiple real arrays"):
            read_jcampdx(tmp_path / "echo.dx")

    def test_a_number_that_is_repeated_for_ever_is_refused(self, tmp_path):
        write_jcampdx(tmp_path / "echo.dx", np.ones(200), factor=1.0, packed=True)
        text = (tmp_path / "echo.dx").read_text()
        (tmp_path / "echo.dx").write_text(text.replace("%V0", "%s99999999"))
        with pytest.raises(DataError, match=r"repeats numbers more than 8388608 times"):
            read_jcampdx(tmp_path / "echo.dx")


class TestNmrpipe:
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_either_order_of_bytes_is_read(self, tmp_path, order):
        write_nmrpipe(tmp_path / "echo.fid", instrument_signal())
        if order == ">":
            np.fromfile(tmp_path / "echo.fid", "<f4").astype(">f4").tofile(tmp_path / "echo.fid")
        record = read_nmrpipe(tmp_path / "echo.fid")
        assert record.told.nucleus == "139La"
        assert record.told.frequency == pytest.approx(60.1)
        assert_truth_recovered(record)

    @pytest.mark.parametrize(
        ("header", "sentence"),
        [
            ({"FDF2FTFLAG": 1.0}, r"is a spectrum \(FDF2FTFLAG or FDF1FTFLAG is set\), but an echo in time is needed"),
            ({"FDF2QUADFLAG": 1.0}, r"must have one or two dimensions, the first one complex and in time, but has"),
            ({"FDDIMCOUNT": 3.0}, r"must have one or two dimensions, .* but has FDDIMCOUNT 3"),
            ({"FDSIZE": 181.0}, r"is damaged: it does not hold the 1 times 181 points that it promises"),
            ({"FDSIZE": float("nan")}, r"FDSIZE must be above zero, but is nan"),
            ({"FDF2SW": 0.0}, r"FDF2SW must be above zero, but is 0"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path, header, sentence):
        path = tmp_path / "echo.fid"
        write_nmrpipe(path, truth())
        places = nmrglue.fileio.pipe.fdata_dic
        content = np.fromfile(path, "<f4")
        for name, value in header.items():
            content[int(places[name])] = value
        content.tofile(path)
        with pytest.raises(DataError, match=sentence):
            read_nmrpipe(path)

    def test_what_has_no_header_is_refused(self, tmp_path):
        (tmp_path / "echo.fid").write_bytes(bytes(4096))
        with pytest.raises(DataError, match=r"is damaged or not of NMRPipe: it has no header of theirs"):
            read_nmrpipe(tmp_path / "echo.fid")


class TestSimpson:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (("TYPE=FID", "TYPE=SPE"), r"is a spectrum \(its TYPE is not FID\), but an echo in time is needed"),
            (("TYPE=FID", "TYPE=FID\nFORMAT=BINARY"), r"is binary, but must be text: save it without `-binary`"),
            (("NP=180", "NP=181"), r"is damaged: it holds 180 points, but promises 181"),
            (("NP=180", "NP=many"), r"must have a number above zero for NP, but has `many`"),
            (("SW=4000000.0", "SW=0"), r"must have a number above zero for SW, but has `0`"),
            (("NP=180", "NP=180\nNI=x"), r"is damaged: it holds 180 points, but promises 0"),
            (("END", ""), r"is damaged or not of SIMPSON: it must have lines SIMP, DATA and END"),
            (("DATA\n", "DATA\nx "), r"is damaged: a point must be two numbers"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path, change, sentence):
        write_simpson(tmp_path / "echo.fid", truth())
        text = (tmp_path / "echo.fid").read_text()
        assert change[0] in text
        (tmp_path / "echo.fid").write_text(text.replace(*change))
        with pytest.raises(DataError, match=sentence):
            read_simpson(tmp_path / "echo.fid")
