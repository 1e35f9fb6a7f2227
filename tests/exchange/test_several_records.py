"""Data sets of several records in other formats."""

import json

import pytest
import xarray as xr
import yaml

from nmr_platform import ConfigurationError, DataError
from nmr_platform.cli.app import main
from nmr_platform.datasets import generate, load, load_records, verify
from nmr_platform.exchange import FORMATS, export_dataset, import_file, read_file, read_hdf5, read_records, write_hdf5
from tests.datasets.recipes import small_recipe, small_values
from tests.exchange.builders import quiet_experiment

NAMES = ["plain", "decay-tau2", "decay-tau4"]
SEVERAL = [name for name, each in FORMATS.items() if each.records and each.write]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    experiment = {key: value for key, value in small_values()["experiment"].items() if key != "sequence"}
    sequences = {"plain": {"kind": "hahn", "tau": 3.0}, "decay": {"kind": "hahn", "sweep": {"tau": [2, 4]}}}
    recipe = small_recipe(experiment=experiment | {"sequences": sequences})
    return generate(recipe, folder / "set.zarr", shard_folder=folder / "shards").path


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


@pytest.mark.parametrize("name", SEVERAL)
def test_every_record_is_read_back_to_the_same_bits(stored, tmp_path, name):
    out = tmp_path / f"out{'.h5' if name == 'hdf5' else ''}"
    records = {key: dataset.load() for key, dataset in load_records(stored).items()}
    export_dataset(records, out, format=name)
    back = read_records(out)
    assert list(back) == NAMES
    for key, dataset in back.items():
        xr.testing.assert_identical(dataset, records[key].drop_encoding())
    made = import_file(out, tmp_path / "back.zarr")
    assert str(made).startswith(f"{tmp_path / 'back.zarr'}: 6 curves of 60 (plain) and 39 (decay-tau2) and 81 (decay-")
    assert verify(tmp_path / "back.zarr").curves
    for key, dataset in load_records(tmp_path / "back.zarr").items():
        xr.testing.assert_identical(dataset.load(), records[key])


def test_a_file_of_several_records_is_not_one_data_set(stored, tmp_path):
    write_hdf5(load_records(stored), tmp_path / "out.h5")
    with pytest.raises(DataError, match=r"has the records plain, decay-tau2, decay-tau4, but one is asked for"):
        read_file(tmp_path / "out.h5")
    with pytest.raises(DataError, match=r"has the records plain, decay-tau2, decay-tau4, but 'b' is asked for"):
        read_hdf5(tmp_path / "out.h5", record="b")


def test_any_reader_opens_the_groups_of_an_hdf5_file(stored, tmp_path):
    write_hdf5(load_records(stored), tmp_path / "out.h5")
    with xr.open_datatree(tmp_path / "out.h5", engine="h5netcdf") as tree:
        assert set(tree.children) == set(NAMES)
        assert tree["plain"]["W"].attrs["units"] == "MHz"


def test_a_format_of_one_record_takes_the_one_that_is_chosen(stored, tmp_path, capsys):
    assert run("export", stored, "--format", "text", "--out", tmp_path / "text") == 2
    sentence = (
        "Format text holds one record, but the data set has plain, decay-tau2, decay-tau4: choose one by `--record`."
    )
    assert sentence in capsys.readouterr().err
    assert run("export", stored, "--format", "text", "--out", tmp_path / "text", "--record", "decay-tau4") == 0
    assert read_file(tmp_path / "text").sizes["time"] == load(stored, "decay-tau4").sizes["time"]
    assert run("export", stored, "--format", "csv", "--out", tmp_path / "csv", "--record", "b") == 2
    assert "`record` must be one of plain, decay-tau2, decay-tau4, but is 'b'" in capsys.readouterr().err


def test_the_commands_tell_a_program_of_every_record(stored, tmp_path, capsys):
    assert run("export", stored, "--format", "hdf5", "--out", tmp_path / "out.h5", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["records"] == NAMES
    assert run("import", tmp_path / "out.h5", "--out", tmp_path / "back.zarr", "--json") == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["samples"] == {name: load(stored, name).sizes["time"] for name in NAMES}
    assert said["digest"] == load(stored, "plain").attrs["whole_digest"]


@pytest.mark.parametrize("content", ['{"records": ["../plain"]}', '{"records": []}', "{", "[1]"])
def test_a_damaged_list_of_records_is_refused(stored, tmp_path, content):
    export_dataset(load_records(stored), tmp_path / "out", format="csv")
    (tmp_path / "out" / "records.json").write_text(content)
    with pytest.raises(DataError, match=r"File `.*records\.json` is damaged: "):
        read_records(tmp_path / "out")


def test_a_measured_echo_without_parameters_is_no_text_directory(tmp_path):
    (tmp_path / "echo.csv").write_text("\n".join(f"{k / 4},{k % 7},0" for k in range(180)))
    (tmp_path / "hahn.yaml").write_text(yaml.safe_dump(quiet_experiment().model_dump(mode="json")))
    given = {"experiment": tmp_path / "hahn.yaml", "phase": 0.0, "offset": 0.0, "scale": 1.0}
    import_file(tmp_path / "echo.csv", tmp_path / "echo.zarr", **given)
    with pytest.raises(DataError, match=r"Data set `echo` does not know `W` of its curves, which text"):
        export_dataset(load(tmp_path / "echo.zarr"), tmp_path / "text", format="text")


def test_an_only_record_cannot_be_chosen(tmp_path):
    path = generate(small_recipe(), tmp_path / "set.zarr", shard_folder=tmp_path / "shards").path
    with pytest.raises(ConfigurationError, match="`record` must be left out, for the data set has one record"):
        load(path, "plain")
