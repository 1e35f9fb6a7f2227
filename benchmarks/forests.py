"""How long a trial of each model family takes on 4000 curves and 300 features, cross-validated."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tables import print_table
from nmr_platform.learning import RegressionTask, SplitSettings, TuneSettings, study_plans, task_rows
from nmr_platform.learning.tuning import run_study
from nmr_platform.studies import closing_storage
from nmr_platform.tracking.null import NullTracker

__all__ = ["main"]

_CURVES, _FEATURES = 5000, 300
_TRIALS = 5


def main() -> None:
    """Time a few trials of each family on echoes as smooth and as noisy as simulated ones."""
    tune = TuneSettings(n_trials=_TRIALS, pruner="none")
    task, (features, labels) = RegressionTask(), _echoes()
    tables = task_rows(task, {"pointwise": features}, labels, SplitSettings(test_fraction=0.2))
    n_train = int((~tables.split.in_test).sum())
    shown = []
    for plan in study_plans("benchmark", task, tables, tune):
        with tempfile.TemporaryDirectory() as folder, closing_storage(Path(folder)) as storage:
            begin = time.perf_counter()
            result = run_study(plan, storage, NullTracker())
            elapsed = time.perf_counter() - begin
        each = result.trial_seconds / result.n_trials
        shown.append((plan.family.kind, f"{each:.2f} s", f"{elapsed / _TRIALS:.2f} s", f"{result.cv_mean:.3f}"))
    print_table(
        f"Trials on {n_train} curves x {_FEATURES} features, {tune.cv_folds} folds, {tune.n_estimators} trees a forest",
        ("family", "a trial", "with the study around it", "best R2"),
        shown,
        note=f"Mean of {_TRIALS} random points of the search space.",
    )


def _echoes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Echoes whose width and lean depend on W, with the noise of the disorder, and their labels."""
    rng = np.random.default_rng(0)
    w = rng.uniform(0.1, 0.3, _CURVES)
    x = np.linspace(-24.0, 24.0, _FEATURES)
    width, lean = 30 * (0.4 - w)[:, None] * rng.uniform(0.8, 1.2, (_CURVES, 1)), 40 * (w - 0.1)[:, None]
    m = 0.3 * np.exp(-(((x + lean) / width) ** 2)) + 0.003 * rng.standard_normal((_CURVES, _FEATURES))
    names = [f"abs_{number}" for number in range(_FEATURES)]
    labels = pd.DataFrame({"kernel": "gaussian", "curve": np.arange(_CURVES), "seed": 0, "W": w})
    labels["disorder"] = [f"0/{number}" for number in range(_CURVES)]
    return pd.DataFrame(m.astype(np.float32), columns=names), labels


if __name__ == "__main__":
    main()
