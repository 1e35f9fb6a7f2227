"""Why a tipped echo tells alpha_z, and whether the Cramer-Rao bound ranks sequences as an estimator does."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.figures import plot_phase_story
from benchmarks.tables import print_table
from nmr_platform import plots
from nmr_platform.datasets import Recipe
from nmr_platform.physics import Hahn
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design import Ensemble, SequenceSet
from nmr_platform.pulse_design.objectives import FisherSettings, ScoreSettings
from nmr_platform.pulse_design.presets import read_search
from nmr_platform.simulation import simulate

__all__ = ["main"]

_DOCS = Path(__file__).parents[1] / "docs"
_TIPPED = Hahn(tau=36.0, theta1=80.0, theta2=180.0)
_N_CURVES = 40
_N_SEQUENCES, _N_GROUPS, _SCORED = 10, 3, 400
_SCORE = ScoreSettings(kind="score", targets=("W", "Z"), cv_folds=5, n_estimators=200)
_FISHER = FisherSettings(
    kind="fisher",
    targets=("W", "Z"),
    parameters=("X", "Z", "xi"),
    points=32,
    draws=6,
    reach=1.2,
    noise=0.003,
    bin=10,
)


def main() -> None:
    """Draw the figure of docs/pulse-design.md; compare two objectives on random sequences."""
    _phase()
    _ranks()


def _recipe(n_curves: int, seed: int) -> Recipe:
    data, settings = read_search("august2021")
    base = data.recipe(settings.kernel)
    lattice = {"shape": list(settings.shape)}
    return base.replace(n_curves=n_curves, seed=seed, experiment={**base.experiment, "lattice": lattice})


def _phase() -> None:
    """The phase that alpha_z adds to the echo, against what mean field expects of it."""
    expected, measured = [], []
    for number in range(_N_CURVES):
        curve = _recipe(_N_CURVES, 1).curve(number)
        tipped = curve.experiment.replace(sequence=_TIPPED)
        without = tipped.replace(coupling=tipped.coupling.replace(alpha_z=0.0))
        with_z, without_z = (simulate(each, seed=curve.disorder_seed, integrator="fast") for each in (tipped, without))
        echo = tipped.echo_indices[0]
        z = tipped.coupling.alpha_z * tipped.kernel_sum
        expected.append(2 * np.pi * z * _TIPPED.tau * np.cos(np.deg2rad(_TIPPED.theta1)))
        measured.append(float(np.angle(with_z.m[echo] / without_z.m[echo])))
    # A phase is known up to whole turns: those are taken that come closest to what is expected.
    turns = np.round((np.array(expected) - np.array(measured)) / (2 * np.pi))
    unwrapped = np.array(measured) + 2 * np.pi * turns
    history = pd.read_csv(_DOCS / "pulse-search" / "history.csv").dropna(subset=["theta1"])
    reach = history["tau"] * np.abs(np.cos(np.deg2rad(history["theta1"])))
    drawn = plot_phase_story(
        expected, unwrapped, reach, history["r2_Z"], history["share"], label="cross-validated R² of Z"
    )
    plots.save(drawn, _DOCS / "images" / "pulse-phase.png")
    slope = float(np.polyfit(expected, unwrapped, 1)[0])
    worst = float(np.abs(unwrapped - np.array(expected)).max())
    print(
        f"Phase of the echo over 2 pi Z tau cos theta1: slope {slope:.3f} over {_N_CURVES} curves, "
        f"at most {worst:.2f} rad from it.\n"
    )


def _ranks() -> None:
    """Score and bound of random sequences, several groups of ten."""
    _, settings = read_search("august2021")
    ensemble = Ensemble(_recipe(_SCORED, settings.seed))
    objectives = [each.prepare({"gaussian": ensemble}, "gaussian", settings.features, 0) for each in (_SCORE, _FISHER)]
    # The reach was chosen on sequences of seed 0; these are others.
    rng = np.random.default_rng(1)
    rows: list[list[str]] = []
    ranks = []
    with progress_bar("judge sequences", _N_GROUPS * _N_SEQUENCES, "sequences") as advance:
        for group in range(1, _N_GROUPS + 1):
            values = []
            for _ in range(_N_SEQUENCES):
                theta1, theta2, tau = rng.uniform([30, 90, 25], [120, 240, 100])
                tried = SequenceSet.of(Hahn(tau=float(tau), theta1=float(theta1), theta2=float(theta2)))
                values.append([objective.judge(tried).value for objective in objectives])
                rows.append([f"{group}: {tried}", *(f"{value:.3f}" for value in values[-1])])
                advance(1)
            ranks.append(float(spearmanr(*np.array(values).T).statistic))
    shape = " x ".join(map(str, settings.shape))
    print_table(
        f"Mean R2 of W and Z under random Hahn echoes, {shape}",
        ["group and sequence", f"cross-validated, {_SCORED} curves", f"bound, reach {_FISHER.reach:g}"],
        rows,
        note=f"Spearman correlation of the two in each group: {', '.join(f'{rank:.2f}' for rank in ranks)}.",
    )
