"""The search over flip angles: the textbook first, resumable, and named by what makes candidates comparable."""

from types import SimpleNamespace

import numpy as np
import optuna
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.pulse_design import BASELINE, PulseSearchError, search, search_pulses
from nmr_platform.studies import STORAGE_VARIABLE, finished_trials, open_storage
from tests.learning.recording import RecordingTracker
from tests.pulse_design.searching import SEQUENCE, search_recipe, search_settings


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


@pytest.fixture
def tracker():
    return RecordingTracker()


class Hill:
    """An objective that simulates nothing: the best echo is at 70/200."""

    refuses = ()

    def __init__(self, recipe, settings):
        self.calls = []

    def evaluate(self, sequence):
        angles = (sequence.theta1, sequence.theta2)
        if angles in Hill.refuses:
            message = "no echo"
            raise ValueError(message)
        score = 1 - ((angles[0] - 70) / 100) ** 2 - ((angles[1] - 200) / 100) ** 2
        return SimpleNamespace(
            scores={"W": score, "X": score / 2, "Z": score / 4}, error=0.1, fold_scores=(0.1, 0.2), simulated_time=6.0
        )


@pytest.fixture
def hill(monkeypatch):
    monkeypatch.setattr(search, "ScoreObjective", Hill)
    monkeypatch.setattr(Hill, "refuses", ())


def run(folder, tracker, *, recipe=None, sequence=SEQUENCE, **changes):
    settings = search_settings(**changes)
    return search_pulses(recipe or search_recipe(), sequence, settings, storage=folder, tracker=tracker)


def study_names(folder):
    return optuna.get_all_study_names(open_storage(folder))


def tried(folder):
    (name,) = study_names(folder)
    trials = finished_trials(optuna.load_study(study_name=name, storage=open_storage(folder)))
    return [(trial.params["theta1"], trial.params["theta2"]) for trial in trials]


def test_a_real_search_finds_a_sequence_no_worse_than_the_textbook(tmp_path, tracker):
    found = run(tmp_path, tracker, n_trials=3)
    assert (found.baseline["trial"], found.baseline["theta1"], found.baseline["theta2"]) == (0, *BASELINE)
    assert found.best["score"] == found.table["score"].max() >= found.baseline["score"]
    assert list(found.table["score"]) == list(found.table["r2_W"])
    assert list(found.table["best"]) == list(np.maximum.accumulate(found.table["score"]))


@pytest.mark.usefixtures("hill")
def test_the_other_sequences_lie_within_the_ranges(tmp_path, tracker):
    run(tmp_path, tracker, n_trials=12)
    assert tried(tmp_path)[0] == BASELINE
    for theta1, theta2 in tried(tmp_path)[1:]:
        assert 60.0 <= theta1 <= 120.0
        assert 120.0 <= theta2 <= 240.0


@pytest.mark.usefixtures("hill")
def test_the_textbook_is_tried_first_even_outside_the_ranges(tmp_path, tracker):
    found = run(tmp_path, tracker, n_trials=6, theta1={"low": 20.0, "high": 60.0})
    assert tried(tmp_path)[0] == BASELINE
    assert (found.baseline["theta1"], found.baseline["theta2"]) == BASELINE
    assert all(theta1 <= 60.0 for theta1, _ in tried(tmp_path)[1:])


@pytest.mark.usefixtures("hill")
def test_the_search_moves_towards_the_best_sequence(tmp_path, tracker):
    found = run(tmp_path, tracker, n_trials=20, startup_trials=5)
    assert found.best["score"] > 0.95 > found.baseline["score"]


@pytest.mark.usefixtures("hill")
def test_every_sequence_is_told_to_the_tracker_once(tmp_path, tracker):
    for n_trials in (3, 5):
        found = run(tmp_path, tracker, n_trials=n_trials)
    (run_id,) = tracker.runs
    recorded = tracker.runs[run_id]
    assert (recorded.record.experiment, recorded.state) == ("pulse-design", "finished")
    assert sorted(recorded.trials) == [0, 1, 2, 3, 4]
    assert recorded.trials[0].params == {"theta1": 90.0, "theta2": 180.0}
    assert recorded.trials[0].metrics["score"] == found.baseline["score"] == recorded.metrics["baseline_score"]
    assert recorded.trials[0].metrics["fold_1_r2"] == 0.2
    assert recorded.metrics["best_score"] == found.best["score"]
    assert recorded.record.datasets[0].digest == search_recipe().digest


@pytest.mark.usefixtures("hill")
def test_a_longer_search_continues_a_shorter_one(tmp_path, tracker):
    run(tmp_path / "a", tracker, n_trials=3)
    run(tmp_path / "a", tracker, n_trials=6)
    run(tmp_path / "b", RecordingTracker(), n_trials=6)
    assert tried(tmp_path / "a") == tried(tmp_path / "b")


@pytest.mark.usefixtures("hill")
@pytest.mark.parametrize("changed", [{"n_trials": 5}, {"verdict_seed": 77}, {"verdict_curves": 33}])
def test_what_does_not_change_the_candidates_is_the_same_search(tmp_path, tracker, changed):
    run(tmp_path, tracker)
    run(tmp_path, tracker, **changed)
    assert len(study_names(tmp_path)) == len(tracker.runs) == 1


@pytest.mark.usefixtures("hill")
@pytest.mark.parametrize(
    "changed",
    [
        {"target": "Z"},
        {"n_curves": 21},
        {"theta1": {"low": 50.0, "high": 120.0}},
        {"features": {"kind": "pointwise", "signal": "magnitude", "half_width": 10}},
        {"n_estimators": 9},
        {"cv_folds": 3},
        {"startup_trials": 3},
        {"recipe": search_recipe(seed=8)},
        {"recipe": search_recipe(integrator="midpoint")},
        {"sequence": SEQUENCE.replace(tau=3.0)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_the_candidates_is_another_search(tmp_path, tracker, changed):
    run(tmp_path, tracker)
    run(tmp_path, tracker, **changed)
    assert len(study_names(tmp_path)) == len(tracker.runs) == 2


@pytest.mark.usefixtures("hill")
def test_a_sequence_that_cannot_be_scored_does_not_end_the_search(tmp_path, tracker, monkeypatch):
    run(tmp_path / "a", tracker, n_trials=4)
    monkeypatch.setattr(Hill, "refuses", (tried(tmp_path / "a")[1],))
    tracker = RecordingTracker()
    found = run(tmp_path / "b", tracker, n_trials=4)
    assert list(found.table["trial"]) == [0, 2, 3]
    (recorded,) = tracker.runs.values()
    assert (recorded.trials[1].state, recorded.trials[1].metrics) == ("failed", {})


@pytest.mark.usefixtures("hill")
def test_a_search_without_a_score_of_the_textbook_says_why(tmp_path, tracker, monkeypatch):
    monkeypatch.setattr(Hill, "refuses", (BASELINE,))
    with pytest.raises(PulseSearchError, match="must score the 90/180 echo, but it failed with ValueError: no echo"):
        run(tmp_path, tracker)
    (recorded,) = tracker.runs.values()
    assert recorded.state == "failed"


def test_a_prior_that_is_never_met_is_refused_before_a_run_is_opened(tmp_path, tracker):
    recipe = search_recipe(constraints={"W": {"low": 1e5, "high": 2e5}})
    with pytest.raises(ConfigurationError, match="none of 3000 draws"):
        run(tmp_path, tracker, recipe=recipe)
    assert tracker.runs == {}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"verdict_seed": 5}, "Key `pulse_search.verdict_seed` must differ from `pulse_search.seed`, but both are 5"),
        ({"cv_folds": 11}, "must leave two curves or more in every fold, but there are 11 folds for 20 curves"),
        ({"n_curves": 5}, "Key `pulse_search.n_curves` is 5, but it must be greater than or equal to 20"),
        ({"target": "xi"}, "Key `pulse_search.target` is 'xi', but it must be 'W', 'X' or 'Z'"),
        ({"shape": [1, 2, 3, 4]}, "Key `pulse_search.shape` is .*, but it must have 3 or fewer entries"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changed, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        search_settings(**changed)
