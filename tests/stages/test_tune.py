"""The stage that tunes, beside what the whole pipeline shows of it."""

from contextlib import contextmanager

import pytest

from nmr_platform.learning import StudyProgress
from nmr_platform.stages import tune as stage
from nmr_platform.workspace import Workspace
from tests.stages.tiny import tiny_values


def test_the_bar_counts_the_trials_of_all_workers(tmp_path, monkeypatch):
    advanced, totals = [], []

    @contextmanager
    def bar(description, total, unit):
        totals.append(total)
        yield advanced.append

    def tuned_with_others(*_, progress, **__):
        for study, done in [("forest", 2), ("forest", 2), ("forest", 5), ("boosting", 4), ("boosting", 5)]:
            progress(StudyProgress(study, done, 5, 0.5))
        raise InterruptedError("enough")

    monkeypatch.setattr(stage, "tune_task", tuned_with_others)
    monkeypatch.setattr(stage, "read_features", lambda _: stage.FeatureTables({}, None, None, None, ()))
    params = stage.TuneParams(**{name: tiny_values()[name] for name in ("tasks", "split", "tune")})
    with pytest.raises(InterruptedError, match="enough"):
        stage.tune(params, Workspace(tmp_path), "W", None, bar=bar)
    assert advanced == [2, 0, 3, 4, 1]
    assert totals == [2 * params.tune.n_trials]
