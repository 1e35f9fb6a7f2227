"""`nmr predict`, from the pipeline's champions to the table."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from nmr_platform.config import read_params
from nmr_platform.datasets import load
from nmr_platform.inference import example_records
from nmr_platform.stages.features import read_features
from nmr_platform.stages.tune import read_tuned
from nmr_platform.tracking.mlflow.model_store import ModelStore
from nmr_platform.workspace import Workspace
from tests.databases import copy_database
from tests.stages.tiny import TASKS, nmr, nmr_alone


def predicted(project, *arguments):
    ended = nmr(project, "predict", *map(str, arguments), "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["predictions"]


def refused(project, *arguments):
    ended = nmr(project, "predict", *map(str, arguments))
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    return " ".join(ended.err.split()).removeprefix("Error: ")


def write_echo(path, time, m):
    np.savetxt(path, np.column_stack([time, m.real, m.imag]), delimiter=",", header="time,real,imag", comments="")
    return path


@pytest.fixture(scope="module")
def workspace(project):
    return Workspace(project)


@pytest.fixture(scope="module")
def curves(workspace):
    return load(workspace.simulated("gaussian"))


@pytest.fixture
def echo(curves, tmp_path):
    return write_echo(tmp_path / "echo.csv", curves["time"].to_numpy(), curves["m"][0].to_numpy())


def test_every_champion_reads_an_echo_and_the_table_says_what_it_found(project, echo):
    ended = nmr(project, "predict", str(echo))
    assert ended.code == 0, ended.err
    assert all(word in ended.out for word in ("echo.csv", "W", "MHz", " to ", "power_vs_rest", "other 0.", "p-value"))
    assert {row["task"] for row in predicted(project, echo)} == set(TASKS)


def test_an_echo_unlike_the_training_curves_is_sent_to_where_a_model_is_made_for_it(project, echo, monkeypatch):
    assert "`nmr infer" not in nmr(project, "predict", str(echo), "--task", "W").out
    # Of the few curves of this project, hardly one in twenty could be stranger.
    monkeypatch.setattr("nmr_platform.cli.measured.predict._RARE", 1.0)
    assert "`nmr infer FILE" in nmr(project, "predict", str(echo), "--task", "W").out


def test_held_out_curves_are_predicted_as_the_evaluation_did(project, workspace):
    """The same models, windows, features and intervals, from raw records instead of feature tables."""
    rows = predicted(project, workspace.simulated("gaussian"), "--task", "W")
    answers = pd.DataFrame(rows).set_index("curve")
    champion = workspace.evaluated("W") / read_tuned(workspace, "W").champion.label
    recorded = pd.read_csv(champion / "tables" / "predictions.csv").set_index("curve")
    both = recorded.join(answers.add_suffix("_raw"))
    assert len(both) > 2
    for ours, theirs in (("prediction_raw", "predicted"), ("lower_raw", "lower"), ("upper_raw", "upper")):
        np.testing.assert_allclose(both[ours], both[theirs], rtol=2e-5, atol=1e-7)


def test_training_curves_are_like_the_training_set(project, workspace):
    rows = predicted(project, workspace.simulated("gaussian"), "--task", "W")
    assert len(rows) == 24
    assert np.mean([row["p_value"] <= 0.05 for row in rows]) < 0.2


def test_the_example_of_the_registered_model_is_the_first_curve_of_the_data(project, curves):
    recipe = read_params(project / "params.yaml").data.recipe("gaussian")
    np.testing.assert_array_equal(example_records(recipe)[""], curves["m"][0].to_numpy())


def test_a_model_can_be_named_in_every_way(project, echo):
    champion = predicted(project, echo, "--task", "W")
    with ModelStore(root=project).files("nmr-W") as folder:
        names = ["nmr-W", "nmr-W@champion", "models:/nmr-W@champion", "nmr-W/1", "models:/nmr-W/1", str(folder)]
        names.append(str(folder / "data" / "predictor"))
    for name in names:
        assert predicted(project, echo, "--model", name) == champion


def test_several_files_and_models_are_answered_in_order(project, workspace, echo):
    rows = predicted(project, echo, workspace.simulated("power"), "--model", "nmr-W", "--model", "nmr-power_vs_rest")
    assert len(rows) == 2 * (1 + 24)
    assert [(row["file"], row["task"]) for row in rows[:2]] == [(str(echo), "W"), (str(echo), "power_vs_rest")]


def test_times_may_be_in_other_units_and_intervals_of_another_coverage(project, curves, echo, tmp_path):
    in_ms = write_echo(tmp_path / "ms.csv", curves["time"].to_numpy() / 1000, curves["m"][0].to_numpy())
    (first,) = predicted(project, echo, "--task", "W")
    (second,) = predicted(project, in_ms, "--task", "W", "--unit", "ms", "--coverage", 0.5)
    assert second["prediction"] == first["prediction"]
    assert second["upper"] - second["lower"] < first["upper"] - first["lower"]


def test_a_scale_brings_a_measured_amplitude_to_that_of_the_simulation(project, curves, echo, tmp_path):
    volts = write_echo(tmp_path / "volts.csv", curves["time"].to_numpy(), 8.0 * curves["m"][0].to_numpy())
    (scaled,) = predicted(project, volts, "--task", "W", "--scale", 0.125)
    assert scaled["prediction"] == pytest.approx(predicted(project, echo, "--task", "W")[0]["prediction"], rel=1e-5)


def test_a_record_of_another_sampling_is_refused_unless_it_may_be_resampled(project, curves, tmp_path):
    time, m = curves["time"].to_numpy(), curves["m"][0].to_numpy()
    fine = np.arange(0.0, time[-1] + 0.05, 0.1)
    path = write_echo(tmp_path / "fine.csv", fine, np.interp(fine, time, m.real) + 1j * np.interp(fine, time, m.imag))
    sentence = refused(project, path, "--task", "W")
    assert "fine.csv` cannot be read by the model of task `W`: The curve must have a sample every 0.15915" in sentence
    (row,) = predicted(project, path, "--task", "W", "--resample", "cubic", "--scale", 1.0)
    assert 0.0 < row["prediction"] < 0.2


def test_a_height_that_was_guessed_is_refused_from_a_file_and_from_its_import(project, echo, tmp_path):
    assert "needs the height of the record, but it is a guess: give `--scale`" in refused(
        project, echo, "--task", "W", "--resample", "cubic"
    )
    values = tmp_path / "experiment.yaml"
    values.write_text(
        read_params(project / "params.yaml").data.recipe("gaussian").curve(0).experiment.model_dump_json()
    )
    imported = tmp_path / "echo.zarr"
    assert nmr_imported(echo, values, imported) == 0
    sentence = refused(project, imported, "--task", "W")
    assert "echo.zarr` cannot be read by the model of task `W`: Feature set `p" in sentence
    assert "needs the height of the record, but it is a guess: give `--scale` to `nmr import`" in sentence
    assert sentence.endswith("(`nmr infer` makes a model for the measurement.)")


def test_a_record_that_opens_after_the_second_pulse_is_read_around_the_echo(project, curves, tmp_path):
    time, m = curves["time"].to_numpy(), curves["m"][0].to_numpy()
    whole, late = (write_echo(tmp_path / f"{first}.csv", time[first:], m[first:]) for first in (0, 158))
    (of_late,), (of_whole,) = (predicted(project, path, "--task", "W") for path in (late, whole))
    assert of_late["prediction"] == of_whole["prediction"]
    later = write_echo(tmp_path / "later.csv", time[180:], m[180:])
    assert "us was not recorded: only a model of another window can read it" in refused(project, later, "--task", "W")


def test_a_data_set_of_another_sequence_is_refused(project, workspace, tmp_path):
    params = read_params(project / "params.yaml")
    experiment = params.data.recipe("gaussian").curve(0).experiment
    tipped = experiment.replace(sequence=experiment.sequence.replace(theta1=60.0))
    values = tmp_path / "experiment.yaml"
    values.write_text(tipped.model_dump_json())
    assert nmr_simulated(values, tmp_path / "echo.csv") == 0
    imported = tmp_path / "echo.zarr"
    assert nmr_imported(tmp_path / "echo.csv", values, imported) == 0
    assert "its `theta1` is 60.0 instead of 90.0" in refused(project, imported, "--task", "W")


def nmr_simulated(experiment, out):
    return nmr_alone("simulate", str(experiment), "--out", str(out)).code


def nmr_imported(source, experiment, out):
    return nmr_alone("import", str(source), "--experiment", str(experiment), "--out", str(out)).code


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--task", "xi"), "has no model `nmr-xi@champion`: `nmr evaluate --task <task>` or `dvc repro` makes one"),
        (("--model", "nmr-W/77"), "has no model `nmr-W/77`"),
        (("--model", "m-0123"), "has no model `m-0123`"),
        (("--model", "s3://bucket/model"), "must be called nmr-W@champion, nmr-W/3 or models:/<model id>"),
        (("--task", "W", "--model", "nmr-W"), "`--task` and `--model` must not be given together"),
        (("--task", "W", "--kernel", "rkky"), "Option `--kernel` has no meaning for format record."),
        (
            ("--task", "W", "--coverage", "1.5"),
            "`coverage` must lie between",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_is_allowed(project, echo, arguments, sentence):
    assert sentence in refused(project, echo, *arguments)


def test_files_that_are_no_echoes_are_refused(project, tmp_path):
    (tmp_path / "notes.csv").write_text("some\nwords\n")
    assert "notes.csv` is not a table of numbers: line 1 is `some`" in refused(project, tmp_path / "notes.csv")
    assert "is not a data set" in refused(project, tmp_path)
    assert "gone.csv" in refused(project, tmp_path / "gone.csv")


def test_without_a_registry_the_command_that_makes_a_model_is_named(tmp_path, echo):
    (tmp_path / "params.yaml").touch()
    assert "no model is registered yet: `nmr evaluate --task <task>`" in refused(tmp_path, echo)


def test_a_registry_without_champions_names_the_command_that_makes_one(tmp_path, echo, migrated_database):
    copy_database(migrated_database, tmp_path / "mlflow.db")
    assert "has no champion yet: `nmr evaluate --task <task>`" in refused(tmp_path, echo)


def test_a_model_that_was_tampered_with_is_refused(project, echo, tmp_path):
    with ModelStore(root=project).files("nmr-W") as folder:
        model = shutil.copytree(folder, tmp_path / "model")
    detector = model / "data" / "predictor" / "detector" / "Pipeline.skops"
    skops.io.dump(FunctionTransformer(np.testing.rundocs), detector)
    assert "Pipeline.skops` was changed since it was written" in refused(project, echo, "--model", model)


def test_a_folder_that_holds_another_program_s_model_is_refused_unread(project, echo, tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {python_function: {loader_module: os}}")
    assert "holds no model of this package" in refused(project, echo, "--model", tmp_path)


def test_predicting_reads_no_training_data(project, workspace, echo, tmp_path):
    """A project without data, features and results, but with its registry."""
    assert read_features(workspace).tables
    hidden = [project / name for name in ("data", "results")]
    moved = [folder.rename(tmp_path / folder.name) for folder in hidden]
    try:
        assert len(predicted(project, echo)) == len(TASKS)
    finally:
        for original, elsewhere in zip(hidden, moved, strict=True):
            elsewhere.rename(original)
