"""How the curves that a model learnt from were recorded, and in what another curve differs from them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nmr_platform.datasets import Constant, Recipe
from nmr_platform.errors import DataError
from nmr_platform.features import naming_record
from nmr_platform.physics import Experiment
from nmr_platform.schema import Schema

__all__ = ["Conditions"]

# How far a sample may lie from the model's, in steps: files print times with few digits.
_JITTER = 0.1


class Conditions(Schema):
    """A pulse sequence and the times at which its record was sampled.

    Attributes:
        experiment: Sequence, receiver and step of the training curves, and the middle of what they drew.
        varied: Dotted keys of the sequence that the training curves varied, for instance ``theta1``.
    """

    experiment: Experiment
    varied: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @classmethod
    def of(cls, experiment: Experiment, drawn: Iterable[str] = ()) -> Self:
        """The conditions of an experiment with an echo.

        Args:
            experiment: What was recorded.
            drawn: Dotted keys of the experiment in which the curves of a data set differ.

        Raises:
            DataError: The sequence has no echo.
        """
        if not experiment.echo_indices:
            message = f"The sequence must have an echo to learn from, but {experiment.sequence} expects none."
            raise DataError(message)
        varied = sorted(key.removeprefix("sequence.") for key in drawn if key.startswith("sequence."))
        return cls(experiment=experiment, varied=tuple(varied))

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> Self:
        """The conditions of a data set's curves.

        Raises:
            DataError: The sequence has no echo.
        """
        drawn = [key for key, distribution in recipe.prior.items() if not isinstance(distribution, Constant)]
        return cls.of(recipe.example, [*drawn, *(recipe.sweep.keys if recipe.sweep else ())])

    @classmethod
    def of_records(cls, recipe: Recipe) -> dict[str, Self]:
        """The conditions of each record of a data set's curves, by its name.

        Raises:
            DataError: A sequence has no echo.
        """
        found = {}
        for name in recipe.record_names:
            with naming_record(name):
                found[name] = cls.of_recipe(recipe.of_record(name))
        return found

    @cached_property
    def time(self) -> NDArray[np.float64]:
        """Time of every sample after the end of the first pulse, us, shape (n_samples,)."""
        return self.experiment.time

    @property
    def sequence(self) -> str:
        """The sequence as text, for instance ``90x - 100 us - 180y - 200 us``."""
        return str(self.experiment.sequence)

    @property
    def step(self) -> float:
        """Time from one sample to the next, us."""
        return self.experiment.step * self.experiment.receiver.every

    @property
    def echo_index(self) -> int:
        """Sample of the echo."""
        return self.experiment.echo_indices[-1]

    @property
    def echo_time(self) -> float:
        """Time of the echo, us."""
        return float(self.time[self.echo_index])

    def places(self, time: NDArray[np.float64]) -> NDArray[np.intp]:
        """Which samples of the model's time axis a record has that was begun later or ended earlier.

        Args:
            time: Time of every sample after the end of the first pulse, us, shape (n,).

        Returns:
            Numbers of the samples, shape (n,).

        Raises:
            DataError: The times are other ones than the model's.
        """
        n, wanted = len(time), len(self.time)
        if 1 < n < wanted:
            nearest = np.searchsorted(self.time, time - self.step / 2)
            inside = np.minimum(nearest, wanted - 1)
            # Written so that it also holds where a time is NaN.
            if (np.diff(nearest) == 1).all() and (np.abs(self.time[inside] - time) <= _JITTER * self.step).all():
                return inside
        self.require_time(time)
        return np.arange(wanted)

    def require_time(self, time: NDArray[np.float64]) -> None:
        """Refuse a record that was sampled at other times.

        Args:
            time: Time of every sample after the end of the first pulse, us, shape (n,).

        Raises:
            DataError: The step, the length or the times are other ones.
        """
        n, wanted = len(time), len(self.time)
        spacing, ours = _mean_spacing(time), _mean_spacing(self.time)
        # Written so that it also holds where a time is NaN.
        if not abs(spacing - ours) * min(n, wanted) <= _JITTER * self.step:
            message = (
                f"The curve must have a sample every {ours:.7g} us, like the curves that the model learnt from, "
                f"but has one every {spacing:.7g} us."
            )
            raise DataError(message)
        if n != wanted:
            message = (
                f"The curve must have {wanted} samples, like the curves that the model learnt from "
                f"({self._described}), but has {n}."
            )
            raise DataError(message)
        if not np.abs(time - self.time).max() <= _JITTER * self.step:
            message = (
                f"The curve must be sampled from {self.time[0]:.7g} to {self.time[-1]:.7g} us after the first pulse, "
                f"like the curves that the model learnt from, but is from {time[0]:.7g} to {time[-1]:.7g} us."
            )
            raise DataError(message)

    def require_same(self, other: "Conditions") -> None:
        """Refuse the curves of another sequence, sampling or place of the echo.

        Raises:
            DataError: With what differs.
        """
        ours = dict(_leaves(self.experiment.sequence.model_dump()))
        theirs = dict(_leaves(other.experiment.sequence.model_dump()))
        for key in sorted(ours.keys() | theirs.keys()):
            if key in self.varied:
                continue
            if ours.get(key) != theirs.get(key) or key in other.varied:
                held = "varies" if key in other.varied else f"is {theirs.get(key)!r}"
                message = (
                    f"The curve must come from the sequence that the model learnt from, {self.sequence}, but is of "
                    f"{other.sequence}: its `{key}` {held} instead of {ours.get(key)!r}."
                )
                raise DataError(message)
        self.require_time(other.time)
        if other.echo_index != self.echo_index:
            message = (
                f"The curve must have its echo at {self.echo_time:.7g} us, sample {self.echo_index}, but has it at "
                f"{other.echo_time:.7g} us, sample {other.echo_index}."
            )
            raise DataError(message)

    @property
    def _described(self) -> str:
        return f"{self.time[0]:.7g} to {self.time[-1]:.7g} us, echo at {self.echo_time:.7g} us"


def _mean_spacing(time: NDArray[np.float64]) -> float:
    return float(time[-1] - time[0]) / (len(time) - 1) if len(time) > 1 else float("nan")


def _leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers and names of nested plain data with their dotted keys; numbers that differ by rounding are equal."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(values, Mapping):
        items = values.items()
    elif isinstance(values, list | tuple):
        items = enumerate(values)
    else:
        yield prefix, float(f"{values:.9g}") if isinstance(values, float) else values
        return
    for key, value in items:
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
