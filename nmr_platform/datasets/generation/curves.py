"""Simulate the curves of a recipe; a curve that cannot be simulated is reported and the others go on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from nmr_platform.datasets.quantities import quantities_of
from nmr_platform.datasets.recipe.recipe import Curve, Recipe
from nmr_platform.datasets.store import RECORDS, arrays_of
from nmr_platform.errors import ConfigurationError, NmrPlatformError
from nmr_platform.progress import Advance, no_progress
from nmr_platform.simulation import Echo, measure

__all__ = ["Failure", "Finished", "Map", "attempt_curves", "coordinates_of", "simulate_curves"]

Map = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]
"""`map`, or something like it that runs in parallel and keeps the order."""


class Finished(NamedTuple):
    """One finished curve.

    Attributes:
        number: Its number.
        records: ``m``, complex64, and ``m_z``, float32, dimensionless, each of shape (T,) with the T of its record, by
            the path of the array, see `arrays_of`.
        coordinates: What is known about it, see `coordinates_of`.
    """

    number: int
    records: dict[str, NDArray[Any]]
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
) -> list[dict[str, Echo]]:
    """Simulate curves side by side on threads; the engine releases the interpreter lock.

    Args:
        curves: What to simulate.
        recipe: Integrator and precision.
        threads: Curves simulated at the same time; as many as there are cores by default.
        progress: Called with the number of curves finished.

    Returns:
        The records by name of each of ``curves``, in their order.
    """

    def one(curve: Curve) -> dict[str, Echo]:
        echoes = _simulate(curve, recipe)
        progress(1)
        return echoes

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
        echoes = _simulate(curve, recipe)
        _require_time_axes(echoes, recipe)
        records = {
            path: getattr(echoes[name], variable).astype(RECORDS[variable])
            for path, (name, variable) in arrays_of(recipe.record_names).items()
        }
        return Finished(number, records, coordinates_of(recipe, curve))
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # Not to lose a week's run for one unlucky draw, whatever the engine makes of it.
        if isinstance(error, ConfigurationError) and isinstance(error.value, dict):
            drawn = error.value
        name = "" if isinstance(error, NmrPlatformError) else f"{type(error).__name__}: "
        return Failure(number, recipe.seed, drawn, f"{name}{error}")


def _simulate(curve: Curve, recipe: Recipe) -> dict[str, Echo]:
    return measure(
        curve.measurement,
        seed=curve.disorder_seed,
        integrator=recipe.integrator,
        dtype=recipe.dtype,
        noise_seed=curve.noise_seed,
    )


def _require_time_axes(echoes: Mapping[str, Echo], recipe: Recipe) -> None:
    for name, example in recipe.examples.items():
        time, wanted = echoes[name].time, example.time
        if not np.array_equal(time, wanted):
            message = (
                f"All curves of a data set must share one time axis, but this one has {time.size} samples over "
                f"{time[-1]:.6g} us and the others {wanted.size} over {wanted[-1]:.6g} us."
            )
            raise ConfigurationError(message, key="sequence")
