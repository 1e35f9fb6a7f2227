"""The whole pipeline ran once on a small project: what it left behind."""

import csv
import json
import re

import pytest

from nmr_platform.config import read_params
from nmr_platform.datasets import load
from nmr_platform.inference import Predictor
from nmr_platform.physics import Experiment
from nmr_platform.schema import read_yaml
from nmr_platform.stages.features import read_features
from nmr_platform.stages.standing import read_scores
from nmr_platform.stages.tune import read_tuned
from nmr_platform.workspace import Workspace
from tests.stages.tiny import KERNELS, TASKS, champion_of, contents

EXPLAINED = {"importances", "importances_by_power", "shap", "shap_by_power", "top_features"}
ROBUST = {"learning_curve", "noise", "lattice"}
# The only other lattice is no picture but a sentence of the report.
DRAWN = EXPLAINED | ROBUST - {"lattice"}
FIGURES = {
    "W": {"parity", "coverage"} | DRAWN,
    "power_vs_rest": {"confusion", "confusion_by_w", "reliability", "scores_by_exponent"} | DRAWN,
}
PULSE_FIGURES = {"map", "history", "echoes", "pareto", "sequence", "verdict"}


def metrics(project, name):
    return json.loads((project / "metrics" / f"{name}.json").read_text())


def names(folder, pattern):
    return {file.stem for file in folder.glob(pattern)}


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_kernel_has_the_data_set_that_params_ask_for(project, kernel):
    dataset = load(Workspace(project).simulated(kernel))
    assert dataset.attrs["digest"] == read_params(project / "params.yaml").data.recipe(kernel).digest
    assert set(dataset["kernel"].to_numpy()) == {kernel}
    assert dataset.sizes["curve"] == 24


def test_feature_tables_have_a_row_a_curve_in_the_order_of_the_labels(project):
    features = read_features(Workspace(project))
    assert {name: table.shape for name, table in features.tables.items()} == {
        "pointwise-magnitude": (72, 300),
        "polynomial-magnitude": (72, 76),
    }
    assert list(features.labels["kernel"]) == [kernel for kernel in KERNELS for _ in range(24)]
    assert [record.name for record in features.datasets] == list(KERNELS)
    assert features.datasets[0].source == "data/simulated/gaussian.zarr"
    taken = features.acquisition[""]
    assert features.mean_echo[""].index[taken.echo_index] == pytest.approx(50.0, abs=taken.step)


@pytest.mark.parametrize("task", TASKS)
def test_tuning_keeps_a_study_for_each_family(project, task):
    tuned = read_tuned(Workspace(project), task)
    assert [study.label for study in tuned.studies] == [
        "random_forest/polynomial-magnitude",
        "xgboost/polynomial-magnitude",
    ]
    assert [study.n_trials for study in tuned.studies] == [2, 2]


@pytest.mark.parametrize("task", TASKS)
def test_evaluation_leaves_the_figures_and_tables_of_its_kind_of_task(project, task):
    folder = champion_of(project, task)
    assert names(folder, "figures/*.png") == FIGURES[task]
    own = {"confusion", "confusion_by_w", "reliability", "scores_by_exponent"} if task != "W" else set()
    assert names(folder, "tables/*.csv") == {"predictions", "importances", "scores_by_w"} | ROBUST | own


@pytest.mark.parametrize("task", TASKS)
def test_every_model_is_written_with_what_is_shown_of_it(project, task):
    for study in read_tuned(Workspace(project), task).studies:
        folder = Workspace(project).evaluated(task) / study.label
        shown = json.loads((folder / "run.json").read_text())
        assert (shown["run"]["experiment"], shown["run"]["name"]) == (task, study.run_name)
        assert {"importances", "top_features"} <= names(folder, "figures/*.png")
        assert {"predictions", "importances", "scores_by_w"} <= names(folder, "tables/*.csv")
        assert Predictor.load(folder / "model" / "predictor").facts.task_name == task
        assert not [path for path in folder.rglob("*") if path.suffix in {".pkl", ".pickle", ".joblib"}]


@pytest.mark.parametrize("task", TASKS)
def test_noise_of_size_zero_leaves_the_score_as_it_was(project, task):
    metric = "r2" if task == "W" else "f1_weighted"
    score = metrics(project, task)["score"]
    with (champion_of(project, task) / "tables" / "noise.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == metric]
    assert [row["sigma"] for row in rows] == ["0", "0.001"]
    assert float(rows[0]["value"]) == pytest.approx(score, abs=1e-5)


def test_other_lattices_are_tried_with_new_curves_of_every_kernel(project):
    with (champion_of(project, "power_vs_rest") / "tables" / "lattice.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["n_spins"], row["n"]) for row in rows} == {("36", "30")}


@pytest.mark.parametrize(("task", "metric"), [("W", "r2"), ("power_vs_rest", "f1_weighted")])
def test_metrics_name_the_champion_and_its_score_with_an_interval(project, task, metric):
    content = metrics(project, task)
    assert list(content) == ["champion", "score", "lower", "upper", "cv", "n_train", "n_test"]
    own = read_scores(Workspace(project), task)["models"][content["champion"]]["scores"][metric]
    assert (content["score"], content["lower"], content["upper"]) == (own["value"], own["lower"], own["upper"])
    assert content["lower"] <= content["score"] <= content["upper"]
    assert content["n_train"] + content["n_test"] == (24 if task == "W" else 72)


@pytest.mark.parametrize("task", TASKS)
def test_the_champion_is_the_one_of_tuning_whatever_the_test_part_says(project, task):
    assert metrics(project, task)["champion"] == read_tuned(Workspace(project), task).champion.label


def test_no_held_out_curve_shares_its_disorder_with_a_training_curve(project):
    features = read_features(Workspace(project))
    with (champion_of(project, "power_vs_rest") / "tables/predictions.csv").open() as file:
        tested = {row["disorder"] for row in csv.DictReader(file)}
    training = set(features.labels["disorder"]) - tested
    assert len(tested) == metrics(project, "power_vs_rest")["n_test"]
    assert len(training) == metrics(project, "power_vs_rest")["n_train"]


def test_the_best_sequence_is_an_experiment_that_can_be_simulated(project):
    experiment = Experiment.model_validate(read_yaml(project / "results/pulses/sequences/best-1.yaml"))
    summary = json.loads((project / "results/pulses/summary.json").read_text())
    assert experiment.sequence.theta1 == pytest.approx(summary["best"]["parameters"]["theta1"], rel=1e-5)
    assert experiment.sequence.tau == pytest.approx(summary["best"]["parameters"]["tau"], rel=1e-5)
    assert names(project / "results/pulses/sequences", "*.csv") == {"90-180", "best-1"}


def test_the_pulse_search_leaves_its_history_with_the_textbook_first(project):
    with (project / "results/pulses/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    assert (rows[0]["theta1"], rows[0]["theta2"]) == ("90", "180")
    assert names(project / "results/pulses", "figures/*.png") == PULSE_FIGURES
    best = max(rows, key=lambda row: float(row["score"]))
    content = metrics(project, "pulses")
    assert list(content) == ["theta1", "theta2", "tau", "baseline", "best", "gain_lower", "gain_upper"]
    assert content["theta1"] == float(best["theta1"])


def test_no_file_that_dvc_hashes_holds_a_duration_or_where_the_project_lies(project):
    outputs = contents(project)
    assert not [name for name, content in outputs.items() if str(project).encode() in content]
    text = b"\n".join(outputs.values())
    assert not re.search(rb"wall_seconds|trial_seconds|tracking|fit_seconds|run_id", text)


def test_nothing_half_written_is_left_beside_the_outputs(project):
    assert not [name for name in contents(project) if re.search(r"\.partial|\.tmp|/\.[^z]", name)]
