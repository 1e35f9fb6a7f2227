"""`nmr simulate`: one experiment, for people and for programs."""

import json

import numpy as np
import pytest
import yaml

from nmr_platform import Measurement, measure, simulate
from nmr_platform.physics import gaussian_decay
from nmr_platform.schema import read_value
from tests.builders import experiment, experiment_values
from tests.stages.tiny import nmr_alone


@pytest.fixture
def values():
    return experiment_values()


@pytest.fixture
def file(tmp_path, values):
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_sentence_gives_units(file):
    ended = nmr_alone("simulate", str(file))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("60 samples over 9.4 us, W = ")
    assert "MHz, |M| at the echo 0." in ended.out


def test_programs_get_one_json_object(file):
    record = json.loads(nmr_alone("simulate", str(file), "--json", "--seed", "3").out)
    echo = simulate(experiment(), seed=3)
    assert record["samples"] == 60
    assert record["kernel_integral_MHz"] == experiment().kernel_integral
    assert record["echo_times_us"] == [pytest.approx(echo.time[40])]
    assert record["echo_magnitudes"] == [pytest.approx(abs(echo.m[40]))]


def test_the_echo_is_written_with_its_units_in_the_header(file, tmp_path):
    out, plot = tmp_path / "new" / "echo.csv", tmp_path / "other" / "echo.png"
    arguments = ("--out", str(out), "--plot", str(plot), "--dtype", "float64", "--integrator", "midpoint")
    assert nmr_alone("simulate", str(file), *arguments).code == 0
    assert out.read_text().splitlines()[0] == "time_us,real,imaginary,m_z"
    echo = simulate(experiment(), dtype="float64", integrator="midpoint")
    table = np.loadtxt(out, delimiter=",", skiprows=1)
    np.testing.assert_allclose(table.T, [echo.time, echo.m.real, echo.m.imag, echo.m_z], rtol=1e-8, atol=1e-12)
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "regime", "sentence"),
    [
        ({}, "both", "so both count, but `initial.fluctuations` is none and leaves the latter out."),
        ({"initial": {"fluctuations": "sampled"}}, "both", "so both count. T2G of alpha_z is 4.088 us."),
        ({"initial": {"polarisation": 0.002}}, "fluctuations", "so fluctuations alone count, but"),
        ({"coupling": dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), 1e-3)}, "mean field", "the mean field alone"),
        ({"coupling": dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), 0.0)}, "neither", "rad, so neither counts.\n"),
    ],
)
def test_a_person_and_a_program_learn_how_far_mean_field_goes(file, values, change, regime, sentence):
    file.write_text(yaml.safe_dump(values | change))
    assert sentence in nmr_alone("simulate", str(file)).out
    said, chosen = json.loads(nmr_alone("simulate", str(file), "--json").out), experiment(**change)
    assert said["regime"] == regime
    polarisation = change.get("initial", {}).get("polarisation", 1.0)
    assert said["field_ratio"] == pytest.approx(polarisation * chosen.kernel_sum / chosen.kernel_norm)
    is_there = chosen.coupling.alpha_z != 0
    assert said["gaussian_decay_us"] == (pytest.approx(gaussian_decay(chosen)) if is_there else None)


def test_the_echoes_of_a_sweep_of_tau_fall_with_the_gaussian_that_is_told(tmp_path, values):
    path, rates = tmp_path / "t2g.yaml", []
    path.write_text(
        yaml.safe_dump(
            values
            | {
                "lattice": {"shape": [32, 32]},
                "kernel": {"kind": "gaussian", "xi": 2.5},
                "coupling": {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 2e-3},
                "sequence": {"kind": "hahn", "sweep": {"tau": [10.0, 20.0, 30.0, 40.0]}},
                "step": 0.25,
                "initial": {"fluctuations": "sampled", "draws": 8},
            }
        )
    )
    for seed in range(5):
        said = json.loads(nmr_alone("simulate", str(path), "--json", "--seed", str(seed)).out)
        echoes = [(each["echo_times_us"][0], each["echo_magnitudes"][0]) for each in said["records"].values()]
        times, heights = np.array(echoes).T
        rates.append(-2 * np.polyfit(times**2, np.log(heights), 1)[0])
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    assert error < 0.05 * np.mean(rates)
    assert abs(np.mean(rates) - said["gaussian_decay_us"] ** -2) < 4 * error


def test_an_experiment_without_an_echo_has_none_to_report(tmp_path, values):
    path = tmp_path / "fid.yaml"
    elements = [{"kind": "pulse", "theta": 90.0}, {"kind": "delay", "duration": 2.0}]
    path.write_text(yaml.safe_dump(values | {"sequence": {"kind": "custom", "elements": elements}}))
    record = json.loads(nmr_alone("simulate", str(path), "--json", "--plot", str(tmp_path / "fid.png")).out)
    assert (record["samples"], record["echo_times_us"]) == (13, [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sequence": {"kind": "hahn", "tau": -1.0}}, "experiment.yaml`: Key `sequence.tau` is -1.0, but it must be "),
        ({"stpe": 1.0}, "Key `stpe` is not known. Did you mean `step`?"),
        ({"kernel": {"kind": "gaussian"}}, "Key `kernel.xi` is missing (lattice constants)."),
    ],
)
def test_an_invalid_experiment_is_refused_with_file_and_key(file, values, change, sentence):
    file.write_text(yaml.safe_dump(values | change))
    ended = nmr_alone("simulate", str(file))
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--integrator", "leapfrog"), "'leapfrog' is not one of"),
        (("--dtype", "float16"), "'float16' is not one of"),
        (("--plot", "echo.pdf"), "`path` must end in .png, but is `echo.pdf`"),
    ],
)
def test_a_wrong_option_is_refused_and_nothing_is_written(file, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "echo.csv").write_text("as it was")
    ended = nmr_alone("simulate", str(file), "--out", "echo.csv", *arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert (tmp_path / "echo.csv").read_text() == "as it was"


def test_a_missing_experiment_is_named_once(tmp_path):
    ended = nmr_alone("simulate", str(tmp_path / "none.yaml"))
    assert ended.code == 2
    assert ended.err.count("none.yaml") == 1
    assert "does not exist" in ended.err


def test_a_folder_is_no_experiment(tmp_path):
    ended = nmr_alone("simulate", str(tmp_path))
    assert ended.code == 2
    assert "is a directory" in " ".join(ended.err.replace("│", " ").split())


def test_a_disk_that_is_full_half_way_leaves_no_half_file(file, tmp_path, monkeypatch):
    def half(path, *_, **__):
        path.write_text("time_us,re")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savetxt", half)
    ended = nmr_alone("simulate", str(file), "--out", str(tmp_path / "out" / "echo.csv"))
    assert ended.code == 2
    assert "There is no room to write" in ended.err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def several(tmp_path, values):
    del values["sequence"]
    sequences = {"plain": {"kind": "hahn", "tau": 3.0}, "decay": {"kind": "hahn", "sweep": {"tau": [2.0, 5.0]}}}
    path = tmp_path / "measurement.yaml"
    path.write_text(yaml.safe_dump(values | {"sequences": sequences}, sort_keys=False))
    return path


def test_every_record_of_a_measurement_is_told_written_and_drawn(several, tmp_path):
    drawn = {name: tmp_path / f"{name}.png" for name in ("plot", "draw-sequence")}
    pictures = [part for name, path in drawn.items() for part in (f"--{name}", str(path))]
    ended = nmr_alone("simulate", str(several), "--json", "--out", str(tmp_path / "echo.csv"), *pictures)
    said = json.loads(ended.out)
    echoes = measure(read_value(several, Measurement))
    assert list(said["records"]) == list(echoes) == ["plain", "decay-tau2", "decay-tau5"]
    assert said["kernel_integral_MHz"] == experiment().kernel_integral
    for name, echo in echoes.items():
        assert said["records"][name]["samples"] == echo.m.size
        assert said["records"][name]["echo_magnitudes"] == [pytest.approx(abs(echo.m[echo.echo_indices[0]]))]
        table = np.loadtxt(tmp_path / f"echo-{name}.csv", delimiter=",", skiprows=1)
        np.testing.assert_allclose(table[:, 1], echo.m.real, rtol=1e-8, atol=1e-12)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn.values())


def test_a_person_reads_a_line_a_record(several):
    lines = nmr_alone("simulate", str(several)).out.splitlines()
    assert lines[0].startswith("3 records, W = ")
    assert lines[2].startswith("decay-tau2: 39 samples over 6.0 us, |M| at the echo 0.")
    assert lines[2].endswith("Sequence: 90x - 2 us - 180y - 4 us.")


def test_the_sequences_of_a_measurement_are_exported_each(several, tmp_path):
    assert nmr_alone("export-sequence", str(several), "--out", str(tmp_path / "out")).code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        f"measurement-{name}.{end}" for name in ("plain", "decay-tau2", "decay-tau5") for end in ("yaml", "csv")
    }
