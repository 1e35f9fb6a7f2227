"""What a measured record gives: which of its numbers are known and which guessed, and when the receiver was open."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, ValidationError

from nmr_platform.errors import DataError
from nmr_platform.schema import Schema

__all__ = ["Recorded", "Reference", "Stretch", "stretches_of", "unrecorded"]

Stretch = tuple[int, int]
"""Samples of a record, from the first one to that behind the last."""

Reference = Literal["height", "phase", "offset"]
"""What a receiver does not say by itself: the unit of M, the phase of M, and the frequency that it turns at."""

# The attribute that says whether each is a guess.
_ATTRIBUTES: Mapping[Reference, str] = {
    "height": "scale_estimated",
    "phase": "phase_estimated",
    "offset": "offset_estimated",
}
# A receiver's noise is never zero for so long.
_SILENCE = 16


class Recorded(Schema):
    """What is known about how curves came to their numbers; the default is a simulated curve, of which all is known.

    Attributes:
        guessed: What was read off the record itself, or is not known at all.
        start: First moment that was recorded, us after the first pulse; None if all of the curve was.
        stop: Last moment that was recorded, likewise.
        dwell: Time between the points that were recorded, us; None for the curve's own step.
        gaps: Stretches in between that were not recorded, first and last moment of each, us.
    """

    guessed: Annotated[tuple[Reference, ...], Field(strict=False)] = ()
    start: float | None = None
    stop: float | None = None
    dwell: PositiveFloat | None = None
    gaps: Annotated[tuple[Annotated[tuple[float, float], Field(strict=False)], ...], Field(strict=False)] = ()

    @classmethod
    def of_attributes(cls, attributes: Mapping[str, Any]) -> Self:
        """What the attributes of a data set say.

        Args:
            attributes: Of any data set; those that are missing mean that nothing was guessed or filled in.

        Raises:
            DataError: One of them is no such value.

        Example:
            >>> Recorded.of_attributes({"scale_estimated": True, "recorded_from": 108.0, "recorded_to": 299.8})
            Recorded(guessed=('height',), start=108.0, stop=299.8, dwell=None, gaps=())
        """
        said = {name: _plain(attributes[name]) for name in (*_ATTRIBUTES.values(), *_TIMES) if name in attributes}
        for name in _ATTRIBUTES.values():
            if said.get(name, False) not in (True, False):
                message = f"Attribute `{name}` must be true or false, but is {said[name]!r}."
                raise DataError(message)
        try:
            edges = np.asarray(attributes.get(_GAPS, ()), dtype=np.float64).reshape(-1, 2)
        except ValueError as error:
            message = f"Attribute `{_GAPS}` must be pairs of times in us, but is {attributes[_GAPS]!r}."
            raise DataError(message) from error
        try:
            return cls(
                guessed=tuple(each for each, name in _ATTRIBUTES.items() if said.get(name, False)),
                gaps=tuple((first, last) for first, last in edges.tolist()),
                **{key: said.get(name) for name, key in _TIMES.items()},
            )
        except ValidationError as error:
            key = str(error.errors()[0]["loc"][0])
            name = next(name for name, each in _TIMES.items() if each == key)
            message = f"Attribute `{name}` must be a time in us, but is {said[name]!r}."
            raise DataError(message) from error

    def attributes(self) -> dict[str, Any]:
        """The attributes of a data set that say it."""
        said: dict[str, Any] = {name: each in self.guessed for each, name in _ATTRIBUTES.items()}
        times = {name: getattr(self, key) for name, key in _TIMES.items()}
        gaps = {_GAPS: [edge for gap in self.gaps for edge in gap]} if self.gaps else {}
        return said | {name: value for name, value in times.items() if value is not None} | gaps

    def covers(self, time: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which samples of a curve were recorded; half a point beyond the ends of the record is near enough.

        Args:
            time: Time of every sample after the first pulse, us, shape (T,).

        Returns:
            Shape (T,).
        """
        step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
        margin = (step if self.dwell is None else self.dwell) / 2
        first, last = (-np.inf if self.start is None else self.start), (np.inf if self.stop is None else self.stop)
        covered = (time >= first - margin) & (time <= last + margin)
        for begin, end in self.gaps:
            covered &= (time < begin - margin) | (time > end + margin)
        return covered


_GAPS = "recorded_gaps"
_TIMES: Mapping[str, str] = {"recorded_from": "start", "recorded_to": "stop", "dwell": "dwell"}


def stretches_of(mask: NDArray[np.bool_]) -> tuple[Stretch, ...]:
    """Where samples are marked.

    Args:
        mask: Which ones, shape (n_samples,).

    Example:
        >>> stretches_of(np.array([True, True, False, True]))
        ((0, 2), (3, 4))
    """
    edges = np.flatnonzero(np.diff(np.pad(mask.astype(np.int8), 1))).tolist()
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def unrecorded(m: NDArray[Any]) -> NDArray[np.bool_]:
    """Which samples hold no signal: those that are not numbers, and stretches of nothing but zeros.

    Files and requests fill what was not recorded with zeros, and do not always say so.

    Args:
        m: M(t) in any unit, shape (n, T).

    Returns:
        Shape (n, T).

    Example:
        >>> m = np.ones((1, 40))
        >>> m[0, :20], m[0, 30] = 0, 0
        >>> int(unrecorded(m).sum())
        20
    """
    silent = m == 0
    for row in np.flatnonzero(silent.any(axis=1)):
        for start, stop in stretches_of(silent[row]):
            silent[row, start:stop] = stop - start >= _SILENCE
    return silent | ~np.isfinite(m)


def _plain(value: Any) -> Any:
    """A number or truth value as Python has it, whatever a file keeps it as."""
    if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1:
        value = np.asarray(value).reshape(()).item()
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
