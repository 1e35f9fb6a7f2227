"""One experiment: everything that decides an echo but the random draw of the disorder."""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, model_validator

from nmr_platform.physics.coupling import Coupling, Dissipation
from nmr_platform.physics.kernels import Kernel
from nmr_platform.physics.lattice import Lattice
from nmr_platform.physics.line import Line
from nmr_platform.physics.sequences import Delay, Pulse, Sequence
from nmr_platform.schema import Schema

__all__ = ["Experiment"]


class Experiment(Schema):
    """A lattice of coupled spins under a pulse sequence.

    Attributes:
        lattice: Where the spins sit.
        kernel: Shape of the coupling.
        coupling: Its strength.
        line: The inhomogeneous line.
        sequence: Pulses and delays.
        dissipation: Coupling to the environment; none by default.
        step: Time step and sampling interval, us; 1/(2 pi) is the literature's "dt = 1".
    """

    lattice: Lattice
    kernel: Kernel
    coupling: Coupling
    line: Line
    sequence: Sequence
    dissipation: Dissipation = Dissipation()
    step: PositiveFloat

    @model_validator(mode="after")
    def _record_holds_the_sequence(self) -> Self:
        if self.n_samples < 2:
            message = (
                f"Key `step` must be shorter than the sequence's delays, but {self.step} us leaves "
                f"{self.n_samples} samples."
            )
            raise ValueError(message)
        if max(self.echo_indices, default=0) >= self.n_samples:
            message = (
                f"Key `sequence.echo_times` must lie within the record, which ends at {self.time[-1]:.6g} us, "
                f"but one is {max(self.sequence.echo_times)} us."
            )
            raise ValueError(message)
        return self

    @cached_property
    def kernel_values(self) -> NDArray[np.float64]:
        """K of every site with respect to the origin, shape ``lattice.shape``, dimensionless."""
        return self.kernel.on(self.lattice)

    @cached_property
    def kernel_sum(self) -> float:
        """Sum of K over all sites but the origin, dimensionless."""
        return float(self.kernel_values.sum())

    @property
    def kernel_integral(self) -> float:
        """W = (alpha_x + alpha_y + alpha_z) * sum K, MHz, the quantity that the 2021 data sets were labelled with."""
        return self.coupling.total * self.kernel_sum

    @cached_property
    def schedule(self) -> tuple[Pulse | int, ...]:
        """The sequence on the time grid: pulses, and numbers of steps between them."""
        return tuple(
            max(round(element.duration / self.step), 0) if isinstance(element, Delay) else element
            for element in self.sequence.elements
        )

    @cached_property
    def n_samples(self) -> int:
        """Length of the record: as many samples as the delays have steps; the first is at t = 0."""
        return sum(part for part in self.schedule if isinstance(part, int))

    @property
    def time(self) -> NDArray[np.float64]:
        """Time of every sample after the first pulse, us, shape (n_samples,)."""
        return np.arange(self.n_samples, dtype=np.float64) * self.step

    @cached_property
    def echo_indices(self) -> tuple[int, ...]:
        """Sample at which each echo of the sequence is expected."""
        elapsed = np.cumsum([0.0] + [e.duration for e in self.sequence.elements if isinstance(e, Delay)])
        steps = np.cumsum([0] + [part for part in self.schedule if isinstance(part, int)])
        return tuple(round(float(np.interp(time, elapsed, steps))) for time in self.sequence.echo_times)
