"""Every format of the table keeps the contract, and the table knows what each command takes."""

import shutil

import numpy as np
import pytest

from nmr_platform.datasets import publish
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import (
    FORMATS,
    export_dataset,
    import_options,
    predict_options,
    read_file,
    write_csv,
    write_hdf5,
    write_text,
)
from tests.exchange.builders import STEP, truth
from tests.exchange.dnmr_files import write_dnmr
from tests.exchange.format_contract import FormatContract
from tests.exchange.instrument_files import (
    write_bruker,
    write_jcampdx,
    write_kea,
    write_nmrpipe,
    write_simpson,
    write_tecmag,
    write_text_record,
)


class TestText(FormatContract):
    name = "text"

    def make(self, folder, dataset):
        write_text(dataset, folder / "gauss")
        return folder / "gauss"


class TestCsv(FormatContract):
    name = "csv"

    def make(self, folder, dataset):
        write_csv(dataset, folder / "tables")
        return folder / "tables"


class TestHdf5(FormatContract):
    name = "hdf5"

    def make(self, folder, dataset):
        write_hdf5(dataset, folder / "set.h5")
        return folder / "set.h5"


class TestZarr(FormatContract):
    name = "zarr"

    def make(self, folder, dataset):
        publish(dataset.copy(), folder / "first.zarr")
        return folder / "first.zarr"

    def damage(self, path):
        shutil.rmtree(path)
        path.mkdir()


class TestRecord(FormatContract):
    name = "record"

    def make(self, folder, dataset):
        write_text_record(folder / "echo.csv", truth())
        return folder / "echo.csv"


class TestBruker(FormatContract):
    name = "bruker"

    def make(self, folder, dataset):
        write_bruker(folder / "7", 2e5 * truth())
        return folder / "7"


class TestTecmag(FormatContract):
    name = "tecmag"

    def make(self, folder, dataset):
        write_tecmag(folder / "echo.tnt", truth())
        return folder / "echo.tnt"


class TestDnmr(FormatContract):
    name = "dnmr"

    def make(self, folder, dataset):
        write_dnmr(folder / "echo.hdf", truth())
        return folder / "echo.hdf"


class TestKea(FormatContract):
    name = "kea"

    def make(self, folder, dataset):
        (folder / "kea").mkdir()
        write_kea(folder / "kea" / "data.1d", truth(), axis=True)
        return folder / "kea" / "data.1d"


class TestJcampdx(FormatContract):
    name = "jcampdx"

    def make(self, folder, dataset):
        write_jcampdx(folder / "echo.dx", truth())
        return folder / "echo.dx"


class TestNmrpipe(FormatContract):
    name = "nmrpipe"

    def make(self, folder, dataset):
        write_nmrpipe(folder / "echo.fid", truth())
        return folder / "echo.fid"


class TestSimpson(FormatContract):
    name = "simpson"

    def make(self, folder, dataset):
        write_simpson(folder / "echo.fid", truth())
        return folder / "echo.fid"


def test_every_format_of_the_table_has_its_contract():
    tested = {each.name for each in FormatContract.__subclasses__()}
    assert tested == set(FORMATS)


def test_an_option_is_told_once_with_whose_it_is_and_its_default():
    told = {option.flag: option for option in import_options()}
    assert len(told) == len(import_options())
    assert told["--unit"].meaning == "record: unit of its times; by default what their name says, or us."
    assert told["--phase"].meaning.startswith("Measured: zero-order phase, degrees")
    assert told["--start"].meaning.endswith(": us from the first pulse to the first point.")
    assert told["--index"].meaning == "record, bruker, tecmag, dnmr, kea, nmrpipe, simpson: which record of several."
    assert told["--index"].least == 0
    assert {option.flag for option in predict_options()} == (told.keys() - {"--experiment", "--method"}) | {
        "--resample"
    }


def test_an_unknown_format_is_refused_with_those_there_are(dataset, tmp_path):
    for call in (lambda: read_file(tmp_path, format="varian"), lambda: export_dataset(dataset, tmp_path, format="")):
        with pytest.raises(ConfigurationError, match=r"`format` must be one of text, csv, hdf5, .*, but is '"):
            call()


def test_a_folder_of_nothing_known_is_refused(tmp_path):
    with pytest.raises(DataError, match="is not a data set, and none of the known formats by its name"):
        read_file(tmp_path)


def test_a_format_that_is_named_need_not_be_told(tmp_path):
    write_text_record(tmp_path / "echo.asc", truth())
    np.testing.assert_allclose(read_file(tmp_path / "echo.asc", format="record", unit="us").dwell, STEP)
