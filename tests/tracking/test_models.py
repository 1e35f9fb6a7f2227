from pathlib import Path

import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from nmr_platform.errors import TrackingError
from nmr_platform.tracking import PATCH, RunEntry
from nmr_platform.tracking.mlflow import ModelStore
from nmr_platform.tracking.mlflow.registry import find_version, origin_of
from tests.tracking.contract import STUDY, linear_model


def predict(path: str, table: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
    from mlflow.pyfunc import load_model  # its import warns, which the tracker has silenced by now

    return load_model(path).predict(table, params)


@pytest.fixture
def _read_from_here(tracker, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.address.uri)  # for loading only: MLflow's readers use it


@pytest.mark.usefixtures("_read_from_here")
def test_a_model_predicts_the_same_after_loading(tracker, tmp_path):
    model = linear_model(tmp_path, slope=3.0)
    example = model.example
    run_id = tracker.open_run(STUDY)
    path = download_artifacts(tracker.log_model(run_id, model))
    pd.testing.assert_frame_equal(predict(path, example), model.answer)
    assert predict(path, example, {"offset": 1.0})["value"].tolist() == [1.0, 4.0, 7.0]
    about = Model.load(path)
    assert about.run_id == run_id
    assert about.load_input_example(path).to_dict("list") == example.to_dict("list")
    assert {column.name: column.required for column in about.signature.inputs.inputs} == {"a": True, "b": False}


@pytest.mark.usefixtures("_read_from_here")
def test_a_column_may_be_left_out_if_the_model_says_so(tracker, tmp_path):
    model = linear_model(tmp_path)
    path = download_artifacts(tracker.log_model(tracker.open_run(STUDY), model))
    assert predict(path, model.example[["a"]])["value"].tolist() == [0.0, 2.0, 4.0]


@pytest.mark.usefixtures("_read_from_here")
def test_a_refusal_of_the_model_reaches_the_caller_as_its_sentence(tracker, tmp_path):
    model = linear_model(tmp_path)
    path = download_artifacts(tracker.log_model(tracker.open_run(STUDY), model))
    with pytest.raises(MlflowException, match=r"^Column `a` must not be negative\.$") as caught:
        predict(path, -1.0 - model.example[["a"]])
    assert caught.value.get_http_status_code() == 400


@pytest.mark.usefixtures("_read_from_here")
def test_nothing_in_the_files_of_a_model_is_pickled_or_code(tracker, tmp_path):
    path = Path(download_artifacts(tracker.log_model(tracker.open_run(STUDY), linear_model(tmp_path))))
    suffixes = {file.suffix for file in path.rglob("*") if file.is_file()}
    assert suffixes <= {"", ".json", ".txt", ".yaml"}


@pytest.mark.usefixtures("_read_from_here")
def test_a_model_names_its_requirements_once_and_exactly(tracker, tmp_path):
    address = tracker.log_model(tracker.open_run(STUDY), linear_model(tmp_path))
    lines = (Path(download_artifacts(address)) / "requirements.txt").read_text().splitlines()
    assert sorted(line.partition("==")[0] for line in lines) == ["mlflow", "numpy", "pandas", "xgboost-cpu"]


def test_a_model_is_an_output_of_its_run_and_carries_its_score(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    address = tracker.log_model(run_id, linear_model(tmp_path, score=0.8, metric="test_r2"))
    run = client.get_run(run_id)
    (output,) = run.outputs.model_outputs
    logged = client.get_logged_model(output.model_id)
    assert address == f"models:/{logged.model_id}"
    assert (logged.status, logged.source_run_id) == ("READY", run_id)
    assert [(metric.key, metric.value) for metric in logged.metrics] == [("test_r2", 0.8)]
    assert logged.tags["data.gaussian"] == STUDY.datasets[0].digest


def scored(place, score, slope=2.0, *, half_width=0.02, **facts):
    interval = {"lower": score - half_width, "upper": score + half_width}
    said = {"metric": "test_r2", "tags": {"task": "w", "trial": "3"}, **facts}
    return linear_model(place, slope, registered_name="nmr-w", score=score, **interval, **said)


def test_the_champion_moves_only_to_a_model_that_is_better_beyond_doubt(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    champions, reasons = [], []
    for slope, score in enumerate((0.5, 0.4, 0.53, 0.6, float("nan"))):
        tracker.log_model(run_id, scored(tmp_path, score, slope))
        champion = client.get_model_version_by_alias("nmr-w", "champion")
        champions.append(int(champion.version))
        newest = max(client.search_model_versions("name = 'nmr-w'"), key=lambda version: int(version.version))
        reasons.append(newest.tags["champion.reason"])
    assert champions == [1, 1, 1, 4, 4]
    assert reasons == [
        "champion: the first version with a score (test_r2 0.5 [0.48, 0.52])",
        "not champion: test_r2 0.4 [0.38, 0.42] is not above 0.5 [0.48, 0.52] of version 1",
        "not champion: test_r2 0.53 [0.51, 0.55] is above 0.5 [0.48, 0.52] of version 1, but the intervals overlap",
        "champion: test_r2 0.6 [0.58, 0.62] lies above 0.5 [0.48, 0.52] of version 1",
        "not champion: test_r2 is nan",
    ]


def test_a_score_without_an_interval_replaces_nobody(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    for score in (0.5, 0.9):
        tracker.log_model(run_id, linear_model(tmp_path, score, registered_name="nmr-w", score=score, metric="test_r2"))
    assert find_version(client, "nmr-w").version == 1
    assert "both must have a confidence interval" in find_version(client, "nmr-w", "2").tags["champion.reason"]


def test_a_version_can_be_traced_to_commit_data_study_and_trial(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    tracker.log_model(run_id, scored(tmp_path, 0.5))
    origin = origin_of(find_version(client, "nmr-w"))
    assert (origin.name, origin.version, origin.run_id, origin.task) == ("nmr-w", "1", run_id, "w")
    assert (origin.study, origin.trial) == ("w/forest-gaussian-00ff", "3")
    assert origin.data == {"gaussian": STUDY.datasets[0].digest}
    assert origin.commit == client.get_run(run_id).data.tags["mlflow.source.git.commit"]
    assert (origin.score, origin.lower, origin.upper) == (0.5, 0.48, 0.52)
    assert origin.command == "nmr track reproduce nmr-w --version 1"


def test_a_version_that_does_not_exist_is_one_sentence(tracker, client, tmp_path):
    tracker.log_model(tracker.open_run(STUDY), scored(tmp_path, 0.5))
    for name, version in (("nmr-w", "7"), ("nmr-z", "champion")):
        with pytest.raises(TrackingError, match=f"Model `{name}` has no version or alias `{version}`"):
            find_version(client, name, version)


def test_scores_of_different_metrics_are_not_compared(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    for metric, score in (("test_r2", 0.5), ("test_f1", 0.9)):
        tracker.log_model(run_id, linear_model(tmp_path, score, registered_name="nmr-w", score=score, metric=metric))
    assert client.get_model_version_by_alias("nmr-w", "champion").version == 1
    reason = client.get_model_version("nmr-w", "2").tags["champion.reason"]
    assert reason == "not champion: test_f1 cannot be compared with test_r2 of version 1"


@pytest.mark.usefixtures("_read_from_here")
def test_the_champion_can_be_loaded_by_its_alias(tracker, tmp_path):
    model = linear_model(tmp_path, slope=3.0, registered_name="nmr-w", score=0.5, metric="test_r2")
    tracker.log_model(tracker.open_run(STUDY), model)
    path = download_artifacts("models:/nmr-w@champion")
    assert predict(path, model.example)["value"].tolist() == [0.0, 3.0, 6.0]


def test_a_model_is_attached_to_its_run_inside_mlflow_run(tracker, client, monkeypatch, tmp_path):
    outer = client.create_run(client.create_experiment("project")).info
    monkeypatch.setenv("MLFLOW_RUN_ID", outer.run_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", outer.experiment_id)
    run_id = tracker.open_run(RunEntry("regression", "inside"))
    address = tracker.log_model(run_id, linear_model(tmp_path))
    logged = client.get_logged_model(address.removeprefix("models:/"))
    assert logged.source_run_id == run_id
    assert client.get_experiment(logged.experiment_id).name == "regression"


def test_a_model_that_cannot_be_written_is_marked_failed(tracker, client, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("disk full")

    model, run_id = linear_model(tmp_path), tracker.open_run(STUDY)
    with monkeypatch.context() as patch, pytest.raises(TrackingError, match="failed at `log_model`: disk full"):
        patch.setattr("mlflow.pyfunc.save_model", full)
        tracker.log_model(run_id, model)
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert client.get_logged_model(output.model_id).status == "FAILED"
    address = tracker.log_model(run_id, model)
    assert client.get_logged_model(address.removeprefix("models:/")).status == "READY"


def test_the_same_model_of_the_same_run_is_kept_and_registered_once(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    first = tracker.log_model(run_id, scored(tmp_path, 0.5))
    assert tracker.log_model(run_id, scored(tmp_path, 0.5)) == first
    assert len(client.search_model_versions("name = 'nmr-w'")) == 1
    other = scored(tmp_path, 0.5)
    (other.files / "slope.txt").write_text("2.5")
    assert tracker.log_model(run_id, other) != first
    assert len(client.search_model_versions("name = 'nmr-w'")) == 2


def test_a_model_that_is_evaluated_with_other_settings_stays_the_version_that_it_is(tracker, client, root, tmp_path):
    run_id = tracker.open_run(STUDY)
    first = tracker.log_model(run_id, scored(tmp_path, 0.5, patch="diff --git a/params.yaml b/params.yaml\n"))
    again = scored(tmp_path, 0.5, half_width=0.03, card="# Wider", tags={"task": "w", "trial": "4"})
    for _ in range(2):
        assert tracker.log_model(run_id, again) == first
    (version,) = client.search_model_versions("name = 'nmr-w'")
    origin = origin_of(version)
    assert (origin.score, origin.lower, origin.upper, origin.trial) == (0.5, 0.47, 0.53, "4")
    assert version.tags["champion.reason"] == "champion: the first version with a score (test_r2 0.5 [0.48, 0.52])"
    logged = client.get_logged_model(first.removeprefix("models:/"))
    assert version.description == logged.tags["mlflow.note.content"] == "# Wider"
    assert [(metric.key, metric.value) for metric in logged.metrics] == [("test_r2", 0.5)]
    with ModelStore(root=root).files("nmr-w/1") as files:
        assert (files / PATCH).read_bytes() == b""


def test_a_version_becomes_champion_when_another_evaluation_puts_it_beyond_doubt(tracker, client, tmp_path):
    run_id = tracker.open_run(STUDY)
    for slope, score in enumerate((0.5, 0.53)):
        tracker.log_model(run_id, scored(tmp_path, score, slope))
    assert find_version(client, "nmr-w").version == 1
    tracker.log_model(run_id, scored(tmp_path, 0.53, 1, half_width=0.005))
    assert find_version(client, "nmr-w").version == 2
    assert len(client.search_model_versions("name = 'nmr-w'")) == 2


@pytest.mark.usefixtures("_read_from_here")
def test_versions_that_a_model_was_made_with_are_kept(tracker, tmp_path):
    model = linear_model(tmp_path, requirements=("numpy==2.0.0", "pandas"))
    address = tracker.log_model(tracker.open_run(STUDY), model)
    assert "numpy==2.0.0" in (Path(download_artifacts(address)) / "requirements.txt").read_text().splitlines()


def test_a_version_keeps_the_changes_that_it_was_made_with(tracker, root, tmp_path):
    """Whatever is made later in the same run, from a clean commit for instance."""
    run_id = tracker.open_run(STUDY)
    patches = ["diff --git a/a.py b/a.py\n+caf\udce9\n", "", "diff --git a/b.py b/b.py\n"]
    for slope, patch in enumerate(patches):
        facts = {"registered_name": "nmr-w", "score": 0.5, "metric": "test_r2", "patch": patch}
        tracker.log_model(run_id, linear_model(tmp_path, float(slope), **facts))
    kept = []
    for number in (1, 2, 3):
        with ModelStore(root=root).files(f"nmr-w/{number}") as files:
            kept.append((files / PATCH).read_bytes() if (files / PATCH).exists() else b"")
    assert kept == [b"diff --git a/a.py b/a.py\n+caf\xe9\n", b"", b"diff --git a/b.py b/b.py\n"]
