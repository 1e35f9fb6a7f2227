"""Simulate the curves of a recipe; a curve that cannot be simulated is reported and the others go on."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets.quantities import quantities_of
from nmr_platform.datasets.recipe.recipe import Curve, Recipe
from nmr_platform.errors import ConfigurationError, NmrPlatformError
from nmr_platform.progress import Advance, no_progress
from nmr_platform.simulation import Echo, simulate

__all__ = ["Failure", "Finished", "Map", "attempt_curves", "coordinates_of", "simulate_curves"]

Map = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]
"""`map`, or something like it that runs in parallel and keeps the order."""


class Finished(NamedTuple):
    """One finished curve.

    Attributes:
        number: Its number.
        m: Transverse magnetisation, complex64, shape (T,).
        m_z: Longitudinal magnetisation, float32, shape (T,).
        coordinates: What is known about it, see `coordinates_of`.
    """

    number: int
    m: NDArray[np.complex64]
    m_z: NDArray[np.float32]
    coordinates: dict[str, Any]


class Failure(NamedTuple):
    """A curve that could not be simulated.

    Attributes:
        curve: Its number.
        seed: Seed of the data set; with the number it decides every random draw of the curve.
        parameters: What was drawn for it, by dotted key.
        error: What went wrong.
    """

    curve: int
    seed: int
    parameters: dict[str, Any]
    error: str

    def __str__(self) -> str:
        drawn = ", ".join(f"{key} = {value}" for key, value in self.parameters.items())
        return (
            f"curve {self.curve} (seed {self.seed}, spawn key {self.curve}; {drawn or 'nothing drawn'}): {self.error}"
        )


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
        echo = _simulate(curve, recipe)
        progress(1)
        return echo

    with ThreadPoolExecutor(threads or joblib.cpu_count()) as pool:
        try:
            return list(pool.map(one, curves))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def attempt_curves(
    recipe: Recipe, numbers: Iterable[int], *, map_: Map = map, progress: Advance = no_progress
) -> list[Finished | Failure]:
    """Draw and simulate curves.

    Errors of the machine (no memory, no disk) are raised; whatever else goes wrong with a curve becomes its `Failure`.

    Args:
        recipe: What to simulate.
        numbers: Which curves.
        map_: How to run them.
        progress: Called with the number of curves finished, failed ones included.

    Returns:
        What became of each, in the order of ``numbers``.
    """

    def one(number: int) -> Finished | Failure:
        outcome = _attempt(recipe, number)
        progress(1)
        return outcome

    return list(map_(one, numbers))


def coordinates_of(recipe: Recipe, curve: Curve) -> dict[str, Any]:
    """What a data set says of a curve beside its record.

    Args:
        recipe: Of the data set.
        curve: One of its curves.

    Returns:
        Kernel, disorder, seed, number of draws, the standard quantities and what was drawn, by the coordinate's name.
    """
    return {
        "kernel": curve.experiment.kernel.kind,
        "disorder": curve.disorder,
        "seed": recipe.seed,
        "n_draws": curve.n_draws,
        **quantities_of(curve.experiment),
        **{name: curve.drawn[key] for name, key in recipe.columns.items()},
    }


def _attempt(recipe: Recipe, number: int) -> Finished | Failure:
    drawn: dict[str, Any] = {}
    try:
        curve = recipe.curve(number)
        drawn = dict(curve.drawn)
        echo = _simulate(curve, recipe)
        _require_time_axis(echo, recipe)
        coordinates = coordinates_of(recipe, curve)
        return Finished(number, echo.m.astype(np.complex64), echo.m_z.astype(np.float32), coordinates)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # Not to lose a week's run for one unlucky draw, whatever the engine makes of it.
        if isinstance(error, ConfigurationError) and isinstance(error.value, dict):
            drawn = error.value
        name = "" if isinstance(error, NmrPlatformError) else f"{type(error).__name__}: "
        return Failure(number, recipe.seed, drawn, f"{name}{error}")


def _simulate(curve: Curve, recipe: Recipe) -> Echo:
    return simulate(
        curve.experiment,
        seed=curve.disorder_seed,
        integrator=recipe.integrator,
        dtype=recipe.dtype,
        noise_seed=curve.noise_seed,
    )


def _require_time_axis(echo: Echo, recipe: Recipe) -> None:
    if not np.array_equal(echo.time, recipe.example.time):
        message = (
            f"All curves of a data set must share one time axis, but this one has {echo.time.size} samples over "
            f"{echo.time[-1]:.6g} us and the others {recipe.example.n_samples} over {recipe.example.time[-1]:.6g} us."
        )
        raise ConfigurationError(message, key="sequence")
