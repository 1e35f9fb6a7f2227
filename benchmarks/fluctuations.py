"""What a 90/180 echo tells of the couplings once spins fluctuate: the same curves with and without fluctuations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.tables import print_table
from nmr_platform.datasets import Recipe, read_preset
from nmr_platform.features import Acquisition, PointwiseFeatures, ShapeFeatures, extract
from nmr_platform.learning import Bootstrap, RegressionTask, paired_gain
from nmr_platform.learning.models.smooth import Bumps
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design import Ensemble, SequenceSet

__all__ = ["main"]

_N_CURVES, _SEED, _SHAPE = 400, 1808, [64, 64]
_STARTS: dict[str, dict[str, Any]] = {
    "mean field": {},
    "sampled, 1 draw": {"fluctuations": "sampled"},
    "sampled, 4 draws": {"fluctuations": "sampled", "draws": 4},
}
_TARGETS = ("Z", "alpha_z", "X", "W")
_FEATURES = (
    PointwiseFeatures(kind="pointwise", signal="complex", window="record", decimate=6),
    ShapeFeatures(kind="shape", signal="complex", window="record"),
)
_FOLDS = KFold(5, shuffle=True, random_state=0)
_PENALTIES = np.logspace(-3, 4, 15)
_WIDTH = 2.0


def main(_: list[str]) -> None:
    """Print R2 of every target, start, feature set and family, cross-validated, and what fluctuations change."""
    scored: dict[tuple[str, str, str], dict[str, pd.DataFrame]] = {}
    with progress_bar("simulate and learn", len(_STARTS), "sets of curves") as advance:
        for start, initial in _STARTS.items():
            for key, predictions in _predicted(_recipe(initial)).items():
                scored.setdefault(key, {})[start] = predictions
            advance(1)
    print_table(
        f"R2 under 90/180, {_N_CURVES} curves of {' x '.join(map(str, _SHAPE))} spins, five folds",
        ["target, features, family", *_STARTS],
        [[", ".join(key), *_row(key[0], each)] for key, each in scored.items()],
        note="Behind the slash what is gained over mean field, with its 95 % interval, paired by curves.",
    )


def _recipe(initial: Mapping[str, Any]) -> Recipe:
    """Curves whose parameters and offsets do not depend on the start."""
    recipe = read_preset("august2021").recipe("gaussian")
    experiment = {**recipe.experiment, "lattice": {"shape": _SHAPE}, "initial": dict(initial)}
    return recipe.replace(n_curves=_N_CURVES, seed=_SEED, integrator="fast", experiment=experiment)


def _predicted(recipe: Recipe) -> dict[tuple[str, str, str], pd.DataFrame]:
    """True and predicted targets of every curve, each predicted from the curves of other folds."""
    ensemble = Ensemble(recipe)
    tried = SequenceSet.of(recipe.example.sequence)
    [(name, m)] = ensemble.records(tried, recipe.n_curves).items()
    labels = ensemble.labels[["kernel", "curve", "disorder", *_TARGETS]]
    y = labels[[*_TARGETS]].to_numpy()
    out = {}
    for features in _FEATURES:
        x = extract(m, features, Acquisition.of(ensemble.experiments(tried)[name])).to_numpy(np.float64)
        for family, model in _families().items():
            with threadpool_limits(limits=1):
                said = y.std(axis=0) * cross_val_predict(model, x, y / y.std(axis=0), cv=_FOLDS)
            for target, true, predicted in zip(_TARGETS, y.T, said.T, strict=True):
                rows = labels[["kernel", "curve", "disorder"]].assign(true=true, predicted=predicted)
                out[target, features.name, family] = rows
    return out


def _families() -> dict[str, Any]:
    """Ridge regression on the features or on Gaussian bumps, which chooses the penalty inside the training part."""
    ridge = RidgeCV(_PENALTIES, alpha_per_target=True)
    return {
        "linear": make_pipeline(StandardScaler(), ridge),
        "smooth": make_pipeline(StandardScaler(), Bumps(_WIDTH), ridge),
    }


def _row(target: str, predictions: Mapping[str, pd.DataFrame]) -> list[str]:
    task, first = RegressionTask(target=target, kernels=("gaussian",)), predictions["mean field"]
    cells = []
    for each in predictions.values():
        gain = paired_gain(task, first, each, Bootstrap())
        changed = "" if each is first else f" / {gain.value:+.3f} [{gain.lower:+.3f}, {gain.upper:+.3f}]"
        cells.append(f"{_r2(each['true'].to_numpy(), each['predicted'].to_numpy()):.3f}{changed}")
    return cells


def _r2(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    return 1 - float(((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum())
