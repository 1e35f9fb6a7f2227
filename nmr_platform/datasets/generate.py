"""Simulate the curves of a recipe, shard by shard, and publish them as one data set."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets.recipe import Curve, Recipe
from nmr_platform.datasets.shards import Shard, read_shard, shards_of, write_shard
from nmr_platform.datasets.store import publish
from nmr_platform.physics import Experiment
from nmr_platform.progress import Advance, no_progress
from nmr_platform.simulation import ENGINE_VERSION, Echo, simulate

__all__ = ["Generated", "generate", "simulate_curves"]

SHARD_SIZE = 50
"""Curves in a shard: a few seconds of work, so that a kill loses little."""

_UNITS = {
    "W": ("MHz", "kernel integral (alpha_x + alpha_y + alpha_z) sum K"),
    "X": ("MHz", "alpha_x sum K"),
    "Z": ("MHz", "alpha_z sum K"),
    "kernel_sum": ("1", "sum K"),
    "alpha_x": ("MHz", "coupling of the x components"),
    "alpha_y": ("MHz", "coupling of the y components"),
    "alpha_z": ("MHz", "coupling of the z components"),
    "xi": ("lattice constants", "range of the kernel; NaN where it has none"),
    "exponent": ("1", "exponent of the kernel; NaN where it has none"),
    "gamma_plus": ("MHz", "Lindblad rate of I+"),
    "gamma_minus": ("MHz", "Lindblad rate of I-"),
    "gamma_z": ("MHz", "Lindblad rate of Iz"),
}


class Generated(NamedTuple):
    """What `generate` did.

    Attributes:
        path: Folder of the data set.
        digest: Its identity.
        n_simulated: Curves simulated now; the others were there from an earlier run.
        acceptance: Fraction of the draws from the prior that met the constraints.
    """

    path: Path
    digest: str
    n_simulated: int
    acceptance: float


def generate(
    recipe: Recipe, path: Path, *, shard_folder: Path, threads: int | None = None, progress: Advance = no_progress
) -> Generated:
    """Make the data set of a recipe.

    Finished shards stay in ``shard_folder``, so a run that was interrupted continues, and a larger data set of the
    same recipe simulates only the new curves.

    Args:
        recipe: What to simulate.
        path: Where the data set appears, by one atomic rename.
        shard_folder: Where finished shards are kept, in a folder named by the recipe.
        threads: Curves simulated at the same time; as many as there are cores by default.
        progress: Called with the number of curves finished.

    Raises:
        ConfigurationError: The prior hardly ever meets the constraints.
        DataError: A shard of an earlier run is damaged.
    """
    folder = shard_folder / recipe.curve_digest
    n_simulated = 0
    parts = []
    for shard in shards_of(recipe.n_curves, SHARD_SIZE):
        file = shard.path(folder)
        if not file.exists():
            write_shard(file, _simulate_shard(recipe, shard, threads, progress))
            n_simulated += shard.size
        else:
            progress(shard.size)
        parts.append(read_shard(file))
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    acceptance = recipe.check_acceptance(int(arrays["n_draws"].sum()), recipe.n_curves)
    publish(_dataset(recipe, arrays, acceptance), path, chunk=SHARD_SIZE)
    return Generated(path, recipe.digest, n_simulated, acceptance)


def simulate_curves(
    curves: Sequence[Curve], recipe: Recipe, *, threads: int | None = None, progress: Advance = no_progress
) -> list[Echo]:
    """Simulate curves side by side on threads; the engine releases the interpreter lock.

    Args:
        curves: What to simulate.
        recipe: Integrator and precision.
        threads: Curves simulated at the same time; as many as there are cores by default.
        progress: Called with the number of curves finished.

    Returns:
        The echoes in the order of ``curves``.
    """

    def one(curve: Curve) -> Echo:
        echo = simulate(
            curve.experiment,
            seed=curve.disorder_seed,
            integrator=recipe.integrator,
            dtype=recipe.dtype,
            noise_seed=curve.noise_seed,
        )
        progress(1)
        return echo

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        try:
            return list(pool.map(one, curves))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _simulate_shard(recipe: Recipe, shard: Shard, threads: int | None, progress: Advance) -> dict[str, NDArray[Any]]:
    curves = [recipe.curve(number) for number in range(shard.start, shard.stop)]
    echoes = simulate_curves(curves, recipe, threads=threads, progress=progress)
    columns = [_parameters(curve.experiment) for curve in curves]
    return {
        "m": np.array([echo.m for echo in echoes], np.complex64),
        "m_z": np.array([echo.m_z for echo in echoes], np.float32),
        "disorder": np.array([curve.disorder for curve in curves]),
        "n_draws": np.array([curve.n_draws for curve in curves]),
        **{name: np.array([column[name] for column in columns]) for name in _UNITS},
    }


def _parameters(experiment: Experiment) -> dict[str, float]:
    """The scalars that decide a curve, and the ones that learning is after."""
    kernel, coupling = experiment.kernel, experiment.coupling
    return {
        "W": experiment.kernel_integral,
        "X": coupling.alpha_x * experiment.kernel_sum,
        "Z": coupling.alpha_z * experiment.kernel_sum,
        "kernel_sum": experiment.kernel_sum,
        "xi": getattr(kernel, "xi", np.nan),
        "exponent": getattr(kernel, "exponent", np.nan),
        **coupling.model_dump(),
        **experiment.dissipation.model_dump(),
    }


def _dataset(recipe: Recipe, arrays: dict[str, NDArray[Any]], acceptance: float) -> xr.Dataset:
    experiment = recipe.curve(0).experiment
    coordinates = {name: ("curve", arrays[name], _attributes(name)) for name in _UNITS}
    return xr.Dataset(
        {
            "m": (("curve", "time"), arrays["m"], {"long_name": "<Ix> + i <Iy>"}),
            "m_z": (("curve", "time"), arrays["m_z"], {"long_name": "<Iz>"}),
        },
        coords={
            "curve": np.arange(recipe.n_curves),
            "time": ("time", experiment.time, {"units": "us"}),
            "kernel": ("curve", np.full(recipe.n_curves, experiment.kernel.kind)),
            "disorder": ("curve", arrays["disorder"], {"long_name": "identity of the Larmor offsets"}),
            "seed": ("curve", np.full(recipe.n_curves, recipe.seed)),
            **coordinates,
        },
        attrs={
            "name": recipe.name,
            "digest": recipe.digest,
            "engine_version": ENGINE_VERSION,
            "recipe": recipe.model_dump_json(),
            "acceptance": acceptance,
            "echo_index": experiment.echo_indices[-1] if experiment.echo_indices else -1,
            "step": experiment.step,
        },
    )


def _attributes(name: str) -> dict[str, str]:
    units, long_name = _UNITS[name]
    return {"units": units, "long_name": long_name}
