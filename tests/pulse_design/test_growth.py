"""Sets of sequences: searched together, grown from what is there, and of free structure."""

import re
from pathlib import Path

import pytest
import yaml

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Cpmg, Hahn
from nmr_platform.pulse_design import BASELINE, KEPT, Judgement, SequenceSet, search_pulses
from nmr_platform.pulse_design.objectives import ScoreSettings
from nmr_platform.studies import STORAGE_VARIABLE
from tests.learning.recording import RecordingTracker
from tests.pulse_design.searching import FLIPS, FREE, search_recipe, search_settings

PAGE = (Path(__file__).parents[2] / "docs" / "pulse-design.md").read_text(encoding="utf-8")
THERE = SequenceSet(sequences={"s1": Hahn(tau=2.0, theta1=70.0), "train": Cpmg(echo_spacing=2.0, n_echoes=2)})


class Pulses:
    """An objective that simulates nothing: three pulses are best, and the nearer the first is to 40 degrees."""

    label = "pulses"

    def judge(self, tried, share=1.0):
        score = 1 - abs(len(tried.pulses) - 3) / 2 - abs(tried.pulses[0].theta - 40.0) / 1000 - (1 - share) / 2
        return Judgement(score, 0.001, {})


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setattr(ScoreSettings, "prepare", lambda *_: Pulses())


@pytest.fixture
def found(tmp_path):
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(THERE.model_dump(mode="json"), sort_keys=False))
    return tmp_path


def run(folder, settings, tracker=None):
    recipes = {"gaussian": search_recipe()}
    return search_pulses(recipes, settings, storage=folder, tracker=tracker or RecordingTracker())


def growing(root, **grow):
    return search_settings(grow=grow, n_trials=6).grown(root)


def test_a_set_keeps_what_is_there_and_is_tried_before_anything_is_added(found, tmp_path):
    tracker = RecordingTracker()
    search = run(tmp_path / "studies", growing(found, **{"from": "."}), tracker)
    assert [each.assessed.name for each in search.candidates] == [BASELINE, KEPT, "", "", "", "", "", ""]
    assert search.kept.sequences == THERE
    for each in search.candidates[2:]:
        assert list(each.sequences.sequences) == ["s1", "train", "s3"]
        assert THERE.sequences.items() <= each.sequences.sequences.items()
        assert each.params.keys() == FLIPS.keys()
    (recorded,) = tracker.runs.values()
    assert recorded.trials[1].tags["name"] == KEPT


def test_a_search_of_a_set_continues_and_another_set_is_another_search(found, tmp_path):
    first = run(tmp_path / "studies", growing(found, **{"from": "best.yaml"}))
    assert run(tmp_path / "studies", growing(found, **{"from": "."})).table.equals(first.table)
    (found / "other.yaml").write_text(yaml.safe_dump(SequenceSet.of(Hahn(tau=3.0)).model_dump(mode="json")))
    other = run(tmp_path / "studies", growing(found, **{"from": "other.yaml"}))
    assert other.run.name != first.run.name


def test_several_sequences_are_added_together_and_keep_to_the_limits(tmp_path):
    space = {"sequences": [{"vary": FLIPS}], "limits": {"time": 20.0}}
    search = run(tmp_path, search_settings(grow={"add": 3}, space=space, n_trials=4).grown(tmp_path))
    added = search.candidates[1]
    assert list(added.sequences.sequences) == ["s1", "s2", "s3"]
    assert list(added.params) == [f"s{k}.{key}" for k in (1, 2, 3) for key in FLIPS]
    assert added.assessed.time == pytest.approx(18.0)
    longer = run(tmp_path, search_settings(grow={"add": 4}, space=space, n_trials=2).grown(tmp_path))
    assert "time 24 us is over the limit of 20 us" in longer.candidates[-1].assessed.refused


@pytest.mark.parametrize(
    ("grow", "changes", "sentence"),
    [
        ({"from": "nothing.yaml"}, {}, r"File `.*nothing\.yaml` does not exist"),
        ({"from": "empty.yaml"}, {}, "must hold `sequences`, which are kept, but does not"),
        ({"add": 2}, {"space": {"sequences": [{"vary": FLIPS}, {"vary": FLIPS}]}}, "must have one entry beside `grow`"),
        ({"from": "."}, {"space": {"sequences": [{"name": "s1", "vary": FLIPS}]}}, "has 's1' more than once"),
    ],
)
def test_what_cannot_grow_is_refused(found, grow, changes, sentence):
    (found / "empty.yaml").write_text("{}")
    with pytest.raises(ConfigurationError, match=sentence):
        search_settings(grow=grow, **changes).grown(found)


def test_a_search_of_one_given_sequence_is_named_as_before_sets_could_grow():
    space = search_settings().what_candidates_depend_on()["space"]
    assert space.keys() == {"sequences", "limits"}
    assert space["sequences"][0].keys() == {"name", "sequence", "vary"}


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_a_search_in_the_docs_is_valid(text):
    settings = search_settings(**yaml.safe_load(text))
    settings.space.of(Hahn(tau=50.0).model_dump(mode="json"))


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes"])
def test_a_free_structure_is_searched_and_a_killed_search_ends_as_if_it_had_not_been(tmp_path, monkeypatch, sampler):
    settings = search_settings(space={"sequences": [{"free": FREE}]}, n_trials=16, startup_trials=4, sampler=sampler)
    whole = run(tmp_path / "whole", settings)
    judge, left = Pulses.judge, [9]

    def judge_or_die(self, tried, share=1.0):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt("killed")
        return judge(self, tried, share)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="killed"):
        patch.setattr(Pulses, "judge", judge_or_die)
        run(tmp_path / "cut", settings)
    cut = run(tmp_path / "cut", settings)
    assert cut.table.equals(whole.table)
    assert cut.importances == whole.importances
    assert {"pulses", "theta1", "delay1"} == whole.importances.keys()
    assert len(whole.best.sequences.pulses) == 3
