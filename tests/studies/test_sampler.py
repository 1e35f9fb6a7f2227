"""A trial's point depends on the history and its place in it, not on how often the study was opened."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies import (
    OUTSIDE,
    STORAGE_VARIABLE,
    Outcome,
    SteadySampler,
    finished_trials,
    grid_points,
    line_up,
)
from tests.studies.test_loop import fails_on_the_left, parabola, run_trials, study_in


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


def points(folder, total, *, at_a_time=None, evaluate=parabola, **settings):
    for so_far in range(at_a_time or total, total + 1, at_a_time or total):
        study = study_in(folder, **settings)
        run_trials(study, so_far, evaluate, on_settled=lambda _: None)
    return [trial.params["x"] for trial in study.trials]


SPACE = {"x": FloatDistribution(-1.0, 1.0)}


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "grid", "nsga2"])
def test_a_study_opened_for_every_trial_tries_the_same_points(tmp_path, sampler):
    # A grid of one parameter has five points.
    whole = points(tmp_path / "whole", 6, sampler=sampler, space=SPACE)
    assert len(whole) == (5 if sampler == "grid" else 6)
    assert points(tmp_path / "parts", 6, at_a_time=1, sampler=sampler, space=SPACE) == whole


def test_no_point_is_tried_twice_in_the_start_up_phase(tmp_path):
    tried = points(tmp_path, 6, at_a_time=2, startup_trials=10)
    assert len(set(tried)) == 6


def test_another_seed_tries_other_points(tmp_path):
    assert not set(points(tmp_path / "a", 4, seed=0)) & set(points(tmp_path / "b", 4, seed=1))


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_the_kind_of_sampler_matters_only_after_the_start_up_phase(tmp_path, sampler):
    modelled = points(tmp_path / "modelled", 9, startup_trials=4, sampler=sampler)
    random = points(tmp_path / "random", 9, startup_trials=4, sampler="random")
    assert modelled[:4] == random[:4]
    assert modelled[4:] != random[4:]


def test_the_first_population_of_nsga2_is_random_and_those_after_it_inherit(tmp_path):
    def plane(trial):
        trial.suggest_float("y", 0.0, 1.0)
        return parabola(trial)

    def tried(sampler):
        points(tmp_path / sampler, 12, evaluate=plane, startup_trials=4, sampler=sampler)
        return [trial.params for trial in finished_trials(study_in(tmp_path / sampler, sampler=sampler))]

    nsga2, random = tried("nsga2"), tried("random")
    assert nsga2[:4] == random[:4]
    inherited = [
        {*nsga2[number].items()} & {item for parent in nsga2[:4] for item in parent.items()} for number in range(4, 8)
    ]
    assert any(inherited)


def test_places_count_from_zero_and_leave_out_what_was_abandoned_or_lies_outside_the_space(tmp_path):
    study = study_in(tmp_path)
    line_up(study, {}, {OUTSIDE: "baseline"})
    study.add_trial(create_trial(state=TrialState.FAIL))
    places = {}

    def placed(trial):
        outcome = parabola(trial)
        places[trial.params["x"]] = study.sampler.place
        return outcome

    run_trials(study, 3, placed, on_settled=lambda _: None)
    first, *others = points(tmp_path / "plain", 2)
    assert [places.get(x) for x in (first, *others)] == [0, 1]
    # The one outside takes no place, so that the next begins where it did.
    assert [trial.params["x"] for trial in finished_trials(study)] == [first, first, *others]


def test_parameters_of_a_trial_are_drawn_independently_of_each_other(tmp_path):
    study = study_in(tmp_path, sampler="random")
    run_trials(study, 3, lambda trial: Outcome(sum(trial.suggest_float(name, 0, 1) for name in "xy")), on_settled=id)
    assert all(trial.params["x"] != trial.params["y"] for trial in finished_trials(study))


def test_a_point_that_failed_is_not_tried_again(tmp_path):
    tried = points(tmp_path, 8, evaluate=fails_on_the_left)
    assert len(set(tried)) == len(tried)


def test_a_grid_has_all_categories_and_five_evenly_spaced_values_of_a_number():
    space = {
        "depth": IntDistribution(2, 10),
        "few": IntDistribution(1, 2),
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "share": FloatDistribution(0.0, 1.0, step=0.25),
        "kind": CategoricalDistribution(("a", "b")),
        # Three tenths are 2.999... steps of a tenth to a computer.
        "tenths": FloatDistribution(0.0, 0.3, step=0.1),
    }
    found = {name: sorted({point[name] for point in grid_points(space)}) for name in space}
    assert found["depth"] == [2, 4, 6, 8, 10]
    assert found["few"] == [1, 2]
    assert found["rate"] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert found["share"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert found["kind"] == ["a", "b"]
    assert found["tenths"] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert len(grid_points(space)) == 5 * 2 * 5 * 5 * 2 * 4


def test_a_grid_is_tried_once_from_end_to_end_and_then_the_study_is_over(tmp_path):
    tried = points(tmp_path, 50, sampler="grid", space=SPACE)
    assert sorted(tried) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert tried != sorted(tried), "in random order, so that a part of it covers the space"


def test_nsga2_keeps_score_and_cost_apart(tmp_path):
    def priced(trial):
        x = trial.suggest_float("x", 0.0, 1.0)
        return Outcome(x, cost=x**2)

    study = study_in(tmp_path, sampler="nsga2", with_cost=True)
    run_trials(study, 6, priced, on_settled=lambda _: None)
    assert [trial.values for trial in study.trials] == [[t.params["x"], t.params["x"] ** 2] for t in study.trials]
    assert len(study.best_trials) == 6, "the dearer the better: every point is on the front"


def test_gp_needs_a_library_that_is_not_always_there(monkeypatch):
    monkeypatch.setattr("nmr_platform.studies.sampler.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="`sampler` is gp, which needs PyTorch"):
        SteadySampler(0, "gp")


def test_an_unknown_sampler_and_a_grid_of_nothing_are_refused():
    with pytest.raises(ConfigurationError, match=r"must be one of tpe, cmaes, .*, but is 'best'"):
        SteadySampler(0, "best")
    with pytest.raises(ConfigurationError, match="`sampler` is grid, which needs a search space"):
        SteadySampler(0, "grid")
