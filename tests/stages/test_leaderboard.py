"""The leaderboard of the small project: scores are those of the evaluation, costs are of the models that lie there."""

import json
import re

import pytest

from tests.stages.tiny import TASKS, nmr


@pytest.fixture(scope="module")
def found(project):
    return json.loads(nmr(project, "leaderboard", "--json").out.splitlines()[-1])["tasks"]


def test_every_model_of_every_task_stands_in_it(project, found):
    for task in TASKS:
        scores = json.loads((project / "results" / "evaluate" / task / "scores.json").read_text())
        metric = "r2" if task == "W" else "f1_weighted"
        assert {f"{each['family']}/{each['features']}" for each in found[task]} == set(scores["models"])
        for each in found[task]:
            own = scores["models"][f"{each['family']}/{each['features']}"]["scores"][metric]
            assert each["score"] == pytest.approx(own["value"], abs=1e-4)
            assert each["lower"] <= each["score"] <= each["upper"]
        assert [f"{each['family']}/{each['features']}" for each in found[task] if each["champion"]] == [
            scores["champion"]
        ]


def test_models_are_sorted_by_score_and_the_first_has_rank_one(found):
    for entries in found.values():
        assert [each["score"] for each in entries] == sorted((each["score"] for each in entries), reverse=True)
        assert entries[0]["rank"] == 1
        assert all(1 <= each["rank"] <= len(entries) for each in entries)


def test_costs_are_measured(found):
    for entries in found.values():
        assert all(
            each["curve_seconds"] > 0 and each["megabytes"] > 0 and each["trial_seconds"] > 0 for each in entries
        )


def test_people_get_a_markdown_table_of_the_asked_task(project, found):
    said = nmr(project, "leaderboard", "--task", "W").out
    assert re.findall(r"^## (\S+)$", said, re.MULTILINE) == ["W"]
    rows = [line for line in said.splitlines() if line.startswith("| 1 |") or line.startswith("| 2 |")]
    assert len(rows) == len(found["W"])
    assert "(held-out curves, " in said


def test_an_unknown_task_is_refused(project):
    ended = nmr(project, "leaderboard", "--task", "V")
    assert ended.code == 2
    assert re.search(r"Option `--task` must be one of W, .*, but is `V`\.", ended.err)
