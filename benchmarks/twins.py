"""Which power laws look like another kernel: for each, the curve of another kernel that is hardest to tell from it.

A power law of given strength is taken, and the parameters of a Gaussian and an RKKY kernel, inside their priors, are
fitted to its curves under the same disorder. Then many draws of the disorder are simulated for the power law and for
its twin, and a classifier is asked which is which, by cross-validation. It knows all parameters of both and faces the
disorder only, so that no model of the whole prior can do better on these two.

`python -m benchmarks twins --designed` asks the same of the study's designed measurement.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
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
from nmr_platform.datasets import Recipe, simulate_curves
from nmr_platform.designed import read_designed_sections
from nmr_platform.features import Acquisition, extract
from nmr_platform.physics import Experiment, Measurement
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design.objectives.objective import noise_covariance, redrawn
from nmr_platform.schema import read_sections
from nmr_platform.stages.features import FeaturesParams

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
# Of the designed measurement, whose pairs take three times as long.
_DESIGNED_FEATURES, _DESIGNED_EXPONENTS = "shape-and-log", (1.25, 1.75)


@dataclass(frozen=True)
class _Pair:
    exponent: float
    kernel: str
    twin: Measurement
    accuracy: float
    lower: float
    upper: float


def main(arguments: Sequence[str] = ()) -> None:
    """Fit the twins, tell them apart and print the table; of 90/180 also draw the figure of docs/learning.md."""
    parser = ArgumentParser("python -m benchmarks twins", description=__doc__)
    parser.add_argument("--designed", action="store_true", help="under the designed measurement of the larger study")
    designed = parser.parse_args(arguments).designed
    if not designed and not _RECALL.exists():
        sys.exit("The figure needs what the larger study found: run `make august2021` first.")
    read = read_designed_sections if designed else read_sections
    params = read(_STUDY / "params.yaml", FeaturesParams)
    recipes = {name: params.data.recipe(name) for name in ("power", *_TWINS)}
    name, exponents = (_DESIGNED_FEATURES, _DESIGNED_EXPONENTS) if designed else (_FEATURES, _EXPONENTS)
    feature_set = next(item for item in params.features.sets if item.name == name)
    acquisition = {record: Acquisition.of(each) for record, each in recipes["power"].examples.items()}
    features = partial(extract, feature_set=feature_set, acquisition=acquisition)
    example = recipes["power"].example
    pairs, shown = [], []
    with progress_bar("fit twins and tell them apart", len(exponents) * len(_TWINS), "pairs") as advance:
        for exponent in exponents:
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
            if exponent in _SHOWN and not designed:
                hardest = min(found, key=lambda kernel: found[kernel][0])
                shown.append(
                    _mean_curves(exponent, example, {"power law": records[""], hardest: found[hardest][1][""]})
                )
    if not designed:
        rows = pd.DataFrame([vars(pair) for pair in pairs]).drop(columns="twin")
        recall = pd.read_csv(_RECALL).query("metric == 'recall'").sort_values("exponent_low")
        drawn = plot_twins(
            rows, recall, curves=shown, title="A slowly decaying power law and the kernel that looks most like it"
        )
        plots.save(drawn, _ROOT / "docs" / "images" / "twins.png")
    under = " and ".join(str(each.sequence) for each in recipes["power"].examples.values())
    print_table(
        f"Power laws of W = 0.2 MHz and their twins, {example.lattice.size} spins, {_DRAWS} draws of the disorder each",
        ["exponent and twin", "alpha_x (MHz)", "alpha_z (MHz)", "xi", "told right", "95 % interval"],
        [_row(pair) for pair in pairs],
        note="0.5 is guessing. A model of the whole prior does not know the parameters, which this classifier does. "
        f"Under {under}.",
    )


def _row(pair: _Pair) -> tuple[str, ...]:
    first = pair.twin.first
    coupling = first.coupling
    return (
        f"{pair.exponent:.2f} {pair.kernel}",
        f"{coupling.alpha_x:.3g}",
        f"{coupling.alpha_z:.3g}",
        f"{getattr(first.kernel, 'xi', np.nan):.1f}",
        f"{pair.accuracy:.3f}",
        f"{pair.lower:.3f} to {pair.upper:.3f}",
    )


def _power_law(recipe: Recipe, exponent: float) -> Measurement:
    base = recipe.curve(0).measurement
    first = base.first
    shaped = first.replace(kernel=first.kernel.replace(exponent=exponent))
    alpha_x, alpha_z = _X / shaped.kernel_sum, _Z / shaped.kernel_sum
    coupling = first.coupling.replace(alpha_x=alpha_x, alpha_y=alpha_x, alpha_z=alpha_z)
    return base.replace(kernel=shaped.kernel, coupling=coupling)


def _records(sample: Measurement, recipe: Recipe, n: int) -> dict[str, NDArray[np.complex64]]:
    """Curves of one sample under ``n`` draws of the disorder, shape (n, T) for each record."""
    curve = recipe.curve(0)._replace(measurement=sample)
    simulated = simulate_curves([redrawn(curve, k) for k in range(n)], recipe)
    return {name: np.array([echoes[name].m for echoes in simulated]) for name in recipe.record_names}


def _binned(records: dict[str, NDArray[np.complex64]]) -> Array:
    binned = []
    for m in records.values():
        n = m.shape[1] // _BIN * _BIN
        bins = m[:, :n].reshape(len(m), -1, _BIN).mean(axis=2)
        binned += [bins.real, bins.imag]
    return np.concatenate(binned, axis=1).astype(np.float64)


def _fitted(law: Measurement, recipe: Recipe, other: Recipe) -> Measurement:
    """The sample of another kernel, inside its prior, whose curves are nearest in units of the disorder's noise."""
    noise = noise_covariance([_binned(_records(law, recipe, _NOISE_DRAWS))], receiver=0.0)
    whitener = np.linalg.inv(np.linalg.cholesky(noise))
    wanted = _binned(_records(law, recipe, _FIT_DRAWS))
    prior = [other.prior[f"{part}"] for part in ("coupling.alpha_x", "coupling.alpha_z", "kernel.xi")]
    low, high = (np.array([getattr(each, end) for each in prior]) for end in ("low", "high"))
    base = other.curve(0).measurement

    def sample(shares: Array) -> Measurement:
        alpha_x, alpha_z, xi = low + shares * (high - low)
        return base.replace(
            kernel=base.first.kernel.replace(xi=float(xi)),
            coupling=base.first.coupling.replace(
                alpha_x=float(alpha_x), alpha_y=float(alpha_x), alpha_z=float(alpha_z)
            ),
        )

    def distance(shares: Array) -> Array:
        # Under the disorder of the power law: what is left is the kernel's doing. W may leave the prior by a hair.
        made = _binned(_records(sample(shares), recipe, _FIT_DRAWS))
        return np.asarray(((made - wanted) @ whitener.T).ravel())

    starts = []
    for xi_share in (0.15, 0.85):
        kernel_sum = sample(np.array([0.5, 0.5, xi_share])).first.kernel_sum
        alphas = (np.array([_X, _Z]) / kernel_sum - low[:2]) / (high - low)[:2]
        starts.append(np.clip([*alphas, xi_share], 0.02, 0.98))
    found = [least_squares(distance, start, bounds=(0.0, 1.0), diff_step=0.02, max_nfev=8) for start in starts]
    return sample(min(found, key=lambda each: each.cost).x)


def _told_apart(exponent: float, kernel: str, twin: Measurement, law: pd.DataFrame, other: pd.DataFrame) -> _Pair:
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
