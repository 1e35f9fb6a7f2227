"""Small synthetic problems: features that tell W and the kernel, with noise."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from nmr_platform.learning.models.xgboost import XGBoost
from nmr_platform.learning.settings import SplitSettings, TuneSettings
from nmr_platform.learning.splitting import make_folds, task_rows
from nmr_platform.learning.tasks import ClassificationTask, RegressionTask
from nmr_platform.learning.tuning.plan import StudyPlan
from nmr_platform.learning.tuning.study import run_study
from nmr_platform.studies.storage import open_storage

__all__ = ["KERNELS", "W_TASK", "QuickFamily", "frozen", "problem", "quick_plan", "quick_study"]

KERNELS = ("gaussian", "power", "rkky")
W_TASK = RegressionTask(target="W", kernels=("gaussian",))
KERNEL_TASK = ClassificationTask(positive="power")


def problem(n_per_kernel=60, *, n_features=5, noise=0.02, seed=0):
    """A feature table and its labels, fresh disorder for every curve."""
    rng = np.random.default_rng(seed)
    n = n_per_kernel * len(KERNELS)
    kernel = np.repeat(KERNELS, n_per_kernel)
    curve = np.tile(np.arange(n_per_kernel), len(KERNELS))
    w = rng.uniform(0.1, 0.3, n)
    code = np.repeat(np.arange(len(KERNELS)), n_per_kernel)
    x = rng.normal(0.0, noise, (n, n_features))
    x[:, 0] += w
    x[:, 1] += 0.1 * code
    labels = pd.DataFrame(
        {
            "kernel": kernel,
            "curve": curve,
            "disorder": [f"{name}-{index}" for name, index in zip(kernel, curve, strict=True)],
            "W": w,
            "xi": np.where(code == 1, np.nan, 10.0 + 5.0 * w),
        }
    )
    return pd.DataFrame(x.astype(np.float32), columns=[f"f{i}" for i in range(n_features)]), labels


def frozen(labels):
    """The same labels as if every curve had the same disorder."""
    return labels.assign(disorder="the-one")


class QuickFamily(XGBoost):
    """Boosting with a space of cheap fits."""

    kind: Literal["quick"] = "quick"

    def search_space(self, trial):
        return {
            "n_estimators": 5,
            "max_depth": trial.suggest_int("max_depth", 1, 6),
            "learning_rate": trial.suggest_float("learning_rate", 0.05, 1.0, log=True),
        }


def quick_plan(family=None, *, n_trials=4, seed=0, n_per_kernel=30, task=W_TASK, n_jobs=1, pruner="none", **settings):
    """A study of W that takes milliseconds a trial."""
    features, labels = problem(n_per_kernel)
    part = task_rows(task, {"plain": features}, labels, SplitSettings()).training_part("plain")
    tune = TuneSettings(
        n_trials=n_trials, seed=seed, cv_folds=3, n_jobs=n_jobs, startup_trials=2, pruner=pruner, **settings
    )
    folds = make_folds(part, task, tune.cv_folds, tune.seed)
    return StudyPlan("w", task, family or QuickFamily(), "plain", part, folds, tune)


def quick_study(folder: Path, tracker, family=None, **settings):
    """Run the quick study with its journal in ``folder``."""
    return run_study(quick_plan(family, **settings), open_storage(folder), tracker)
