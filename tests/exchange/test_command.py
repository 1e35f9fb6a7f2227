"""`nmr export` and `nmr import`."""

import json

import numpy as np
import pytest
import xarray as xr
import yaml

from nmr_platform.cli.app import main
from nmr_platform.datasets import load, publish
from tests.exchange.builders import STEP, quiet_experiment, truth


def run(*arguments):
    """Run the command; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


@pytest.fixture
def stored(dataset, tmp_path):
    publish(dataset.copy(), tmp_path / "set.zarr")
    return tmp_path / "set.zarr"


@pytest.fixture
def echo(tmp_path):
    """A measured echo and the YAML of its sequence."""
    m = truth() * np.exp(1j)
    np.savetxt(tmp_path / "echo.csv", np.column_stack([np.arange(180) * STEP / 1e3, m.real, m.imag]), delimiter=",")
    (tmp_path / "hahn.yaml").write_text(yaml.safe_dump(quiet_experiment().model_dump(mode="json")))
    return tmp_path / "echo.csv"


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("csv", []), ("csv", ["--table", "curves"]), ("hdf5", []), ("text", ["--layout", "reference"])],
)
def test_what_is_exported_is_imported_again(stored, tmp_path, capsys, file_format, options):
    out = tmp_path / ("out.h5" if file_format == "hdf5" else "out")
    assert run("export", stored, "--format", file_format, "--out", out, *options) == 0
    assert run("import", out, "--out", tmp_path / "back.zarr", "--json") == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["curves"], said["samples"], said["format"]) == (6, 39, file_format)
    np.testing.assert_array_equal(load(tmp_path / "back.zarr")["m"], load(stored)["m"])
    if file_format != "text":
        xr.testing.assert_identical(load(tmp_path / "back.zarr"), load(stored))


def test_a_measured_echo_becomes_a_data_set_of_one_curve(echo, tmp_path, capsys):
    options = (
        "--unit",
        "ms",
        "--experiment",
        tmp_path / "hahn.yaml",
        "--scale",
        "1",
        "--method",
        "bandlimited",
        "--conjugate",
    )
    assert run("import", echo, "--out", tmp_path / "echo.zarr", *options) == 0
    assert "1 curves of 180 samples" in capsys.readouterr().out
    made = load(tmp_path / "echo.zarr")
    assert made.attrs["resampling"] == "bandlimited"
    assert made.attrs["phase_estimated"] is True
    assert made.attrs["conjugated"] is True
    np.testing.assert_allclose(np.abs(made["m"][0, 100:140]), np.abs(truth()[100:140]), atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["echo.csv"], "A measured echo (record) needs its sequence: give `--experiment`, a YAML file."),
        (["echo.csv", "--kernel", "rkky"], "Option `--kernel` has no meaning for format record."),
        (["echo.csv", "--experiment", "echo.csv"], "In `echo.csv`: Key"),
        (["nothing.csv"], "`nothing.csv` does not exist."),
        (["hahn.yaml"], "`hahn.yaml` is none of the known formats by its name; say which one it is."),
        (["hahn.yaml", "--format", "tecmag", "--experiment", "hahn.yaml"], "is damaged or not a Tecmag file"),
    ],
)
def test_bad_input_ends_with_one_sentence_and_code_2(echo, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert run("import", *arguments, "--out", "out.zarr") == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


def test_nothing_but_a_data_set_is_replaced(stored, echo, tmp_path, capsys):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").touch()
    assert run("import", echo, "--out", tmp_path / "precious", "--experiment", tmp_path / "hahn.yaml") == 2
    assert "exists and is not a data set; remove it or choose another name" in capsys.readouterr().err
    assert run("export", stored, "--format", "csv", "--out", tmp_path / "precious") == 2
    assert "exists; remove it or choose another name" in capsys.readouterr().err
    assert run("import", echo, "--unit", "ms", "--out", stored, "--experiment", tmp_path / "hahn.yaml") == 0
    assert load(stored).sizes["curve"] == 1


def test_options_of_another_format_are_refused_when_exporting(stored, tmp_path, capsys):
    assert run("export", stored, "--format", "hdf5", "--out", tmp_path / "x.h5", "--columns", "12") == 2
    assert "Option `--columns` has no meaning for format hdf5." in capsys.readouterr().err


def test_both_commands_show_an_example_and_units(capsys):
    assert run("import", "--help") == 0
    shown = capsys.readouterr().out
    assert "nmr import echo.csv" in shown
    assert "MHz" in shown
    assert run("export", "--help") == 0
    assert "nmr export" in capsys.readouterr().out
