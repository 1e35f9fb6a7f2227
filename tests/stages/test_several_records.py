"""A small project whose measurement has two sequences: features, tuning, evaluation and prediction."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from nmr_platform.datasets import load_records
from nmr_platform.exchange import export_dataset
from nmr_platform.features import Acquisition
from nmr_platform.inference import Predictor
from nmr_platform.stages.features import read_features
from nmr_platform.tracking.mlflow.model_store import ModelStore
from nmr_platform.workspace import Workspace
from tests.databases import copy_database
from tests.stages.tiny import champion_of, isolate, nmr, tiny_values, write_params

SEQUENCES = {"long": {"kind": "hahn", "tau": 25.0}, "short": {"kind": "hahn", "tau": 18.0}}
BOTH = {
    "kind": "combined",
    "name": "both",
    "of": [{"kind": "polynomial", "signal": "magnitude"}, {"kind": "decay", "signal": "complex"}],
}
OF_SHORT = {"kind": "polynomial", "signal": "magnitude", "records": ["short"]}


def values():
    """The small project with one kernel, one task and two sequences."""
    plain = tiny_values()
    experiment = {key: value for key, value in plain["data"]["experiment"].items() if key != "sequence"}
    plain["data"]["experiment"] = experiment | {"sequences": SEQUENCES}
    plain["data"]["kernels"] = {"gaussian": plain["data"]["kernels"]["gaussian"]}
    plain["features"]["sets"] = [BOTH, OF_SHORT]
    plain["tune"] |= {"feature_sets": ["both"], "families": ["xgboost"]}
    plain["tasks"] = {"W": plain["tasks"]["W"]}
    plain["disorder_comparison"]["feature_set"] = "both"
    del plain["designed"]
    return plain


@pytest.fixture(scope="module")
def measured(tmp_path_factory, migrated_database):
    """The project, from data to the registered model."""
    root = tmp_path_factory.mktemp("measured")
    write_params(root, values())
    copy_database(migrated_database, root / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root)
        for command in (
            ("generate", "--kernel", "gaussian"),
            ("features",),
            ("tune", "--task", "W"),
            ("evaluate", "--task", "W"),
            ("compare-disorder",),
            ("report",),
        ):
            ended = nmr(root, *command)
            assert ended.code == 0, ended.err
    return root


@pytest.fixture
def records(measured):
    return load_records(Workspace(measured).simulated("gaussian"))


def predicted(project, *arguments):
    ended = nmr(project, "predict", *map(str, arguments), "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["predictions"]


def test_feature_tables_have_columns_of_each_record_and_of_both(measured, records):
    features = read_features(Workspace(measured))
    table = features.tables["both"]
    assert table.shape == (24, 2 * 76 + 2 * 3 + 3)
    assert {name.split(".")[1] for name in table} == {"long", "short", "decay_rate", "decay_time", "phase_slope"}
    assert all(name.startswith("short.") for name in features.tables["polynomial-magnitude-of-short"])
    assert features.acquisition == {name: Acquisition.of_dataset(each) for name, each in records.items()}
    for name, mean_echo in features.mean_echo.items():
        np.testing.assert_array_equal(mean_echo.index, records[name]["time"])
        np.testing.assert_allclose(mean_echo["gaussian"], np.abs(records[name]["m"]).mean(axis=0), rtol=1e-6)
    (entry,) = features.datasets
    assert entry.profile["samples"] == {name: each.sizes["time"] for name, each in records.items()}


def test_importances_are_drawn_over_the_echo_of_each_record(measured):
    drawn = {path.stem for path in (champion_of(measured, "W") / "figures").glob("*.png")}
    assert {"importances_long", "importances_short", "shap_long", "top_features", "noise"} <= drawn
    assert not {"importances", "shap"} & drawn


def test_the_report_shows_each_record(measured):
    text = (measured / "reports" / "report.md").read_text()
    for name in SEQUENCES:
        assert f"figures/echoes-gaussian_{name}.png" in text
        assert f"Record {name}: where in the record the champion looks" in text
        assert (measured / "reports" / "figures" / f"W-importances_{name}.png").exists()


def test_other_noise_and_lattices_are_tried_on_all_records(measured):
    tables = champion_of(measured, "W") / "tables"
    scores = pd.read_csv(champion_of(measured, "W").parents[1] / "scores.csv").set_index("metric")
    noise, lattice = pd.read_csv(tables / "noise.csv"), pd.read_csv(tables / "lattice.csv")
    silent = noise[(noise["sigma"] == 0) & (noise["metric"] == "r2")]["value"].item()
    assert silent == pytest.approx(scores.loc["r2", "value"], abs=1e-5)
    assert set(lattice["n_spins"]) == {36}


def test_the_model_of_the_registry_answers_as_the_evaluation_did(measured):
    answers = pd.DataFrame(predicted(measured, Workspace(measured).simulated("gaussian"))).set_index("curve")
    held_out = pd.read_csv(champion_of(measured, "W") / "tables" / "predictions.csv").set_index("curve")
    both = held_out.join(answers.add_suffix("_raw"))
    np.testing.assert_allclose(both["prediction_raw"], both["predicted"], rtol=2e-5, atol=1e-7)
    np.testing.assert_allclose(both["upper_raw"], both["upper"], rtol=2e-5, atol=1e-7)
    assert list(Predictor.load(champion_of(measured, "W") / "model" / "predictor").facts.records) == ["long", "short"]


def test_a_request_to_the_served_model_has_columns_of_each_record(measured, records):
    from mlflow.pyfunc import load_model  # its import warns, which the pipeline has silenced by now

    cells = {}
    for name, each in records.items():
        m = each["m"][3].to_numpy()
        for key, values in (("time", each["time"].to_numpy()), ("real", m.real), ("imag", m.imag)):
            cells[f"{key}.{name}"] = [values.astype(float).tolist()]
    with ModelStore(root=measured).files("nmr-W") as folder:
        served = load_model(str(folder))
        answer = served.predict(pd.DataFrame(cells))
        with pytest.raises(MlflowException, match=r"imag\.short"):
            served.predict(pd.DataFrame(cells).drop(columns="imag.short"))
    (expected,) = predicted(measured, Workspace(measured).simulated("gaussian"))[3:4]
    assert answer["prediction"].item() == pytest.approx(expected["prediction"], rel=1e-6)


def test_the_records_of_a_file_of_another_format_are_read_too(measured, records, tmp_path):
    export_dataset(records, tmp_path / "set.h5", format="hdf5")
    stored = predicted(measured, Workspace(measured).simulated("gaussian"))
    exported = predicted(measured, tmp_path / "set.h5")
    assert [row["prediction"] for row in exported] == [row["prediction"] for row in stored]
    ended = nmr(measured, "predict", f"--record=long={tmp_path / 'set.h5'}")
    assert "set.h5` must hold one record to be read as `long`, but holds long, short." in " ".join(ended.err.split())


def test_records_in_files_of_their_own_are_told_by_their_names(measured, records, tmp_path):
    files = {}
    for name, each in records.items():
        files[name] = tmp_path / f"{name}.csv"
        m = each["m"][3].to_numpy()
        np.savetxt(files[name], np.column_stack([each["time"], m.real, m.imag]), delimiter=",", fmt="%.9g")
    named = [f"--record={name}={path}" for name, path in files.items()]
    (answer,) = predicted(measured, *named)
    whole = predicted(measured, Workspace(measured).simulated("gaussian"))
    assert answer["prediction"] == pytest.approx(whole[3]["prediction"], rel=1e-4)
    assert answer["file"] == f"long={files['long']} short={files['short']}"
    for arguments, sentence in (
        (named[:1], r"the records that the model learnt from \(`long`, `short`\), but has `long`\."),
        ([files["long"]], r"\(`long`, `short`\), but has the one of a single sequence\."),
        (["--record", "long"], r"Option `--record` must be NAME=FILE, each name once, but is 'long'\."),
        ([*named, named[0]], "each name once"),
        ([], "`files` must name a file, or `--record` those of a measurement"),
    ):
        ended = nmr(measured, "predict", *map(str, arguments))
        assert (ended.code, ended.out) == (2, "")
        assert re.search(sentence, " ".join(ended.err.split()))


def test_a_data_set_of_other_sequences_is_refused(measured, tmp_path):
    other = values()
    other["data"]["experiment"]["sequences"] = {"long": SEQUENCES["long"], "late": SEQUENCES["short"]}
    other["features"]["sets"] = [BOTH]
    path = write_params(tmp_path, other)
    (tmp_path / "data").symlink_to(measured / "data")
    ended = nmr(path.parent, "features")
    assert ended.code == 2
    assert re.search(
        r"is not the one that params.yaml asks for \(digest long .*, short .*, wanted long .*, late", ended.err
    )


def test_a_set_that_does_not_fit_the_measurement_is_refused_before_anything_runs(tmp_path):
    for change, sentence in (
        ({"records": ["late"]}, r"`features\.sets\.1\.records` must name records of the measurement \(long, short\)"),
        ({"half_width": 200}, r"Record `short`: Key `features\.sets\.1\.half_width` must keep the window inside"),
    ):
        bad = values()
        bad["features"]["sets"][1] = OF_SHORT | change
        write_params(tmp_path, bad)
        ended = nmr(tmp_path, "features")
        assert ended.code == 2
        assert re.search(sentence, " ".join(ended.err.split())), ended.err
