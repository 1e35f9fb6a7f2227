"""The search: the textbook first, resumable, named by what makes candidates comparable."""

from typing import ClassVar

import numpy as np
import optuna
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.pulse_design import BASELINE, Judgement, PulseSearchError, help_search, search, search_pulses
from nmr_platform.pulse_design.candidates import pareto
from nmr_platform.pulse_design.objectives import ScoreSettings
from nmr_platform.studies import (
    OUTSIDE,
    STORAGE_VARIABLE,
    finished_trials,
    line_up,
    load_studies,
    open_storage,
    show_study,
)
from tests.learning.recording import RecordingTracker
from tests.pulse_design.searching import FLIPS, RIDGE, SCORE, VERDICT, search_recipe, search_settings

PRUNING = {"first": 0.25, "factor": 2.0, "errors": 2.0}


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


class Hill:
    """An objective that simulates nothing: the best echo is at 70/200, and a share of the curves lowers all alike."""

    label = "height"
    refuses: ClassVar = ()
    calls: ClassVar = []

    def judge(self, tried, share=1.0):
        angles = (tried.first.theta1, tried.first.theta2)
        Hill.calls.append((*angles, share))
        if angles in Hill.refuses:
            message = "no echo"
            raise ValueError(message)
        score = 1 - ((angles[0] - 70) / 100) ** 2 - ((angles[1] - 200) / 100) ** 2 - (1 - share) / 2
        return Judgement(score, 0.005, {"r2_W": score})


@pytest.fixture(autouse=True)
def _hill(monkeypatch):
    monkeypatch.setattr(ScoreSettings, "prepare", lambda *_: Hill())
    monkeypatch.setattr(Hill, "refuses", ())
    monkeypatch.setattr(Hill, "calls", [])


def run(folder, tracker=None, *, recipe=None, **changes):
    recipes = {"gaussian": recipe or search_recipe()}
    return search_pulses(recipes, search_settings(**changes), storage=folder, tracker=tracker or RecordingTracker())


def study_names(folder):
    return optuna.get_all_study_names(open_storage(folder))


def tried(folder):
    (name,) = study_names(folder)
    trials = finished_trials(optuna.load_study(study_name=name, storage=open_storage(folder)))
    return [(trial.params["theta1"], trial.params["theta2"]) for trial in trials]


def test_the_textbook_is_first_and_the_search_moves_towards_the_best(tmp_path):
    found = run(tmp_path, n_trials=20, startup_trials=5)
    assert tried(tmp_path)[0] == (90.0, 180.0)
    assert found.baseline.number == 0
    assert found.best.assessed.value > 0.95 > found.baseline.assessed.value
    assert list(found.table["best"]) == list(np.maximum.accumulate(found.table["score"]))


def test_a_textbook_echo_outside_the_ranges_is_tried_first_all_the_same(tmp_path):
    space = {"sequences": [{"vary": FLIPS | {"theta1": {"kind": "uniform", "low": 20.0, "high": 60.0}}}]}
    found = run(tmp_path, n_trials=5, space=space)
    assert tried(tmp_path)[0] == (90.0, 180.0)
    assert all(theta1 <= 60.0 for theta1, _ in tried(tmp_path)[1:])
    assert found.baseline.params == {"theta1": 90.0, "theta2": 180.0}


def test_named_sequences_that_the_space_does_not_hold_come_before_its_own(tmp_path):
    tracker = RecordingTracker()
    bound = {"theta1": FLIPS["theta1"], "theta2": {"kind": "expression", "value": "1.5 * theta1"}}
    for _ in range(2):
        found = run(tmp_path, tracker, n_trials=3, space={"sequences": [{"vary": bound}]}, start=["60/150"])
    assert [each.assessed.name for each in found.candidates] == [BASELINE, "60/150", "", "", ""]
    (recorded,) = tracker.runs.values()
    assert sorted(recorded.trials) == [0, 1, 2, 3, 4]
    assert recorded.trials[1].params == {"sequence": "60x - 2 us - 150y - 4 us"}
    assert recorded.trials[1].tags["name"] == "60/150"
    assert found.candidates[0].params == {}
    # The second call judged nothing again.
    assert len(Hill.calls) == 5


def interrupted_at(moment):
    """What stands in for `line_up` of a process that is killed when it lines up one more."""
    left = [moment]

    def line_up_or_die(*arguments):
        if not left[0]:
            raise KeyboardInterrupt("killed")
        left[0] -= 1
        line_up(*arguments)

    return line_up_or_die


def test_a_search_killed_while_it_lines_up_the_named_sequences_writes_the_same_table(tmp_path, monkeypatch):
    settings = {"n_trials": 6, "start": ["60/150", "70/200"]}
    whole = run(tmp_path / "whole", **settings)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="killed"):
        patch.setattr(search, "line_up", interrupted_at(1))
        run(tmp_path / "cut", **settings)
    assert run(tmp_path / "cut", **settings).table.equals(whole.table)


def test_a_search_killed_in_its_first_candidate_writes_the_same_table(tmp_path, monkeypatch):
    settings = {"n_trials": 8, "start": ["60/150", "70/200"], "startup_trials": 2}
    whole = run(tmp_path / "whole", **settings)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="killed"):
        patch.setattr(Hill, "judge", interrupted_at(0))
        run(tmp_path / "cut", **settings)
    again = run(tmp_path / "cut", **settings)
    assert again.table.equals(whole.table)
    assert again.importances == whole.importances


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_named_sequences_outside_the_space_do_not_change_which_points_are_tried(tmp_path, sampler):
    bound = {"theta1": FLIPS["theta1"], "theta2": {"kind": "expression", "value": "1.5 * theta1"}}
    tried_angles = []
    for start in ([], ["60/150", "70/200"]):
        space = {"sequences": [{"vary": bound}]}
        found = run(tmp_path / str(len(start)), n_trials=8, space=space, start=start, sampler=sampler)
        tried_angles.append([each.params["theta1"] for each in found.candidates if each.params])
    assert len(tried_angles[0]) == 8
    assert tried_angles[0] == tried_angles[1]


def test_cma_es_still_searches_all_parameters_beside_a_sequence_outside_the_space(tmp_path):
    bound = FLIPS | {"phi2": {"kind": "expression", "value": "theta1 + 10"}}
    run(tmp_path, n_trials=12, startup_trials=3, sampler="cmaes", space={"sequences": [{"vary": bound}]})
    (study,) = load_studies(open_storage(tmp_path))
    assert OUTSIDE in study.trials[0].user_attrs
    assert any("cma:" in key for key in {key for trial in study.trials for key in trial.system_attrs})


def test_a_search_shows_the_same_when_it_is_shown_again_from_what_it_kept(tmp_path):
    bound = {"theta1": FLIPS["theta1"], "theta2": {"kind": "expression", "value": "1.5 * theta1"}}
    live, again = RecordingTracker(), RecordingTracker()
    run(tmp_path, live, n_trials=6, space={"sequences": [{"vary": bound}]}, start=["60/150"], pruning=PRUNING)
    (study,) = load_studies(open_storage(tmp_path))
    assert show_study(study, again) == 8
    (kept,), (rebuilt,) = live.runs.values(), again.runs.values()
    assert kept.trials[0].params == {"sequence": "90x - 2 us - 180y - 4 us"}
    assert {trial.state for trial in kept.trials.values()} == {"finished", "pruned"}
    assert kept.metrics["baseline_score"] == kept.trials[0].metrics["score"]
    for part in ("record", "trials", "metrics", "params", "state"):
        assert getattr(rebuilt, part) == getattr(kept, part)
    assert rebuilt.artefacts.keys() == kept.artefacts.keys()


@pytest.mark.parametrize("sampler", ["random", "cmaes", "nsga2"])
def test_other_samplers_search_too(tmp_path, sampler):
    assert len(run(tmp_path, n_trials=8, sampler=sampler).candidates) == 8


def test_a_candidate_that_falls_behind_is_given_up_and_the_best_is_not(tmp_path):
    tracker = RecordingTracker()
    found = run(tmp_path, tracker, n_trials=20, startup_trials=5, pruning=PRUNING)
    shares = {each.assessed.share for each in found.candidates}
    assert shares >= {0.25, 1.0}
    assert found.best.assessed.is_complete
    assert len(Hill.calls) < 3 * 20
    best = found.best.assessed.value
    for each in found.candidates:
        if not each.assessed.is_complete:
            # The whole hill is lowered alike, so that nobody was given up who would have won.
            assert each.assessed.value + (1 - each.assessed.share) / 2 < best
    (recorded,) = tracker.runs.values()
    assert {trial.state for trial in recorded.trials.values()} == {"finished", "pruned"}


def test_what_is_forbidden_is_not_judged_and_worth_less_than_all_that_is_not(tmp_path):
    space = {"sequences": [{"vary": FLIPS}], "limits": {"flip": 170.0}}
    found = run(tmp_path, n_trials=10, space=space)
    refused = [each for each in found.candidates if each.assessed.refused]
    assert refused
    assert all(each.params["theta2"] > 170 and each.assessed.value < -1 for each in refused)
    # The textbook may.
    assert found.baseline.assessed.is_complete
    assert not any(call[1] > 170 for call in Hill.calls[1:])
    assert found.best.assessed.is_complete


def test_two_objectives_give_a_front_of_compromises(tmp_path):
    space = {"sequences": [{"vary": FLIPS | {"tau": {"kind": "uniform", "low": 1.0, "high": 4.0}}}]}
    found = run(tmp_path, n_trials=15, space=space, trade_off=True, sampler="nsga2", startup_trials=4)
    times = [each.assessed.time for each in found.front]
    scores = [each.assessed.value for each in found.front]
    assert times == sorted(times)
    assert scores == sorted(scores)
    assert scores[-1] == found.best.assessed.value


def test_the_front_is_what_nothing_beats_in_both_respects():
    rng = np.random.default_rng(0)
    values, times = rng.integers(0, 6, size=(2, 40)).astype(float)
    for i, chosen in enumerate(pareto(values, times)):
        beaten = ((values > values[i]) & (times <= times[i])) | ((values >= values[i]) & (times < times[i]))
        twin = (values[:i] == values[i]) & (times[:i] == times[i])
        assert chosen == (not beaten.any() and not twin.any())


def test_every_sequence_is_told_to_the_tracker_once(tmp_path):
    tracker = RecordingTracker()
    for n_trials in (3, 5):
        found = run(tmp_path, tracker, n_trials=n_trials)
    (recorded,) = tracker.runs.values()
    assert (recorded.record.experiment, recorded.state) == ("pulse-design", "finished")
    assert sorted(recorded.trials) == [0, 1, 2, 3, 4]
    assert recorded.trials[0].params == {"theta1": 90.0, "theta2": 180.0}
    assert recorded.trials[0].metrics["score"] == found.baseline.assessed.value == recorded.metrics["baseline_score"]
    assert recorded.trials[0].metrics["simulated_us"] == pytest.approx(6.0)
    assert recorded.metrics["best_score"] == found.best.assessed.value
    assert recorded.record.datasets[0].digest == search_recipe().digest
    assert sum(found.importances.values()) == pytest.approx(1.0)


def test_a_longer_search_continues_a_shorter_one_and_repeats_nothing(tmp_path):
    run(tmp_path / "a", n_trials=3)
    run(tmp_path / "a", n_trials=6)
    assert len(Hill.calls) == len(set(Hill.calls)) == 6
    run(tmp_path / "b", n_trials=6)
    assert tried(tmp_path / "a") == tried(tmp_path / "b")


@pytest.mark.parametrize("changed", [{"n_trials": 5}, {"timeout": 100.0}, {"verdict": VERDICT | {"seed": 77}}])
def test_what_does_not_change_the_candidates_is_the_same_search(tmp_path, changed):
    run(tmp_path)
    run(tmp_path, **changed)
    assert len(study_names(tmp_path)) == 1


def test_a_helper_tries_what_is_missing_and_leaves(tmp_path):
    run(tmp_path, n_trials=3)
    tracker = RecordingTracker()
    settings = search_settings(n_trials=6)
    help_search({"gaussian": search_recipe()}, settings, storage=tmp_path, tracker=tracker)
    assert len(tried(tmp_path)) == 6
    begun = len(Hill.calls)
    found = run(tmp_path, n_trials=6)
    assert len(found.candidates) == 6
    assert len(Hill.calls) == begun, "nothing is tried again"


def test_a_helper_of_nobody_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(PulseSearchError, match="must be begun by another process, but was not"):
        help_search({"gaussian": search_recipe()}, search_settings(), storage=tmp_path, tracker=RecordingTracker())


@pytest.mark.parametrize(
    "changed",
    [
        {"objective": SCORE | {"targets": ["Z"]}},
        {"n_curves": 21},
        {"space": {"sequences": [{"vary": FLIPS}], "limits": {"time": 100.0}}},
        {"features": {"kind": "pointwise", "signal": "magnitude", "half_width": 10}},
        {"pruning": PRUNING},
        {"sampler": "random"},
        {"recipe": search_recipe(seed=8)},
        {"recipe": search_recipe(integrator="midpoint")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_the_candidates_is_another_search(tmp_path, changed):
    run(tmp_path)
    run(tmp_path, **changed)
    assert len(study_names(tmp_path)) == 2


def test_a_sequence_that_cannot_be_judged_does_not_end_the_search(tmp_path, monkeypatch):
    run(tmp_path / "a", n_trials=4)
    monkeypatch.setattr(Hill, "refuses", (tried(tmp_path / "a")[1],))
    tracker = RecordingTracker()
    found = run(tmp_path / "b", tracker, n_trials=4)
    assert [each.number for each in found.candidates] == [0, 2, 3], "the numbers of their runs"
    (recorded,) = tracker.runs.values()
    assert (recorded.trials[1].state, recorded.trials[1].metrics) == ("failed", {})


def test_a_search_without_a_judgement_of_the_textbook_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(Hill, "refuses", ((90.0, 180.0),))
    tracker = RecordingTracker()
    with pytest.raises(PulseSearchError, match="must judge the 90/180 echo, but it failed with ValueError: no echo"):
        run(tmp_path, tracker)
    (recorded,) = tracker.runs.values()
    assert recorded.state == "failed"


def test_a_prior_that_is_never_met_is_refused_before_a_run_is_opened(tmp_path):
    tracker = RecordingTracker()
    with pytest.raises(ConfigurationError, match="none of 3000 draws"):
        run(tmp_path, tracker, recipe=search_recipe(constraints={"W": {"low": 1e5, "high": 2e5}}))
    assert tracker.runs == {}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"verdict": VERDICT | {"seed": 5}}, "Key `pulse_search.verdict.seed` must differ from `pulse_search.seed`"),
        ({"objective": SCORE | {"cv_folds": 11}}, "there are 11 folds for 20 curves"),
        ({"n_curves": 5}, "Key `pulse_search.n_curves` is 5, but it must be greater than or equal to 20"),
        (
            {"objective": RIDGE | {"n_estimators": 8}},
            "must be given for trees and for nothing else, but is 8 for ridge",
        ),
        ({"objective": SCORE | {"n_estimators": None}}, "must be given for trees .* but is None for trees"),
        ({"objective": RIDGE | {"targets": []}}, "targets` must name something, unless there are `classes`"),
        ({"verdict": VERDICT | {"targets": []}}, "verdict.targets` must name something, unless there are `classes`"),
        ({"shape": [1, 2, 3, 4]}, "Key `pulse_search.shape` is .*, but it must have 3 or fewer entries"),
        ({"start": ["magic"]}, "Key `pulse_search.start` must name stimulated, .* but has 'magic'"),
        ({"verdict": VERDICT | {"scenarios": {"none": {}}}}, "must change something unless `double` is true"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changed, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        search_settings(**changed)
