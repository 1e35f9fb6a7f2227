"""Families of the extras in the pipeline: tuned, evaluated, explained, and kept with the library that they need."""

import json

import pytest

from nmr_platform.learning.models.catboost import CatBoost
from nmr_platform.learning.models.lightgbm import LightGBM
from tests.learning.extras import needs_library_of
from tests.stages.tiny import TASKS, copied, isolate, merged, nmr, tiny_values, write_params

OF = {"lightgbm": LightGBM, "catboost": CatBoost}
FAMILIES = [pytest.param(name, marks=needs_library_of(kind)) for name, kind in OF.items()]


def requirements(folder):
    """What every model below a folder needs, as MLflow would install it, by the name of its family."""
    found = {}
    for file in folder.rglob("about.json"):
        found[file.parents[2].name] = json.loads(file.read_text())["requirements"]
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_an_extra_is_learnt_and_shown_like_the_others(tmp_path, monkeypatch, project, family):
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project")
    write_params(folder, merged(tiny_values(), {"tune": {"families": [family, "linear"], "pruner": "median"}}))
    for task in TASKS:
        for stage in ("tune", "evaluate"):
            ended = nmr(folder, stage, "--task", task)
            assert ended.code == 0, ended.err
    needed = requirements(folder / "results" / "evaluate")
    assert family in needed[family]
    assert family not in needed["linear"]
    pinned = {file.read_text() for file in (tmp_path / "mlartifacts").rglob("requirements.txt")}
    assert sum(f"\n{family}==" in text for text in pinned) == 1
