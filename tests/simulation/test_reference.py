"""Published echo curves: figures 1 and 2 of arXiv 2110.06811, and the example output of Spin_Echo_Sim."""

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nmr_platform import simulate
from tests.builders import UNIT_STEP, delay, experiment, pulse

REFERENCE = Path(os.environ.get("NMR_REFERENCE", Path(__file__).parents[3] / "shared" / "reference"))
pytestmark = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason=f"the published curves are not at {REFERENCE}; set NMR_REFERENCE to their folder"
)

N_TAU = 628
FIG1_ALPHAS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10, 0.12)
FIG2_ALPHAS = ((0.0, 0.5), (0.025, 0.375), (0.05, 0.25), (0.075, 0.125), (0.1, 0.0))


def figure(length, flip, alpha, alpha_z):
    """M at s = 1, 2, ... 1884 for the settings of the figures; the second pulse is twice the first."""
    elements = [pulse(flip), delay(N_TAU), pulse(2 * flip, 90), delay(2 * N_TAU + 1)]
    values = experiment(
        lattice={"shape": [length, length]},
        kernel={"kind": "uniform"},
        coupling={"alpha_x": alpha, "alpha_y": alpha, "alpha_z": alpha_z},
        line={"fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"},
        dissipation={"gamma_z": 1e-7},
        sequence={"kind": "custom", "elements": elements},
    )
    return simulate(values, dtype="float64").m[1:]


def published(name, column):
    table = pd.read_csv(REFERENCE / name)
    return (table[f"re_{column}"] + 1j * table[f"im_{column}"]).to_numpy()


@pytest.mark.parametrize("flip", [0, 15, 45, 60, 90])
def test_figure_2_is_reproduced_to_the_resolution_of_its_vector_graphics(flip):
    for alpha, alpha_z in FIG2_ALPHAS:
        expected = published(f"fig2_uniform_20x20_flip{flip:03d}.csv", f"a{alpha:.3f}_az{alpha_z:.3f}")
        error = np.abs(figure(20, flip, alpha, alpha_z) - expected).max()
        assert error < 5e-5, f"alpha_x = {alpha}, alpha_z = {alpha_z}"


@pytest.mark.parametrize("flip", [18, 66, 90, 138])
def test_figure_1_is_reproduced_to_the_precision_of_its_single_precision_run(flip):
    for alpha in FIG1_ALPHAS:
        expected = published(f"fig1_uniform_40x40_flip{flip:03d}.csv", f"a{alpha:.2f}")
        error = np.abs(figure(40, flip, alpha, alpha) - expected).max()
        assert error < (2e-3 if alpha <= 0.06 else 1e-2), f"alpha = {alpha}"


def test_the_echo_shrinks_with_the_coupling_as_published():
    around = slice(2 * N_TAU - 101, 2 * N_TAU + 100)
    peaks = [np.abs(figure(40, 90, alpha, alpha))[around].max() for alpha in FIG1_ALPHAS]
    assert peaks == pytest.approx([0.468, 0.449, 0.395, 0.325, 0.159, 0.107, 0.096], abs=2e-3)


@pytest.mark.parametrize(
    ("row", "alpha", "xi"), [(0, 0.00086477, 5.0), (4, 0.00022143, 11.18033989), (8, 5.878e-05, 25.0)]
)
def test_the_cuda_examples_agree_within_their_disorder(row, alpha, xi):
    step = 1.88495559 * UNIT_STEP
    elements = [pulse(90), delay(166, step), pulse(180), delay(333, step)]
    values = experiment(
        lattice={"shape": [100, 100]},
        kernel={"kind": "gaussian", "xi": xi},
        coupling={"alpha_x": alpha, "alpha_y": alpha, "alpha_z": 0.0},
        line={"fwhm": 0.05, "bandwidth": 0.5},
        sequence={"kind": "custom", "elements": elements},
        step=step,
    )
    # Their sample 167 repeats the instant of sample 166, just after the second pulse.
    expected = np.delete(np.abs(published("cuda_gaussian_100x100.csv", str(row))), 167)
    draws = [np.abs(simulate(values, seed=seed).m) for seed in range(6)]
    assert draws[0].shape == expected.shape

    def rms(difference):
        return np.sqrt(np.mean(difference**2))

    # One pair may lie close together by chance: the distances between draws scatter by a factor of ten.
    between_draws = np.median([rms(one - other) for one, other in combinations(draws, 2)])
    assert 0.003 < between_draws < 0.03
    assert np.median([rms(one - expected) for one in draws]) < 2 * between_draws
