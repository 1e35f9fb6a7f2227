"""The state of a sample on its way through a sequence."""

import warnings
from math import ceil, cos, exp, expm1, hypot, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Dissipation, Experiment, Pulse, Segment, ShapedPulse, Spins, rotation_about
from nmr_platform.simulation.prepared import Step, make_mean_field, make_step
from nmr_platform.simulation.stepping import ADVANCE, Integrator, convolve, rotate

__all__ = ["CoarseStepWarning", "Evolution"]

# A step that turns a spin more often than this has nothing to do with the motion, and its angle has no digits left.
_MOST_RADIANS = 1e6
_RESOLVED_RADIANS = 1.0


class CoarseStepWarning(UserWarning):
    """A spin turns by more than a radian in a step. Given once a record, and shown once a command."""

    once_a_command = True


class Evolution:
    """All spins of one curve.

    Args:
        experiment: What to simulate.
        spins: The disorder.
        gain: Factor on the drive for every spin, shape (N,).
        integrator: How to step through a delay; pulses that last are stepped by `euler` or else by `midpoint`.
        dtype: Precision.

    Raises:
        ConfigurationError: A step turns a spin by more radians than a number has digits for.
    """

    def __init__(
        self,
        experiment: Experiment,
        spins: Spins,
        gain: NDArray[np.float64],
        integrator: Integrator,
        dtype: np.dtype[Any],
    ) -> None:
        self._experiment = experiment
        self._spins = spins
        self._gain = gain
        self._dtype = dtype
        self._first_order = integrator == "euler"
        self._advance = ADVANCE[integrator]
        self._tensor = 2 * pi * experiment.coupling_tensor
        # A diagonal tensor multiplies the components by rates of their own; any other mixes them first.
        mixes = np.any(self._tensor != np.diag(self._tensor.diagonal()))
        self._couplings = np.ones(3) if mixes else self._tensor.diagonal()
        tensor = self._tensor if mixes else None
        self._mean_field = make_mean_field(experiment.kernel_values, self._couplings, dtype, tensor)
        self._grid = np.empty((3, experiment.lattice.n_basis, *experiment.lattice.shape), dtype)
        self._state = self._grid.reshape(3, -1)
        self._work = np.zeros((3, *self._grid.shape), dtype)
        self._coarsest = 0.0, 0.0
        self._step = self._make_step(experiment.step)
        self._half = self._make_half(experiment.step)
        self.reset(experiment.initial.mean[:, np.newaxis])

    def warn_if_coarse(self) -> None:
        """Warn of the largest angle by which a step so far may have turned a spin, if the motion is not resolved."""
        angle, length = self._coarsest
        if angle:
            message = (
                f"A spin may turn by {angle:.2g} rad in a step of {length:.4g} us; above 1 rad the sampling, and the "
                "field between steps, become coarse. Take a shorter `step`."
            )
            warnings.warn(message, CoarseStepWarning, stacklevel=2)

    def reset(self, start: NDArray[np.float64]) -> None:
        """Begin again.

        Args:
            start: Bloch vectors of the spins, shape (3, N), or of all of them, shape (3, 1).
        """
        np.multiply(start, self._spins.field_weights, out=self._state, casting="same_kind")

    @property
    def state(self) -> NDArray[np.floating[Any]]:
        """The spins times their field weights, P_j m_j, shape (3, N); a view, which changes as they evolve."""
        return self._state

    @property
    def sums(self) -> NDArray[np.floating[Any]]:
        """Sum of the weighted spins over the lattice, shape (3,)."""
        return self._state.sum(axis=1)

    def delay(self, sums: NDArray[np.floating[Any]]) -> None:
        """Evolve freely for ``len(sums)`` steps, recording the sum after each, shape (n_steps, 3)."""
        self._advance(self._grid, self._work, self._mean_field, self._step, self._half, sums)

    def pulse(self, pulse: Pulse | ShapedPulse) -> None:
        """Apply a pulse."""
        if isinstance(pulse, Pulse) and not pulse.segments:
            self._turn(pulse)
        for segment in pulse.segments:
            self._drive(segment)

    def _turn(self, pulse: Pulse) -> None:
        """An ideal pulse."""
        theta, phi = np.deg2rad(pulse.theta) * self._gain, np.deg2rad(pulse.phi)
        if np.ptp(self._gain) == 0:
            x, y, z = self._state.copy()
            for row, (a, b, c) in zip(self._state, rotation_about(theta[0], phi).astype(self._dtype), strict=True):
                row[:] = a * x + b * y + c * z
            return
        x, y, z = self._state.astype(np.float64)
        turn, tip = (cos(phi), sin(phi)), (portable.cos(theta), portable.sin(theta))
        along = turn[0] * x + turn[1] * y
        across = turn[0] * y - turn[1] * x
        turned = tip[0] * across - tip[1] * z
        self._state[0] = turn[0] * along - turn[1] * turned
        self._state[1] = turn[1] * along + turn[0] * turned
        self._state[2] = tip[1] * across + tip[0] * z

    def _drive(self, segment: Segment) -> None:
        """A stretch of constant drive, in whole steps no longer than the experiment's."""
        n_steps = max(1, ceil(segment.duration / self._experiment.step - 1e-9))
        length = segment.duration / n_steps
        # dm/ds = m x B turns by -|B|, a pulse by +theta: hence the sign.
        angle, phi = -2 * pi * segment.amplitude * length, np.deg2rad(segment.phase)
        axis = np.array([cos(phi), sin(phi), 0.0])
        whole = self._make_step(length, driven=abs(angle))
        half = self._make_half(length, driven=abs(angle))
        field, middle = self._work[0].reshape(3, -1), self._work[1].reshape(3, -1)
        for _ in range(n_steps):
            convolve(self._grid, self._mean_field, self._work[0])
            if not self._first_order:
                self._add_drive(field, length / 2, angle / 2 * axis)
                middle[:] = self._state
                rotate(middle, field, half)
                convolve(self._work[1], self._mean_field, self._work[0])
            self._add_drive(field, length, angle * axis)
            rotate(self._state, field, whole)
        # What does not couple must be zero again for whoever uses the work space next.
        self._work[:] = 0

    def _add_drive(self, field: NDArray[Any], length: float, turn: NDArray[np.float64]) -> None:
        """Make ``field`` the angle by which coupling and drive turn a spin in ``length`` us."""
        for d in range(3):
            first, last = self._mean_field.coupled
            coupled = first <= d < last
            field[d] = (self._couplings[d] * length * field[d] if coupled else 0.0) + turn[d] * self._gain

    def _make_step(self, length: float, *, driven: float | None = None) -> Step:
        """A whole step; ``driven`` is the largest angle of the drive, and then the field already is an angle."""
        decay = _decay(self._experiment.dissipation, length if self._first_order else length / 2)
        before = np.array([1.0, 1.0, 0.0]) if self._first_order else decay
        return self._assemble(length, np.array([before, decay]), driven)

    def _make_half(self, length: float, *, driven: float | None = None) -> Step:
        """The first half of a second-order step, on the way to the field half-way."""
        decay = _decay(self._experiment.dissipation, length / 2)
        return self._assemble(length / 2, np.array([decay, [1.0, 1.0, 0.0]]), driven)

    def _assemble(self, length: float, relax: NDArray[np.float64], driven: float | None) -> Step:
        angle = self._largest_angle(length) + (driven or 0.0) * float(np.abs(self._gain).max())
        self._check(angle, length)
        rates = length * self._couplings if driven is None else np.ones(3)
        return make_step(
            2 * pi * length * self._spins.offsets, self._spins.field_weights, rates, relax, angle, self._dtype
        )

    def _check(self, angle: float, length: float) -> None:
        if not angle < _MOST_RADIANS:
            message = (
                f"Key `step` must be short against the periods of the couplings, offsets and pulses, but in "
                f"{length:.6g} us a spin could turn by {angle:.3g} radians."
            )
            raise ConfigurationError(message, key="step", value=self._experiment.step)
        if angle > max(self._coarsest[0], _RESOLVED_RADIANS * (1 + 1e-9)):
            self._coarsest = angle, length

    def _largest_angle(self, length: float) -> float:
        """Bound on the angle that offsets and coupling turn a spin by in ``length`` us, radians."""
        kernel, weights = np.abs(self._experiment.kernel_values), self._spins.field_weights
        neighbours = kernel.sum(axis=tuple(range(1, kernel.ndim)))
        with np.errstate(over="ignore"):
            # Two bounds on sum_j |K_ij| P_j; the second is the sharper where few of many neighbours weigh much.
            all_along = min(neighbours.max() * weights.max(), kernel.max() * weights.sum())
            coupling = length * hypot(*self._tensor.ravel()) * (self._experiment.initial.longest * all_along)
        return float(2 * pi * length * np.abs(self._spins.offsets).max() + coupling)


def _decay(dissipation: Dissipation, length: float) -> NDArray[np.float64]:
    """Factors on the transverse and longitudinal components, and gain of m_z / P, over ``length`` us, shape (3,)."""
    s = 2 * pi * length
    longitudinal = exp(-dissipation.longitudinal_rate * s)
    return np.array(
        [
            exp(-dissipation.transverse_rate * s),
            longitudinal,
            -expm1(-dissipation.longitudinal_rate * s) * dissipation.equilibrium,
        ]
    )
