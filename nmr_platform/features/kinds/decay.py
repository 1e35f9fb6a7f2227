"""The decay of the echo with its time: height and phase of several records of the same pulses and different delays."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.datasets import Reference
from nmr_platform.features.across import AcrossFeatures, Column, phase_columns, unwrapped
from nmr_platform.features.statistics import decay_rate, ratio, slope
from nmr_platform.physics import Sequence

__all__ = ["DecayFeatures", "stretched_decay"]

Real = NDArray[np.float64]

# Stretching exponents that are tried: from a broad distribution of rates to beyond a Gaussian.
_EXPONENTS = (0.25, 4.0)
_GRID = 31
_HALVINGS = 40
_GOLDEN = (5**0.5 - 1) / 2
# A decay that cannot be seen is given a time of so many times the latest echo's.
_LONGEST = 100.0


class DecayFeatures(AcrossFeatures):
    """How the echo falls and turns as its time t (2 tau of a Hahn echo) grows.

    ============================ ====================================================================================
    ``<record>.height``          |M| at the echo of the record
    ``<record>.phase_cos``,      of its phase, relative to the first pulse; ``complex`` only
    ``<record>.phase_sin``
    ``decay_rate``               -d log|M| / dt, 1/us: the slope of a line that is fitted with weights |M|^2
    ``decay_time``               T2 of the fitted decay exp(-(t / T2)^beta), us; at most a hundred times the latest
                                 echo's
    ``decay_exponent``           beta, between 1/4 and 4, of three records or more; of two it is taken for 1
    ``phase_slope``              mean frequency of the echo's phase, MHz; ``complex`` only
    ============================ ====================================================================================

    The phase is followed from echo to echo, between which it must turn by less than half a turn.

    Attributes:
        signal: ``magnitude``, or ``complex`` for the phase too.
    """

    compared: ClassVar[str] = "two or more records of the same pulses and different echo times"
    axis: ClassVar[Literal["echo_time"]] = "echo_time"

    kind: Literal["decay"] = "decay"
    signal: Literal["magnitude", "complex"]

    @property
    def name(self) -> str:
        """Short name, for instance ``decay-complex-d6``."""
        parts = [self.kind, self.signal, *([f"d{self.decimate}"] if self.decimate > 1 else [])]
        return "-".join(parts + self._of_records)

    @property
    def is_complex(self) -> bool:
        """Whether the phase is looked at."""
        return self.signal == "complex"

    def position(self, sequence: Sequence) -> float | None:
        """Time of the last echo, us, see `AcrossFeatures.position`."""
        return max(sequence.expected_echoes, default=None)

    def kin(self, sequence: Sequence) -> object:
        """The pulses, see `AcrossFeatures.kin`."""
        return sequence.pulses

    def hangs_on(self) -> frozenset[Reference]:
        """See `AcrossFeatures.hangs_on`."""
        return frozenset(("height", "phase") if self.is_complex else ("height",))

    def own_columns(self, values: Mapping[str, Real]) -> list[Column]:
        """Height and phase, see `AcrossFeatures.own_columns`."""
        return [("height", "abs", values["height"]), *(phase_columns(values["phase"]) if self.is_complex else [])]

    def common_columns(self, values: Mapping[str, Real], positions: Real) -> list[Column]:
        """The fitted decay, see `AcrossFeatures.common_columns`."""
        height = values["height"]
        decay, exponent = stretched_decay(height, positions)
        columns = [("decay_rate", "abs", decay_rate(height, positions)), ("decay_time", "abs", decay)]
        if len(np.unique(positions)) > 2:
            columns.append(("decay_exponent", "abs", exponent))
        if self.is_complex:
            turning = slope(unwrapped(values["phase"]), positions, height**2) / (2 * np.pi)
            columns.append(("phase_slope", "phase", turning))
        return columns


def stretched_decay(height: Real, time: Real) -> tuple[Real, Real]:
    """Time and exponent of h0 exp(-(t / T2)^beta), fitted to log h by least squares with weights h^2.

    For every exponent the fit is a straight line; the exponent is searched on a grid and then by golden section.

    Args:
        height: Shape (n_curves, n), not negative, in any unit.
        time: Positive, shape (n,), us.

    Returns:
        T2 (us) and beta, each of shape (n_curves,); beta is 1 for two different times, and where nothing decays.

    Example:
        >>> time = np.array([20.0, 60.0, 100.0, 160.0])
        >>> height = 0.4 * np.exp(-((time / 80.0) ** 1.5))
        >>> [found.round(3).tolist() for found in stretched_decay(height[np.newaxis], time)]
        [[80.0], [1.5]]
    """
    latest = time.max()
    share = time / latest
    exponent = _best_exponent(height, share) if len(np.unique(time)) > 2 else np.ones(len(height))
    rate = np.maximum(0, decay_rate(height, portable.power(share, exponent[:, np.newaxis])))
    least = portable.power(_LONGEST, -exponent)
    return latest * portable.power(np.maximum(rate, least), -1 / exponent), np.where(rate > 0, exponent, 1.0)


def _best_exponent(height: Real, share: Real) -> Real:
    """The exponent of the least misfit of every curve, shape (n_curves,)."""
    grid = np.linspace(*_EXPONENTS, _GRID)
    misfits = np.stack([_misfit(height, share, np.full(len(height), each)) for each in grid], axis=1)
    best = misfits.argmin(axis=1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    for _ in range(_HALVINGS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        falls = _misfit(height, share, left) < _misfit(height, share, right)
        low, high = np.where(falls, low, left), np.where(falls, right, high)
    return (low + high) / 2


def _misfit(height: Real, share: Real, exponent: Real) -> Real:
    """Weighted squares that the best falling line leaves of log h over t^beta, shape (n_curves,)."""
    weights = height**2
    logarithm = portable.log(np.where(height > 0, height, 1.0))
    x = portable.power(share, exponent[:, np.newaxis])
    total = weights.sum(axis=1)
    dx, dy = (each - ratio((weights * each).sum(axis=1), total)[:, np.newaxis] for each in (x, logarithm))
    falling = np.minimum(0, slope(logarithm, x, weights))[:, np.newaxis]
    return (weights * (dy - falling * dx) ** 2).sum(axis=1)
