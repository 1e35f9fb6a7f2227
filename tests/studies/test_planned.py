"""A study that was killed and continued cannot be told from one that was not: points, order, numbers."""

import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from nmr_platform.studies import (
    PLANNED,
    Outcome,
    best_trial,
    finished_trials,
    first_trials,
    line_up,
    over_trials,
    planned_trials,
    run_trials,
    settled_trials,
)
from nmr_platform.studies.attempts import try_again
from tests.studies.test_loop import fails_on_the_left, parabola, study_in

SPACE = {"x": FloatDistribution(-1.0, 1.0), "y": FloatDistribution(-1.0, 1.0)}


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv("NMR_STUDY_STORAGE", raising=False)


class Saddle:
    """An objective of two parameters whose process dies once, in a certain trial and at a certain moment of it."""

    def __init__(self, dies_in=-1, after=0):
        self.calls, self.dies_in, self.after = -1, dies_in, after

    def __call__(self, trial):
        self.calls += 1
        values = []
        for name in SPACE:
            self.die(len(values))
            values.append(trial.suggest_float(name, -1.0, 1.0))
        self.die(len(values))
        return Outcome(values[0] * values[1] + values[0])

    def die(self, moment):
        if (self.calls, moment) == (self.dies_in, self.after):
            raise KeyboardInterrupt("killed")


def facts(study):
    return [(trial.number, trial.params, trial.values) for trial in settled_trials(study)]


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "grid", "nsga2"])
@pytest.mark.parametrize(("dies_in", "after"), [(1, 0), (1, 1), (1, 2), (5, 1)])
def test_a_killed_and_continued_study_is_the_same_as_one_that_was_not(tmp_path, sampler, dies_in, after):
    whole = study_in(tmp_path / "whole", sampler=sampler, space=SPACE)
    run_trials(whole, 8, Saddle(), on_settled=lambda _: None)
    objective, told = Saddle(dies_in, after), []
    with pytest.raises(KeyboardInterrupt, match="killed"):
        run_trials(study_in(tmp_path / "cut", sampler=sampler, space=SPACE), 8, objective, on_settled=lambda _: None)
    cut = study_in(tmp_path / "cut", sampler=sampler, space=SPACE)
    run_trials(cut, 8, objective, on_settled=told.append)
    assert facts(cut) == facts(whole)
    assert best_trial(cut).number == best_trial(whole).number
    assert [trial.number for trial in told] == list(range(8))
    assert len(cut.trials) == 9, "one attempt came to nothing"


@pytest.mark.parametrize("after", [0, 1, 2])
def test_points_that_were_lined_up_keep_their_places_when_the_first_dies(tmp_path, after):
    def lined_up(folder):
        study = study_in(folder)
        for place, x in enumerate((0.5, -0.5, 0.25)):
            line_up(study, {"x": x, "y": x}, {PLANNED: place})
        return study

    whole = lined_up(tmp_path / "whole")
    run_trials(whole, 8, Saddle(), on_settled=lambda _: None)
    objective = Saddle(0, after)
    with pytest.raises(KeyboardInterrupt, match="killed"):
        run_trials(lined_up(tmp_path / "cut"), 8, objective, on_settled=lambda _: None)
    cut = study_in(tmp_path / "cut")
    run_trials(cut, 8, objective, on_settled=lambda _: None)
    assert facts(cut) == facts(whole)


def test_a_point_that_is_lined_up_late_still_stands_at_its_place(tmp_path):
    study = study_in(tmp_path)
    line_up(study, {"x": 0.5}, {PLANNED: 0})
    line_up(study, {"x": 0.25}, {PLANNED: 2})
    line_up(study, {"x": 0.75}, {PLANNED: 1})
    run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert [trial.params["x"] for trial in planned_trials(study)] == [0.5, 0.75, 0.25]
    assert [trial.number for trial in planned_trials(study)] == [0, 1, 2]


@pytest.mark.parametrize("first", [1, 2, 5])
def test_failures_count_once_however_often_the_study_is_continued(tmp_path, first):
    whole, parts = study_in(tmp_path / "whole"), study_in(tmp_path / "parts")
    run_trials(whole, 6, fails_on_the_left, on_settled=lambda _: None)
    assert any(trial.state is TrialState.FAIL for trial in settled_trials(whole))
    for total in (first, 6, 6):
        run_trials(parts, total, fails_on_the_left, on_settled=lambda _: None)
    assert facts(parts) == facts(whole)


def test_a_study_whose_every_trial_failed_may_be_tried_once_more(tmp_path):
    def breaks(trial):
        parabola(trial)
        raise RuntimeError

    study = study_in(tmp_path)
    run_trials(study, 3, breaks, on_settled=lambda _: None)
    run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert len(over_trials(study)) == 3
    assert len(first_trials(study, 3)) == 6


def test_the_first_trials_of_a_longer_study_are_those_of_a_shorter_one(tmp_path):
    long, short, patient = (study_in(tmp_path / name) for name in ("long", "short", "patient"))
    run_trials(long, 12, parabola, on_settled=lambda _: None)
    run_trials(short, 4, parabola, on_settled=lambda _: None)
    run_trials(patient, 12, parabola, on_settled=lambda _: None, patience=2)
    first = [trial.params for trial in finished_trials(long)]
    assert [trial.params for trial in first_trials(long, 4)] == first[:4] == [t.params for t in finished_trials(short)]
    ended = [trial.params for trial in first_trials(long, 12, patience=2)]
    assert ended == [trial.params for trial in finished_trials(patient)] != first


def test_a_trial_that_was_stopped_early_is_not_the_best_whatever_it_had_reached(tmp_path):
    study = study_in(tmp_path)
    run_trials(
        study, 4, lambda trial: Outcome(float(trial.number), pruned=trial.number == 3), on_settled=lambda _: None
    )
    assert best_trial(study).number == 2
    assert [trial.number for trial in finished_trials(study)] == [0, 1, 2]


def test_a_point_that_was_tried_again_stands_where_it_was_tried_first(tmp_path):
    study = study_in(tmp_path)
    again = {"failed_trial": 0, "retry_history": [0]}
    for state, value, kept in (("FAIL", None, {}), ("COMPLETE", 1.0, {}), ("COMPLETE", 2.0, again)):
        study.add_trial(create_trial(state=TrialState[state], value=value, system_attrs=kept))
    assert [(trial.number, trial.value) for trial in planned_trials(study)] == [(0, 2.0), (1, 1.0)]


def test_a_point_that_was_lined_up_again_though_it_finished_is_neither_forgotten_nor_tried_twice(tmp_path):
    study = study_in(tmp_path)
    run_trials(study, 2, parabola, on_settled=lambda _: None)
    # As if it were running still: an interrupt may keep Optuna from reading what it has just written.
    try_again(study, study.trials[1])
    assert len(settled_trials(study)) == 2
    run_trials(study, 3, parabola, on_settled=lambda _: None)
    assert len(finished_trials(study)) == len({trial.params["x"] for trial in finished_trials(study)}) == 3
    assert [trial.state for trial in study.trials].count(TrialState.COMPLETE) == 3
    whole = study_in(tmp_path / "whole")
    run_trials(whole, 3, parabola, on_settled=lambda _: None)
    assert facts(study) == facts(whole)


def test_a_point_that_is_lined_up_again_holds_its_place_before_its_first_trial_has_failed(tmp_path):
    study = study_in(tmp_path, sampler="random")
    first = study.ask()
    try_again(study, study.trials[0])
    (waiting,) = planned_trials(study)
    assert (waiting.state, waiting.number) == (TrialState.WAITING, 0)
    study.tell(first, state=TrialState.FAIL)
    assert [trial.state for trial in planned_trials(study)] == [TrialState.WAITING]
