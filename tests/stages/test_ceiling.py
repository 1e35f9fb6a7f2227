"""The ceiling of the small project's data: found, continued, and shown beside what was learnt."""

import json

import pytest

from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.workspace import Workspace
from tests.stages.test_report import markdown, table_below
from tests.stages.tiny import nmr, tiny_values, write_params

CEILING = {
    "n_curves": 20,
    "seed": 801,
    "features": {"kind": "pointwise", "signal": "complex", "window": "record", "decimate": 6},
    "bound": {
        "kind": "fisher",
        "targets": ["W", "xi"],
        "parameters": ["X", "Z", "xi"],
        "points": 3,
        "draws": 3,
        "groups": 3,
        "reach": 0.02,
        "noise": 0.01,
        "bin": 6,
    },
}
HEADING = "## What was learnt, and what the records allow"


@pytest.fixture
def asking(spoilable):
    write_params(spoilable, {**tiny_values(), "ceiling": CEILING})
    return spoilable


def test_every_target_has_a_ceiling_and_the_second_call_simulates_nothing(asking, monkeypatch):
    ended = nmr(asking, "ceiling", "--kernel", "gaussian", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(Workspace(asking).metrics("ceiling-gaussian").read_text())
    assert [*found] == ["W", "xi"]
    assert all(0.0 <= each["r2"] < 1.0 for each in found.values())
    assert found["W"]["r2"] > found["xi"]["r2"]

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(Ensemble, "_simulate", refuse)
    assert nmr(asking, "ceiling", "--kernel", "gaussian").code == 0
    assert json.loads(Workspace(asking).metrics("ceiling-gaussian").read_text()) == found


def test_the_report_sets_what_was_learnt_beside_the_ceiling(asking):
    assert HEADING not in markdown(asking)
    Workspace(asking).metrics("ceiling-gaussian").write_text('{"W": {"r2": 0.987, "error": 0.002}}')
    assert nmr(asking, "report").code == 0
    header, row = table_below(markdown(asking), HEADING)
    assert header[2:4] == ["R2 of the champion", "ceiling"]
    assert (row[0], row[1], row[3]) == ("W", "gaussian", "0.987 ± 0.002")


def test_a_data_set_that_is_not_there_is_named(asking):
    ended = nmr(asking, "ceiling", "--kernel", "gauss")
    assert ended.code == 2
    assert "must be one of gaussian, power, rkky, but is 'gauss'" in ended.err


def test_the_curves_of_the_bound_are_no_data_set_s(tmp_path):
    write_params(tmp_path, {**tiny_values(), "ceiling": {**CEILING, "seed": 101}})
    ended = nmr(tmp_path, "ceiling", "--kernel", "gaussian")
    assert "Key `ceiling.seed` must keep clear of `data.kernels.gaussian.seed`" in ended.err


def test_no_more_points_are_asked_for_than_there_are_curves(tmp_path):
    ceiling = {**CEILING, "bound": {**CEILING["bound"], "points": 21}}
    write_params(tmp_path, {**tiny_values(), "ceiling": ceiling})
    ended = nmr(tmp_path, "ceiling", "--kernel", "gaussian")
    assert "Key `ceiling.bound.points` must be at most `ceiling.n_curves`, but 21 is more than 20" in ended.err
