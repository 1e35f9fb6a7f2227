"""One experiment: everything that decides an echo but the random draw of the disorder."""

from collections.abc import Mapping
from functools import cached_property
from math import sqrt
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.physics.coupling import Coupling, Dissipation, FieldDirection
from nmr_platform.physics.initial import Initial
from nmr_platform.physics.kernels import Kernel
from nmr_platform.physics.lattices import Lattice
from nmr_platform.physics.lines import Line
from nmr_platform.physics.recording import Recording
from nmr_platform.physics.sequences import Sequence
from nmr_platform.physics.spectrometer import Drive, PhaseStep, Receiver
from nmr_platform.schema import Schema

__all__ = ["Experiment", "Setup"]


# Weeks of computing, and a record of 100 MB.
_MOST_STEPS = 10_000_000


class Setup(Schema):
    """A sample in a spectrometer, and what is done to it.

    Attributes:
        lattice: Where the spins sit.
        kernel: Shape of the coupling.
        coupling: Its strength.
        field: Direction of the static field in the crystal, in whose axes the coupling is given; along z by default.
        line: The inhomogeneous line.
        sequence: Pulses and delays.
        initial: Where the spins start; all up, without fluctuations, by default.
        dissipation: Coupling to the environment; none by default.
        drive: How far pulses are from what was asked for; perfect by default.
        phase_cycle: The records of all steps are averaged; a single step without added phases if it is empty.
        receiver: What is recorded; everything without noise by default.
        step: Time step and sampling interval, us; 1/(2 pi) is the literature's "dt = 1".
    """

    units: ClassVar[Mapping[str, str]] = {"step": "us"}

    lattice: Lattice
    kernel: Kernel
    coupling: Coupling
    field: Annotated[FieldDirection, Field(exclude_if=lambda value: value == FieldDirection())] = FieldDirection()
    line: Line
    sequence: Sequence | None = None
    # Left out of what is written where it is the default: the files and digests of before there was such a key stay.
    initial: Annotated[Initial, Field(exclude_if=lambda value: value == Initial())] = Initial()
    dissipation: Dissipation = Dissipation()
    drive: Drive = Drive()
    phase_cycle: Annotated[tuple[PhaseStep, ...], Field(strict=False)] = ()
    receiver: Receiver = Receiver()
    step: PositiveFloat

    @model_validator(mode="after")
    def _kernel_fits_the_lattice(self) -> Self:
        if misfit := self.kernel.misfit(self.lattice):
            raise ValueError(misfit)
        return self


class Experiment(Setup):
    """A lattice of coupled spins under a pulse sequence: a `Setup` whose sequence is there.

    Examples:
        >>> from nmr_platform import Experiment
        >>> experiment = Experiment.model_validate(
        ...     {
        ...         "lattice": {"shape": [8, 8]},
        ...         "kernel": {"kind": "uniform"},
        ...         "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
        ...         "line": {"fwhm": 0.05, "bandwidth": 1.0},
        ...         "sequence": {"kind": "hahn", "tau": 20.0},
        ...         "step": 0.25,
        ...     }
        ... )
        >>> print(experiment.sequence)
        90x - 20 us - 180y - 40 us
        >>> round(experiment.kernel_integral, 3)  # W in MHz: 3e-3 MHz times the 63 other spins
        0.189
        >>> stronger = experiment.replace(coupling=experiment.coupling.replace(alpha_z=2e-3))
    """

    sequence: Sequence

    @model_validator(mode="after")
    def _record_holds_the_sequence(self) -> Self:
        longest = sum(part.duration for part in self.sequence.parts)
        if longest / self.step > _MOST_STEPS:
            message = (
                f"Key `sequence.{self._longest_key}` must leave at most {_MOST_STEPS:,} steps of the sequence, but it "
                f"lasts {longest:g} us at a `step` of {self.step} us."
            )
            raise ValueError(message)
        if self.recording.n_steps < 2:
            message = (
                f"Key `step` must be shorter than the sequence's delays, but {self.step} us leaves "
                f"{self.recording.n_steps} samples."
            )
            raise ValueError(message)
        if self.n_samples < 2:
            message = (
                f"Key `receiver` must keep two samples or more of the {self.recording.n_steps} in the record, but a "
                f"`dead_time` of {self.receiver.dead_time} us and `every` {self.receiver.every} leave {self.n_samples}."
            )
            raise ValueError(message)
        latest = max(self.sequence.expected_echoes, default=0.0)
        # The user's sum of the delays may differ from ours by rounding.
        if latest > self.recording.end * (1 + 1e-9):
            message = (
                f"Key `sequence.echo_times` must lie within the record, which ends at {self.recording.end:.6g} us, "
                f"but one is {latest} us."
            )
            raise ValueError(message)
        for number, cycle_step in enumerate(self.phase_cycle):
            if len(cycle_step.pulses) != len(self.sequence.pulses):
                message = (
                    f"Key `phase_cycle.{number}.pulses` must have a phase for each of the {len(self.sequence.pulses)} "
                    f"pulses, but has {len(cycle_step.pulses)}."
                )
                raise ValueError(message)
        return self

    @property
    def _longest_key(self) -> str:
        """The key of the sequence that makes it as long as it is."""
        times = {
            name: value
            for name, value in self.sequence
            if isinstance(value, float) and self.sequence.unit_of(name) == "us"
        }
        return max(times, key=lambda name: times[name], default="elements")

    @property
    def coupling_tensor(self) -> NDArray[np.float64]:
        """The tensor A of the coupling in the rotating frame, MHz, shape (3, 3); see `Coupling.seen_along`."""
        return self.coupling.seen_along(self.field)

    @cached_property
    def kernel_values(self) -> NDArray[np.float64]:
        """K of site (a, R) with respect to site (b, 0), shape (n_basis, n_basis, *lattice.shape), dimensionless."""
        return self.kernel.on(self.lattice)

    @cached_property
    def kernel_sum(self) -> float:
        """Sum of K over all spins but the spin's own, dimensionless.

        It is averaged over the sites of a cell and, on a diluted lattice, over which of them are occupied.
        """
        return float(self.kernel_values.sum()) / self.lattice.n_basis * self.lattice.occupied_share

    @cached_property
    def kernel_norm(self) -> float:
        """Root of the sum of K^2 over all spins but the spin's own, a mean as that of `kernel_sum`, dimensionless."""
        return sqrt(float((self.kernel_values**2).sum()) / self.lattice.n_basis * self.lattice.occupied_share)

    @property
    def kernel_integral(self) -> float:
        """W = (alpha_x + alpha_y + alpha_z) * sum K, MHz, the quantity that the 2021 data sets were labelled with."""
        return self.coupling.total * self.kernel_sum

    @cached_property
    def recording(self) -> Recording:
        """The sequence on the time grid, and which of its samples the receiver keeps."""
        return Recording.of(self.sequence, self.receiver, self.step)

    @property
    def n_samples(self) -> int:
        """Length of the record."""
        return self.recording.kept.size

    @property
    def time(self) -> NDArray[np.float64]:
        """Time of every sample after the end of the first pulse, us, shape (n_samples,)."""
        return self.recording.times[self.recording.kept]

    @cached_property
    def echo_indices(self) -> tuple[int, ...]:
        """Sample closest to each echo of the sequence."""
        time = self.time
        return tuple(int(np.abs(time - self.recording.on_grid(at)).argmin()) for at in self.sequence.expected_echoes)
