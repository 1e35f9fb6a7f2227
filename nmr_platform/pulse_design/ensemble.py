"""The ensemble: the same spins under any sequence, and their records on disk."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Curve, Recipe, coordinates_of, simulate_curves
from nmr_platform.files import staged_file
from nmr_platform.physics import Experiment
from nmr_platform.physics import Sequence as PulseSequence
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.simulation import ENGINE_VERSION

__all__ = ["Ensemble", "RecordCache"]

Records = NDArray[np.complex64]

# Curves that are kept together, so that a growing batch continues a smaller one.
_BLOCK = 40


class RecordCache:
    """Arrays by what they were made from; the oldest go when the folder grows too large.

    Several processes may share the folder: a file appears whole, by one rename, and a lost one is made again.

    Args:
        folder: Where to keep them; nothing is kept without one.
        megabytes: Size that the folder may have.
    """

    def __init__(self, folder: Path | None, megabytes: float = 500.0) -> None:
        self._folder = folder
        self._limit = megabytes * 1e6

    def get(self, identity: Mapping[str, Any], make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of ``identity`` (plain data), made now if it is not there.

        Args:
            identity: Plain data that tells this array from all others.
            make: Makes the array, whatever its shape and unit.

        Returns:
            What ``make`` gives, or gave before.
        """
        if self._folder is None:
            return make()
        text = json.dumps([ENGINE_VERSION, identity], sort_keys=True)
        path = self._folder / f"{blake2b(text.encode(), digest_size=12).hexdigest()}.npy"
        try:
            return np.asarray(np.load(path))
        except (OSError, ValueError, EOFError):
            made = make()
        self._keep(path, made)
        return made

    def _keep(self, path: Path, made: NDArray[Any]) -> None:
        self._make_room(path.parent, made.nbytes)
        with staged_file(path) as staging, staging.open("wb") as file:
            np.save(file, made)

    def _make_room(self, folder: Path, wanted: int) -> None:
        files = []
        for path in folder.glob("*.npy"):
            try:
                files.append((path.stat().st_mtime_ns, path.stat().st_size, path))
            except FileNotFoundError:
                continue  # another process made room
        total = sum(size for _, size, _ in files) + wanted
        for _, size, path in sorted(files):
            if total <= self._limit:
                break
            path.unlink(missing_ok=True)
            total -= size


class Ensemble:
    """Curves of a prior whose parameters, disorder and noise are the same for every sequence that is tried on them.

    With such common random numbers sequences differ by the sequence alone, and the noise of the draw cancels in their
    comparison. The noise of several sequences on one sample is drawn anew for each of them, as on an instrument.

    Args:
        recipe: The prior to draw curves from.
        cache: Where records are kept.

    Raises:
        ConfigurationError: The prior hardly ever meets its constraints.
    """

    def __init__(self, recipe: Recipe, cache: RecordCache | None = None) -> None:
        self.recipe = recipe
        self._cache = cache or RecordCache(None)
        self.curves: Sequence[Curve] = [recipe.curve(number) for number in range(recipe.n_curves)]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What is known of every curve, one row each: the data set's name, disorder, quantities, draws."""
        rows = [{"curve": each.number, **coordinates_of(self.recipe, each)} for each in self.curves]
        return pd.DataFrame(rows).assign(kernel=self.recipe.name)

    def experiments(self, tried: SequenceSet) -> dict[str, Experiment]:
        """The experiment at the middle of the prior under each sequence, by name; all curves share its time axis.

        Raises:
            ValueError: A sequence does not fit the time step or the receiver.
        """
        return {name: self.recipe.example.replace(sequence=each) for name, each in tried.sequences.items()}

    def records(self, tried: SequenceSet, n: int) -> dict[str, Records]:
        """Simulate the first ``n`` curves, or look them up; more of them continue those that were there.

        Args:
            tried: The sequences.
            n: Number of curves, at most those of the recipe.

        Returns:
            M, dimensionless (1/2 is full polarisation), by name of the sequence, shape (n, n_samples).
        """
        return {
            name: np.concatenate([self._block(each, number, at, min(at + _BLOCK, n)) for at in range(0, n, _BLOCK)])
            for number, (name, each) in enumerate(tried.sequences.items())
        }

    def variants(self, tried: SequenceSet, curves: Sequence[Curve], what: Mapping[str, Any]) -> dict[str, Records]:
        """Simulate curves that were made from the ensemble's own, or look them up.

        Args:
            tried: The sequences.
            curves: What to simulate, each with its own seeds.
            what: Plain data that tells these curves from any others of the same recipe.

        Returns:
            M, dimensionless (1/2 is full polarisation), by name of the sequence, shape (len(curves), n_samples).
        """

        def make(sequence: PulseSequence, number: int) -> Records:
            return self._simulate([_with_sequence(curve, sequence, number) for curve in curves])

        return {
            name: self._cache.get(self._identity(each, number, **what), partial(make, each, number))
            for number, (name, each) in enumerate(tried.sequences.items())
        }

    def _block(self, sequence: PulseSequence, number: int, first: int, last: int) -> Records:
        def make() -> Records:
            return self._simulate([_with_sequence(curve, sequence, number) for curve in self.curves[first:last]])

        return self._cache.get(self._identity(sequence, number, curves=[first, last]), make)

    def _simulate(self, curves: Sequence[Curve]) -> Records:
        return np.array(
            [echo.m for echoes in simulate_curves(curves, self.recipe) for echo in echoes.values()], dtype=np.complex64
        )

    def _identity(self, sequence: PulseSequence, number: int, **what: Any) -> dict[str, Any]:
        return {
            "curves": self.recipe.curve_digest,
            "sequence": sequence.model_dump(mode="json"),
            "number": number,
            **{f"of_{name}": value for name, value in what.items()},
        }


def _with_sequence(curve: Curve, sequence: PulseSequence, number: int) -> Curve:
    noise = curve.noise_seed
    if number:
        noise = np.random.SeedSequence(noise.entropy, spawn_key=(*noise.spawn_key, number))
    return curve.with_experiment(curve.experiment.replace(sequence=sequence))._replace(noise_seed=noise)
