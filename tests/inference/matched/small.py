"""A small measurement to infer from: a few dozen curves of a few dozen spins."""

import numpy as np

from nmr_platform.exchange import Record
from nmr_platform.inference.matched import KernelPrior, Setting
from nmr_platform.learning import TuneSettings
from nmr_platform.simulation import simulate
from tests.inference.matched.records import SEQUENCE, experiment

__all__ = ["PRIOR", "QUICK", "SETTING", "TRUTH", "measured", "priors"]

SETTING = Setting(sequence=SEQUENCE, lattice={"shape": [8, 8]})
QUICK = TuneSettings(n_trials=1, families=("linear",), cv_folds=2, startup_trials=1, pruner="none", n_jobs=1)
PRIOR = {
    "kernel.xi": {"kind": "uniform", "low": 1.0, "high": 2.0},
    "coupling.alpha_x": {"kind": "uniform", "low": 0.002, "high": 0.01},
    "coupling.alpha_y": {"kind": "expression", "value": "coupling.alpha_x"},
    "coupling.alpha_z": {"kind": "uniform", "low": 0.002, "high": 0.01},
}
TRUTH = experiment(
    lattice={"shape": [8, 8]},
    kernel={"kind": "gaussian", "xi": 1.5},
    coupling={"alpha_x": 0.005, "alpha_y": 0.005, "alpha_z": 0.005},
    line={"fwhm": 0.08, "bandwidth": 1.0},
    step=0.125,
)


def priors(*kernels):
    """The prior for each kernel, of the same couplings."""
    return {name: KernelPrior(kernel={"kind": name}, prior=PRIOR) for name in kernels or ("gaussian",)}


def measured(path, *, truth=TRUTH, seed=3, volts=2e-3, phase=40.0, noise=0.004):
    """The second half of an echo as a receiver has it, from 34 us on, every 0.5 us."""
    echo, rng = simulate(truth, seed=seed), np.random.default_rng(seed)
    late = echo.time >= 34.0
    m = echo.m[late][::4].astype(complex) * np.exp(1j * np.deg2rad(phase))
    m += noise * (rng.normal(size=m.size) + 1j * rng.normal(size=m.size))
    return Record(volts * m, 34.0, 0.5, path, "text")
