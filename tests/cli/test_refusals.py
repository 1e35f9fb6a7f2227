"""Bad input ends with exit code 2 and one sentence, and overwrites nothing."""

import json
import re
import shutil

import pytest

from tests.stages.tiny import KERNELS, contents, merged, nmr, nmr_alone, tiny_values, write_params
from tests.test_config import invalid

QUIET = ("--tracker", "none")


@pytest.fixture
def refused(spoilable):
    """Run a command that must be refused and leave every output as it was; return its sentence."""

    def run(*arguments):
        before = contents(spoilable)
        ended = nmr(spoilable, *arguments)
        assert ended.code == 2, (ended.out, ended.err)
        assert ended.out == ""
        sentence = ended.err.strip()
        assert sentence.startswith("Error: ")
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert contents(spoilable) == before
        return sentence.removeprefix("Error: ")

    run.project = spoilable
    return run


def overlay(project, values):
    write_params(project, merged(tiny_values(), values))


@pytest.mark.parametrize(
    "name",
    [
        "misspelt-key",
        "misspelt-section",
        "negative-linewidth",
        "kernel-without-its-range",
        "range-upside-down",
        "window-outside-the-record",
        "verdict-on-a-data-set-s-seed",
    ],
)
def test_invalid_parameters_are_refused_before_any_work(refused, name):
    case = invalid(name)
    write_params(refused.project, case.values)
    assert case.fault.removeprefix("In `params.yaml`, ") in refused("generate", "--kernel", "power")


@pytest.mark.parametrize("command", [("features",), ("tune", "--task", "W"), ("optimise-pulses",), ("report",)])
def test_every_stage_reads_the_parameters_first(refused, command):
    overlay(refused.project, {"split": {"test_fraction": -1.0}})
    assert "Key `split.test_fraction` is -1.0" in refused(*command)


def test_a_missing_parameter_file_is_named(refused):
    (refused.project / "params.yaml").unlink()
    assert re.search(r"File `.*params\.yaml` does not exist", refused("features"))


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("generate", "--kernel", "gausian"), "`kernel` must be one of gaussian, power, rkky, but is 'gausian'"),
        (("tune", "--task", "w", *QUIET), "`task` must be one of W, power_vs_rest, but is 'w'"),
        (("evaluate", "--task", "w", *QUIET), "`task` must be one of W, power_vs_rest, but is 'w'"),
    ],
)
def test_an_unknown_name_is_refused_with_those_there_are(refused, command, sentence):
    assert sentence in refused(*command)


@pytest.mark.parametrize(
    ("missing", "command", "sentence"),
    [
        ("data/simulated/power.zarr", ("features",), "power.zarr` does not exist or is not a data set"),
        ("data/features", ("tune", "--task", "W", *QUIET), "facts.json` does not exist yet; make it with `dvc repro "),
        ("data/features", ("evaluate", "--task", "W", *QUIET), "make it with `dvc repro features`"),
        ("results/tune/W.json", ("evaluate", "--task", "W", *QUIET), "make it with `dvc repro tune`"),
        ("results/evaluate/power_vs_rest", ("report",), "make it with `dvc repro evaluate`"),
        ("results/disorder", ("report",), "make it with `dvc repro compare_disorder`"),
        ("data/simulated/rkky.zarr", ("report",), "make it with `dvc repro simulate`"),
    ],
)
def test_a_stage_that_has_not_run_is_named_with_its_command(refused, missing, command, sentence):
    path = refused.project / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert sentence in refused(*command)


def test_a_data_set_of_another_format_version_is_refused(refused):
    folder = refused.project / "data" / "simulated" / "gaussian.zarr"
    metadata = folder / "zarr.json"
    metadata.write_text(metadata.read_text().replace('"format_version": 2', '"format_version": 99'))
    sentence = refused("features")
    assert "gaussian.zarr` has format version 99" in sentence
    assert "reads version 2" in sentence


def test_a_data_set_that_params_no_longer_ask_for_is_refused(refused):
    overlay(refused.project, {"data": {"n_curves": 30}})
    assert "gaussian.zarr` is not the one that params.yaml asks for" in refused("features")


def test_frozen_disorder_is_refused_unless_asked_for(refused):
    project = refused.project
    overlay(project, {"data": {"disorder": "frozen"}})
    for command in (*(("generate", "--kernel", kernel) for kernel in KERNELS), ("features",)):
        assert nmr(project, *command).code == 0
    sentence = refused("tune", "--task", "W", *QUIET)
    assert sentence.startswith("The curves of every kernel must come from several disorder realisations")
    assert "set `frozen_disorder: curve`" in sentence

    overlay(project, {"data": {"disorder": "frozen"}, "split": {"frozen_disorder": "curve"}})
    assert nmr(project, "tune", "--task", "W", *QUIET).code == 0
    assert json.loads((project / "results" / "tune" / "W.json").read_text())["disorder"] == "frozen"


def test_a_comparison_on_features_that_are_gone_is_refused(refused):
    overlay(refused.project, {"disorder_comparison": {"feature_set": "quant"}})
    assert "`disorder_comparison.feature_set` must be one of pointwise-magnitude, poly" in refused("compare-disorder")


def test_a_record_of_tuning_that_is_cut_short_is_refused(refused):
    path = refused.project / "results" / "tune" / "W.json"
    path.write_text(path.read_text()[:200])
    assert "W.json` is damaged" in refused("evaluate", "--task", "W", *QUIET)


def test_a_record_of_tuning_from_another_version_is_refused(refused):
    path = refused.project / "results" / "tune" / "W.json"
    path.write_text('{"task_name": "W", "of another": "version"}')
    sentence = refused("evaluate", "--task", "W", *QUIET)
    assert re.search(r"W.json` is damaged \(key `\w+`: .*\); make it again with `dvc repro tune`", sentence)


def test_models_tuned_for_a_task_that_has_changed_are_not_evaluated(refused):
    overlay(refused.project, {"tasks": {"W": {"target": "X"}}})
    assert "W.json` is out of date (task `W` has changed)" in refused("evaluate", "--task", "W", *QUIET)


def test_models_tuned_on_features_that_are_gone_are_not_evaluated(refused):
    sets = [{"kind": "pointwise", "signal": "magnitude", "half_width": 100}]
    overlay(refused.project, {"features": {"sets": sets}, "tune": {"feature_sets": []}})
    assert nmr(refused.project, "features").code == 0
    assert "(feature set `polynomial-magnitude` is gone)" in refused("evaluate", "--task", "W", *QUIET)


def test_models_are_not_evaluated_on_another_split_than_they_were_tuned_on(refused):
    path = refused.project / "results" / "tune" / "W.json"
    record = json.loads(path.read_text())
    record["split"]["seed"] = 5
    path.write_text(json.dumps(record))
    assert "The split of task `W` must be the one of tuning" in refused("evaluate", "--task", "W", *QUIET)


def test_a_prior_that_never_meets_the_constraint_is_refused_before_a_study_is_opened(refused):
    overlay(refused.project, {"data": {"constraints": {"W": {"low": 1e5, "high": 2e5}}}})
    shutil.rmtree(refused.project / ".nmr" / "studies")
    assert "none of 3000 draws of curve 0 meets W in [100000, 200000]" in refused("optimise-pulses", *QUIET)
    assert not (refused.project / ".nmr" / "studies").exists()


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (("tune", "--task", "W", "--tracker", "wandb"), "'wandb' is not one of 'mlflow', 'none'"),
        (("tune", "--tsak", "W"), "No such option"),
        (("tune", "--at-once", "0"), "Invalid value for '--at-once'"),
        (("simulate",), "Missing argument"),
        (("tuen",), "No such command 'tuen'"),
        (("ui", "--port", "0"), "Invalid value for '--port'"),
    ],
)
def test_a_wrong_command_line_is_refused_with_what_is_wrong(spoilable, command, complaint):
    before = contents(spoilable)
    ended = nmr(spoilable, *command) if "--task" in command else nmr_alone(*command)
    assert ended.code == 2
    assert complaint in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err
    assert contents(spoilable) == before
