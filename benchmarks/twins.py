"""Which power laws look like another kernel: for each, the curve of another kernel that is hardest to tell from it.

A power law of given strength is taken, and the parameters of a Gaussian and an RKKY kernel, inside their priors, are
fitted to its curves under the same disorder. Then many draws of the disorder are simulated for the power law and for
its twin, and a classifier is asked which is which, by cross-validation. It knows all parameters of both and faces the
disorder only, so that no model of the whole prior can do better on these two.
"""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import binomtest
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from benchmarks.figures import plot_twins
from benchmarks.tables import print_table
from nmr_platform import plots
from nmr_platform.config import read_params
from nmr_platform.datasets import Recipe, simulate_curves
from nmr_platform.features import Acquisition, extract
from nmr_platform.physics import Experiment
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design.objectives.objective import noise_covariance, redrawn

__all__ = ["main"]

Array = NDArray[np.float64]

_ROOT = Path(__file__).parents[1]
_STUDY = _ROOT / "studies" / "august2021"
_RECALL = _STUDY / "results" / "evaluate" / "power_vs_rest" / "tables" / "scores_by_exponent.csv"
_FEATURES = "shape-polynomials-and-log"
_EXPONENTS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_SHOWN = (1.25, 2.5)
_TWINS = ("gaussian", "rkky")
# MHz: alpha_x sum K and alpha_z sum K of all power laws, so that W = 0.2 MHz is in the middle of the prior.
_X = _Z = 0.2 / 3
_FIT_DRAWS, _NOISE_DRAWS, _DRAWS = 2, 48, 200
# Samples averaged into one for the fit.
_BIN = 12
_FOLDS = 10


@dataclass(frozen=True)
class _Pair:
    exponent: float
    kernel: str
    twin: Experiment
    accuracy: float
    lower: float
    upper: float


def main() -> None:
    """Fit the twins, tell them apart, print the table and draw the figure of docs/learning.md."""
    if not _RECALL.exists():
        sys.exit("The figure needs what the larger study found: run `make august2021` first.")
    params = read_params(_STUDY / "params.yaml")
    recipes = {name: params.data.recipe(name) for name in ("power", *_TWINS)}
    feature_set = next(item for item in params.features.sets if item.name == _FEATURES)
    example = recipes["power"].example
    features = partial(extract, feature_set=feature_set, acquisition=Acquisition.of(example))
    pairs, shown = [], []
    with progress_bar("fit twins and tell them apart", len(_EXPONENTS) * len(_TWINS), "pairs") as advance:
        for exponent in _EXPONENTS:
            law = _power_law(recipes["power"], exponent)
            records = _records(law, recipes["power"], _DRAWS)
            table = features(records)
            found = {}
            for kernel in _TWINS:
                twin = _fitted(law, recipes["power"], recipes[kernel])
                # Other disorder than the power law's, as two samples in a laboratory have.
                others = _records(twin, recipes[kernel], _DRAWS)
                pairs.append(_told_apart(exponent, kernel, twin, table, features(others)))
                found[kernel] = (pairs[-1].accuracy, others)
                advance(1)
            if exponent in _SHOWN:
                hardest = min(found, key=lambda kernel: found[kernel][0])
                shown.append(_mean_curves(exponent, example, {"power law": records, hardest: found[hardest][1]}))
    rows = pd.DataFrame([vars(pair) for pair in pairs]).drop(columns="twin")
    recall = pd.read_csv(_RECALL).query("metric == 'recall'").sort_values("exponent_low")
    drawn = plot_twins(
        rows, recall, curves=shown, title="A slowly decaying power law and the kernel that looks most like it"
    )
    plots.save(drawn, _ROOT / "docs" / "images" / "twins.png")
    print_table(
        f"Power laws of W = 0.2 MHz and their twins, {example.lattice.size} spins, {_DRAWS} draws of the disorder each",
        ["exponent and twin", "alpha_x (MHz)", "alpha_z (MHz)", "xi", "told right", "95 % interval"],
        [_row(pair) for pair in pairs],
        note="0.5 is guessing. A model of the whole prior does not know the parameters, which this classifier does.",
    )


def _row(pair: _Pair) -> tuple[str, ...]:
    coupling = pair.twin.coupling
    return (
        f"{pair.exponent:.2f} {pair.kernel}",
        f"{coupling.alpha_x:.3g}",
        f"{coupling.alpha_z:.3g}",
        f"{getattr(pair.twin.kernel, 'xi', np.nan):.1f}",
        f"{pair.accuracy:.3f}",
        f"{pair.lower:.3f} to {pair.upper:.3f}",
    )


def _power_law(recipe: Recipe, exponent: float) -> Experiment:
    base = recipe.example
    shaped = base.replace(kernel=base.kernel.replace(exponent=exponent))
    alpha_x, alpha_z = _X / shaped.kernel_sum, _Z / shaped.kernel_sum
    return shaped.replace(coupling=base.coupling.replace(alpha_x=alpha_x, alpha_y=alpha_x, alpha_z=alpha_z))


def _records(experiment: Experiment, recipe: Recipe, n: int) -> NDArray[np.complex64]:
    """Curves of one experiment under ``n`` draws of the disorder, shape (n, T)."""
    curve = recipe.curve(0).with_experiment(experiment)
    return np.array([echoes[""].m for echoes in simulate_curves([redrawn(curve, k) for k in range(n)], recipe)])


def _binned(records: NDArray[np.complex64]) -> Array:
    n = records.shape[1] // _BIN * _BIN
    bins = records[:, :n].reshape(len(records), -1, _BIN).mean(axis=2)
    return np.concatenate([bins.real, bins.imag], axis=1).astype(np.float64)


def _fitted(law: Experiment, recipe: Recipe, other: Recipe) -> Experiment:
    """The experiment of another kernel, inside its prior, whose curves are nearest in units of the disorder's noise."""
    noise = noise_covariance([_binned(_records(law, recipe, _NOISE_DRAWS))], receiver=0.0)
    whitener = np.linalg.inv(np.linalg.cholesky(noise))
    wanted = _binned(_records(law, recipe, _FIT_DRAWS))
    prior = [other.prior[f"{part}"] for part in ("coupling.alpha_x", "coupling.alpha_z", "kernel.xi")]
    low, high = (np.array([getattr(each, end) for each in prior]) for end in ("low", "high"))

    def experiment(shares: Array) -> Experiment:
        alpha_x, alpha_z, xi = low + shares * (high - low)
        base = other.example
        return base.replace(
            kernel=base.kernel.replace(xi=float(xi)),
            coupling=base.coupling.replace(alpha_x=float(alpha_x), alpha_y=float(alpha_x), alpha_z=float(alpha_z)),
        )

    def distance(shares: Array) -> Array:
        # Under the disorder of the power law: what is left is the kernel's doing. W may leave the prior by a hair.
        made = _binned(_records(experiment(shares), recipe, _FIT_DRAWS))
        return np.asarray(((made - wanted) @ whitener.T).ravel())

    starts = []
    for xi_share in (0.15, 0.85):
        kernel_sum = experiment(np.array([0.5, 0.5, xi_share])).kernel_sum
        alphas = (np.array([_X, _Z]) / kernel_sum - low[:2]) / (high - low)[:2]
        starts.append(np.clip([*alphas, xi_share], 0.02, 0.98))
    found = [least_squares(distance, start, bounds=(0.0, 1.0), diff_step=0.02, max_nfev=8) for start in starts]
    return experiment(min(found, key=lambda each: each.cost).x)


def _told_apart(exponent: float, kernel: str, twin: Experiment, law: pd.DataFrame, other: pd.DataFrame) -> _Pair:
    x = np.nan_to_num(np.concatenate([law.to_numpy(), other.to_numpy()]))
    y = np.repeat([True, False], [len(law), len(other)])
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    models: list[ClassifierMixin] = [
        ExtraTreesClassifier(500, max_features=0.2, random_state=0, n_jobs=1),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ]
    right = max(int((cross_val_predict(model, x, y, cv=folds, n_jobs=-1) == y).sum()) for model in models)
    ends = binomtest(right, len(y)).proportion_ci(0.95, method="wilson")
    return _Pair(exponent, kernel, twin, right / len(y), float(ends.low), float(ends.high))


def _mean_curves(exponent: float, example: Experiment, records: dict[str, NDArray[np.complex64]]) -> pd.DataFrame:
    table = pd.DataFrame({"time": example.time})
    for name, m in records.items():
        table[name], table[f"{name} std"] = np.abs(m).mean(axis=0), np.abs(m).std(axis=0)
    echo = example.time[example.echo_indices[0]]
    near = table[(table["time"] - echo).abs() < 30].copy()
    near.attrs["exponent"] = exponent
    return near
