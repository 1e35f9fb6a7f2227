"""params.yaml: what is accepted, and the sentence for everything that is not."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nmr_platform.config import read_params
from nmr_platform.datasets import read_preset
from nmr_platform.errors import ConfigurationError
from nmr_platform.reporting import PUBLISHED
from nmr_platform.schema import read_yaml
from tests.stages.tiny import ROOT, merged, tiny_values, without, write_params

FOLDER = Path(__file__).parent / "data" / "invalid_params"
INVALID = sorted(path.stem for path in FOLDER.glob("*.yaml"))


class Invalid(NamedTuple):
    """One fault: the small parameters with it, and what is said about it."""

    values: dict[str, Any]
    fault: str


def invalid(name):
    case, values = read_yaml(FOLDER / f"{name}.yaml"), tiny_values()
    if "remove" in case:
        values = without(values, case["remove"])
    return Invalid(merged(values, case.get("overlay", {})), case["fault"])


def changed(folder, *path, value):
    overlay = value
    for key in reversed(path):
        overlay = {key: overlay}
    return read_params(write_params(folder, merged(tiny_values(), overlay)))


def test_the_real_parameters_are_accepted():
    params = read_params(ROOT / "params.yaml")
    assert params.data.recipe("gaussian").curve(0).experiment.echo_indices == (1256,)


def test_the_small_parameters_are_accepted_and_differ_only_in_size(tmp_path):
    small, real = read_params(write_params(tmp_path, tiny_values())), read_params(ROOT / "params.yaml")
    assert small.data.kernels == real.data.kernels
    assert small.split == real.split


@pytest.mark.parametrize("name", INVALID)
def test_a_fault_is_told_with_file_and_key_in_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    case = invalid(name)
    write_params(tmp_path, case.values)
    with pytest.raises(ConfigurationError, match=re.escape(case.fault)) as caught:
        read_params("params.yaml")
    assert str(caught.value).startswith("In `params.yaml`")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("negative-linewidth", "data.experiment.line.fwhm"),
        ("kernel-without-its-range", "data.kernels.gaussian.kernel.xi"),
        ("window-outside-the-record", "features.sets.1.half_width"),
        ("misspelt-key", "tune.n_trails"),
    ],
)
def test_the_error_carries_the_key_as_it_stands_in_the_file(tmp_path, name, key):
    case = invalid(name)
    with pytest.raises(ConfigurationError, match="In `") as caught:
        read_params(write_params(tmp_path, case.values))
    assert caught.value.key == key


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"File `.*params\.yaml` does not exist"):
        read_params(tmp_path / "params.yaml")


def test_a_file_that_is_not_a_mapping_is_refused(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("- just\n- a list\n")
    with pytest.raises(ConfigurationError, match="must hold keys and values, but is list"):
        read_params(path)


def test_a_window_that_just_fits_the_record_is_accepted(tmp_path):
    # 471 samples with the echo at 314: 157 to the end.
    features = {"window": "echo", "decimate": 1, "half_width": 157}
    assert changed(tmp_path, "pulse_search", "features", value=features).pulse_search.features.half_width == 157


def test_the_window_is_checked_without_a_curve_that_meets_the_constraint(tmp_path):
    params = changed(tmp_path, "data", "constraints", "W", value={"low": 1e6, "high": 2e6})
    with pytest.raises(ConfigurationError, match="none of 3000 draws"):
        params.data.recipe("gaussian").curve(0)


@pytest.mark.parametrize("name", ["w", "", "kernels"])
def test_an_unknown_task_is_refused_with_those_there_are(tmp_path, name):
    params = read_params(write_params(tmp_path, tiny_values()))
    with pytest.raises(ConfigurationError, match=f"`task` must be one of W, power_vs_rest, but is '{name}'"):
        params.task(name)


def test_an_unknown_kernel_is_refused_with_those_there_are(tmp_path):
    params = read_params(write_params(tmp_path, tiny_values()))
    with pytest.raises(ConfigurationError, match="`kernel` must be one of gaussian, power, rkky, but is 'uniform'"):
        params.data.recipe("uniform")


def test_a_recipe_is_made_of_what_all_share_and_what_is_its_own(tmp_path):
    params = read_params(write_params(tmp_path, tiny_values()))
    recipes = {kernel: params.data.recipe(kernel) for kernel in params.data.kernels}
    assert {kernel: recipe.seed for kernel, recipe in recipes.items()} == {"gaussian": 101, "power": 102, "rkky": 103}
    assert {recipe.n_curves for recipe in recipes.values()} == {24}
    assert len({recipe.digest for recipe in recipes.values()}) == 3
    curve = recipes["power"].curve(0).experiment
    assert (curve.kernel.kind, curve.lattice.shape, curve.sequence.tau) == ("power", (8, 8), 25.0)


def test_a_data_set_may_have_a_name_a_lattice_and_a_number_of_curves_of_its_own(tmp_path):
    values = tiny_values()
    values["data"]["kernels"]["gaussian-6"] = {
        **values["data"]["kernels"]["gaussian"],
        "seed": 999,
        "n_curves": 30,
        "experiment": {"lattice": {"shape": [6, 6]}},
    }
    params = read_params(write_params(tmp_path, values))
    own, other = (params.data.recipe(name) for name in ("gaussian-6", "gaussian"))
    assert (own.n_curves, own.example.lattice.shape, own.example.kernel.kind) == (30, (6, 6), "gaussian")
    assert own.example.replace(lattice=other.example.lattice) == other.example


def test_parameters_are_frozen(tmp_path):
    params = read_params(write_params(tmp_path, tiny_values()))
    with pytest.raises(ValueError, match="frozen"):
        params.split.seed = 1


def test_the_larger_study_has_the_data_of_the_preset_to_second_order():
    study, preset = read_params(ROOT / "studies" / "august2021" / "params.yaml"), read_preset("august2021")
    assert study.data == preset.replace(integrator="fast")


def test_the_larger_study_has_a_counterpart_of_every_published_model():
    study = read_params(ROOT / "studies" / "august2021" / "params.yaml")
    sets = {item.name for item in study.features.sets}
    assert {item.feature_set for item in PUBLISHED if item.feature_set} <= sets
    assert {item.family for item in PUBLISHED if item.family} <= {family.kind for family in study.tune.families}
    assert {item.task for item in PUBLISHED if item.counterpart == "held_out"} <= set(study.tasks)


def test_a_new_task_is_one_line(tmp_path):
    params = changed(tmp_path, "tasks", "range", value={"kind": "regression", "target": "xi", "kernels": ["gaussian"]})
    assert params.task("range").target == "xi"


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("evaluate", "lattice_seed"), 100, "`evaluate.lattice_seed` must keep clear of `data.kernels.gaussian.seed`"),
        (("disorder_comparison", "seed"), 103, "must keep clear of `data.kernels.rkky.seed`, but both use 103"),
        (("disorder_comparison", "kernel"), "uniform", "must be one of gaussian, power, rkky, but is 'uniform'"),
        (("disorder_comparison", "targets"), ["V"], "`disorder_comparison.targets.0` must be one of W, X"),
    ],
)
def test_curves_for_other_questions_are_new_and_their_settings_fit(tmp_path, path, value, fault):
    with pytest.raises(ConfigurationError, match=fault):
        changed(tmp_path, *path, value=value)
