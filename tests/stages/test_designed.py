"""The small project's designed measurement: what its chain leaves, and what the report says of it."""

import json

import numpy as np
import yaml

from nmr_platform.datasets import load, load_records
from nmr_platform.stages.report import read_scores
from nmr_platform.workspace import Workspace
from tests.stages.test_report import markdown, table_below
from tests.stages.tiny import nmr

HEADING = "## One echo or a designed measurement"


def test_the_data_are_of_the_measurement_that_was_found(project):
    found = yaml.safe_load((project / "results" / "pulses" / "best.yaml").read_text())["sequences"]
    records = load_records(Workspace(project, is_designed=True).simulated("gaussian"))
    assert list(records) == list(found)
    recipe = json.loads(next(iter(records.values())).attrs["recipe"])
    assert recipe["experiment"]["sequence"] == found["s1"]


def test_the_samples_are_those_of_the_other_data(project):
    one = load(Workspace(project).simulated("power"))
    other = next(iter(load_records(Workspace(project, is_designed=True).simulated("power")).values()))
    for name in ("curve", "W", "X", "disorder"):
        assert np.array_equal(one[name], other[name]), name


def test_metrics_have_the_form_of_the_others(project):
    metrics = [json.loads(Workspace(project).metrics(name).read_text()) for name in ("W", "designed-W")]
    assert [*metrics[0]] == [*metrics[1]]
    assert metrics[0]["n_test"] == metrics[1]["n_test"]


def test_the_report_begins_with_what_both_tell(project):
    text = markdown(project)
    assert text.index(HEADING) < text.index("## Data")
    header, row = table_below(text, HEADING)
    assert header[:2] == ["question", "score"]
    for cell, name in ((row[2], "W"), (row[3], "designed-W")):
        scores = read_scores(Workspace(project), name)
        assert cell.startswith(f"{scores['models'][scores['champion']]['scores']['r2']['value']:.3f} (")


def test_a_champion_of_its_own_is_registered_and_named_for_predictions(project, monkeypatch, tmp_path):
    data = Workspace(project, is_designed=True).simulated("gaussian")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project / 'mlflow.db'}")
    ended = nmr(project, "predict", str(data), "--task", "designed-W", "--json")
    assert ended.code == 0, ended.err
    answers = json.loads(ended.out)["predictions"]
    assert len(answers) == 24
    assert {answer["quantity"] for answer in answers} == {"W"}


def test_a_report_without_its_results_names_the_command(spoilable):
    scores = Workspace(spoilable).evaluated("designed-W") / "scores.json"
    scores.unlink()
    (scores.parent / "SHA256SUMS").unlink()
    ended = nmr(spoilable, "report")
    assert ended.code == 2
    assert "make it again with `dvc repro evaluate_designed`" in ended.err
