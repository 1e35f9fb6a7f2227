"""A small echo whose truth is known, and files that instruments would have made of it."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from nmr_platform.datasets import Recipe, generate, load
from nmr_platform.exchange import Record
from nmr_platform.physics import Experiment
from nmr_platform.simulation import simulate
from tests.datasets.recipes import small_recipe

__all__ = ["REFERENCE", "STEP", "hahn", "make_dataset", "measured", "quiet_experiment", "truth"]

STEP = 0.25
# The published curves are not part of the repository: tests that read them skip where they are absent.
REFERENCE = Path(os.environ.get("NMR_REFERENCE", Path(__file__).parents[4] / "shared" / "reference"))


def hahn(**changes):
    """180 samples of 0.25 us, the second pulse after 60 and the echo at 120; a narrow band needs few spins."""
    values = {
        "lattice": {"shape": [16, 16]},
        "kernel": {"kind": "gaussian", "xi": 2.0},
        "coupling": {"alpha_x": 1e-4, "alpha_y": 1e-4, "alpha_z": 2e-4},
        "line": {"fwhm": 0.1, "bandwidth": 0.5},
        "sequence": {"kind": "hahn", "tau": 15.0},
        "step": STEP,
    }
    return Experiment.model_validate(values | changes)


def quiet_experiment(step=STEP):
    """The same without coupling: the echo refocuses with the ideal phase, whatever the step."""
    return hahn(coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}, step=step)


@cache
def truth(step=STEP, shift=0.0):
    """M(t) of uncoupled spins sampled every ``step`` us, their line shifted by ``shift`` MHz."""
    experiment = quiet_experiment(step)
    offsets = experiment.line.draw(experiment.lattice.size, np.random.default_rng(3)).offsets + shift
    echo = simulate(experiment, offsets=offsets.reshape(experiment.lattice.shape), dtype="float64")
    return echo.m


def measured(m, *, phase=0.0, gain=1.0, noise=0.0, step=STEP, start=0.0):
    """What a receiver makes of M(t): turned by ``phase`` degrees, amplified, and noisy."""
    rng = np.random.default_rng(11)
    turned = gain * np.exp(1j * np.deg2rad(phase)) * m
    noisy = turned + gain * noise * (rng.normal(size=m.shape) + 1j * rng.normal(size=m.shape))
    return Record(noisy, start, step, Path("echo.csv"), "csv")


def make_dataset(folder: Path, **changes) -> xr.Dataset:
    """A generated data set, read back from its store."""
    recipe: Recipe = small_recipe(**changes)
    return load(generate(recipe, folder / "set.zarr", shard_folder=folder / "shards").path)
