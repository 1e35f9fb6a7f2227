"""The verdict on curves that the search never saw."""

import numpy as np
import pytest

from nmr_platform.pulse_design.presets import SEARCHES, read_search
from nmr_platform.pulse_design.settings import Scenario
from nmr_platform.pulse_design.spaces import BASELINE
from nmr_platform.pulse_design.verdict import NOMINAL, compare, recipe_under
from nmr_platform.studies import STORAGE_VARIABLE
from tests.pulse_design.searching import POWER, VERDICT, hahn, search_recipe, search_settings


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    settings = search_settings()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(STORAGE_VARIABLE, raising=False)
        return compare(
            {"gaussian": search_recipe(seed=6, n_curves=24)},
            {BASELINE: hahn(), "best 1": hahn(60.0, 150.0), "best 2": hahn()},
            settings.verdict,
            settings.features,
            storage=tmp_path_factory.mktemp("studies"),
        )


def test_every_sequence_is_compared_on_every_target_under_every_circumstance(verdict):
    rows = verdict.table[["scenario", "target", "name"]].to_numpy().tolist()
    scenarios = [NOMINAL, "weak pulses", "noisy", "doubled"]
    assert rows == [[s, t, n] for s in scenarios for t in ("W", "Z") for n in ("best 1", "best 2")]
    assert verdict.n_train + verdict.n_test == 24
    assert [len(t) for t in verdict.times] == [len(m) for m in verdict.records]


def test_a_sequence_gains_nothing_over_itself(verdict):
    for each in verdict.contests:
        if each.name == "best 2":
            assert each.value == each.baseline
            assert (each.lower, each.upper) == (0.0, 0.0)


def test_the_gain_lies_in_its_interval(verdict):
    for each in verdict.contests:
        assert each.lower <= each.value - each.baseline <= each.upper


def test_which_kernel_it_is_may_be_asked_too(tmp_path, monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    classes = {"kind": "classification", "kernels": ["gaussian", "power"], "positive": "power"}
    settings = search_settings(verdict=VERDICT | {"classes": classes, "targets": ["W"], "scenarios": {}}).verdict
    recipes = {
        name: search_recipe(**changes, seed=settings.seeds("gaussian")[name], n_curves=24)
        for name, changes in (("gaussian", {}), ("power", POWER))
    }
    features = search_settings().features
    found = compare(recipes, {BASELINE: hahn(), "best 1": hahn(60.0, 150.0)}, settings, features, storage=tmp_path)
    assert [(each.target, each.metric) for each in found.contests] == [("W", "r2"), ("power_vs_rest", "f1_weighted")]
    told = found.of("power_vs_rest")
    assert told.lower <= told.value - told.baseline <= told.upper


def test_a_circumstance_fixes_what_it_names_and_nothing_else():
    recipe = search_recipe(
        prior=search_recipe().prior | {"receiver.noise": {"kind": "uniform", "low": 0.0, "high": 0.1}}
    )
    noisy = recipe_under(recipe, Scenario(changes={"receiver.noise": 0.03}))
    assert noisy.curve(0).experiment.receiver.noise == 0.03
    assert "receiver.noise" not in noisy.prior
    doubled = recipe_under(recipe, Scenario(double=True))
    assert doubled.example.lattice.shape == (12, 12)
    assert recipe_under(recipe, None) is recipe
    same = recipe_under(search_recipe(), Scenario(changes={"drive.calibration": 0.9}))
    np.testing.assert_equal(same.curve(3).drawn, search_recipe().curve(3).drawn)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_preset_can_be_read_and_its_space_holds_sequences_of_its_prior(name, tmp_path):
    data, settings = read_search(name)
    example = data.recipe(settings.kernel).example
    space = settings.grown(tmp_path).space.of(example.sequence.model_dump(mode="json"))
    middle = space.build({key: each.quantile(0.5) for key, each in space.searched.items()})
    for sequence in middle.sequences.values():
        assert example.replace(sequence=sequence).n_samples > 2 * settings.features.half_width
    if name == "august2021":
        assert space.values_of(example.sequence) is not None
