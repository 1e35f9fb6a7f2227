"""Families of the extras in the pipeline: tuned, evaluated, explained, and kept with the library that they need."""

import json

import pandas as pd
import pytest

from nmr_platform.learning.models.catboost import CatBoost
from nmr_platform.learning.models.lightgbm import LightGBM
from nmr_platform.learning.models.posterior import NeuralPosterior
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


@needs_library_of(NeuralPosterior)
def test_a_joint_posterior_is_learnt_drawn_and_asked_with_means_intervals_and_correlations(
    tmp_path, monkeypatch, project
):
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project")
    joint = {"kind": "joint", "targets": ["X", "Z", "xi"], "kernels": ["gaussian"]}
    families = [{"kind": "posterior", "members": 2, "epochs": 5}, "linear"]
    write_params(folder, merged(tiny_values(), {"tasks": {"couplings": joint}, "tune": {"families": families}}))
    for stage in ("tune", "evaluate"):
        ended = nmr(folder, stage, "--task", "couplings")
        assert ended.code == 0, ended.err
    own = folder / "results" / "evaluate" / "couplings" / "posterior" / "polynomial-magnitude"
    drawn = {file.stem for file in (own / "figures").iterdir()}
    assert {"corner", "expected_coverage", "ranks_X", "crps_Z", "parity_xi", "coverage_xi"} <= drawn
    assert "xi: R2" in (own / "model" / "card.md").read_text()
    asked = (
        "predict",
        str(folder / "data" / "simulated" / "gaussian.zarr"),
        "--task",
        "couplings",
        "--coverage",
        "0.8",
    )
    said = nmr(folder, *asked)
    assert "couplings: xi" in said.out
    assert "correlation with X" in said.out
    answer = json.loads(nmr(folder, *asked, "--json").out)["predictions"][0]
    assert answer["lower_X"] < answer["prediction_X"] < answer["upper_X"]
    assert -1.0 <= answer["correlation_X_Z"] <= 1.0
    assert answer["level"] == 0.8
    refused = nmr(folder, *asked[:-1], "1.5")
    assert refused.code == 2
    assert "must lie between 0 and 1" in refused.err


@needs_library_of(NeuralPosterior)
def test_a_network_is_drawn_beside_the_others_and_what_it_learnt_needs_no_extra(tmp_path, monkeypatch, project):
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project")
    small = {"kind": "posterior", "members": 2, "epochs": 5}
    families = [small, "random_forest", "linear"]
    write_params(folder, merged(tiny_values(), {"tune": {"families": families, "pruner": "median"}}))
    for task in TASKS:
        for stage in ("tune", "evaluate"):
            ended = nmr(folder, stage, "--task", task)
            assert ended.code == 0, ended.err
        own = folder / "results" / "evaluate" / task / "posterior" / "polynomial-magnitude"
        agreed = pd.read_csv(own / "tables" / "agreement.csv")
        assert set(agreed["family"]) == {"random_forest", "linear"}
        assert agreed["overlap"].between(0.0, 1.0).all()
        assert (own / "figures" / "importances_beside.png").stat().st_size > 1000
    assert {f"{name}.png" for name in ("crps", "ranks", "expected_coverage")} <= {
        path.name for path in (folder / "results" / "evaluate" / "W").glob("posterior/*/figures/*")
    }
    needed = requirements(folder / "results" / "evaluate")
    assert needed["posterior"] == needed["linear"]
    ended = nmr(folder, "track", "sync")
    assert ended.code == 0, ended.err
