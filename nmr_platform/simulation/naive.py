"""The slow, obvious twin of the engine: the field by a double sum, rotations by SciPy, a step at a time."""

from math import ceil, exp, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from nmr_platform.physics import Experiment, PhaseStep, Pulse, Segment, Spins
from nmr_platform.simulation.engine import Echo, draw_gain, draw_spins, draw_starts

__all__ = ["simulate_naively"]

Array = NDArray[np.float64]


def simulate_naively(
    experiment: Experiment, *, seed: int | np.random.SeedSequence = 0, offsets: ArrayLike | None = None
) -> Echo:
    """Simulate one experiment with the `euler` integrator in float64 and without noise, O(N^2) a step.

    Args:
        experiment: What to simulate.
        seed: Seed of the disorder, see `simulate`.
        offsets: Larmor offsets to use instead of a random draw, MHz, shape ``experiment.lattice.site_shape``.

    Returns:
        The record, sampled as that of `simulate`.

    Raises:
        ConfigurationError: ``offsets`` have another shape, or are not finite.
    """
    spins = draw_spins(experiment, seed=seed, offsets=offsets)
    sample = _Sample(experiment, spins, draw_gain(experiment, seed))
    steps = experiment.phase_cycle or (PhaseStep(pulses=(0.0,) * len(experiment.sequence.pulses)),)
    runs = [(start, step) for start in draw_starts(experiment, seed) for step in steps]
    records = [sample.record(start, step) for start, step in runs]
    phases = [np.exp(-1j * np.deg2rad(step.receiver)) for _, step in runs]
    m = np.mean([phase * (r[:, 0] + 1j * r[:, 1]) for phase, r in zip(phases, records, strict=True)], axis=0)
    m_z = np.mean([r[:, 2] for r in records], axis=0)
    kept = experiment.recording.kept
    return Echo(experiment.time, m[kept], m_z[kept], experiment.echo_indices)


class _Sample:
    """All spins, one row each."""

    def __init__(self, experiment: Experiment, spins: Spins, gain: Array) -> None:
        self.experiment, self.spins, self.gain = experiment, spins, gain
        self.tensor = experiment.coupling_tensor
        self.pairs = _pair_matrix(experiment)
        self.m = np.zeros((experiment.lattice.size, 3))

    def record(self, start: Array, cycle: PhaseStep) -> Array:
        """The three components of the signal at every sample, shape (n_steps, 3)."""
        self.m[:] = start.T
        phases = iter(cycle.pulses)
        samples: list[Array] = []
        for part in self.experiment.recording.schedule:
            if isinstance(part, int):
                for _ in range(part):
                    self.evolve(self.experiment.step, np.zeros((self.m.shape[0], 3)))
                    samples.append(self.spins.signal_weights @ self.m)
                continue
            pulse = part.shifted(next(phases))
            if isinstance(pulse, Pulse) and not pulse.segments:
                self.turn(np.deg2rad(pulse.theta) * self.gain[:, None] * _axis(pulse.phi))
            for segment in pulse.segments:
                self.drive(segment)
            if not samples:
                samples.append(self.spins.signal_weights @ self.m)
        return np.array(samples[: self.experiment.recording.n_steps])

    def drive(self, segment: Segment) -> None:
        """A stretch of constant drive."""
        n_steps = max(1, ceil(segment.duration / self.experiment.step - 1e-9))
        # A pulse turns by +theta, and dm/ds = m x B by -|B|.
        field = -segment.amplitude * self.gain[:, None] * _axis(segment.phase)
        for _ in range(n_steps):
            self.evolve(segment.duration / n_steps, field)

    def evolve(self, length: float, drive: Array) -> None:
        """A step of ``length`` us with the mean field frozen, and then the decay."""
        field = self.pairs @ (self.spins.field_weights[:, None] * self.m) @ self.tensor + drive
        field[:, 2] += self.spins.offsets
        self.turn(-2 * pi * length * field)
        self.m = _decayed(self.m, self.experiment, 2 * pi * length)

    def turn(self, rotations: Array) -> None:
        """Rotate every spin by its own rotation vector (radians)."""
        self.m = Rotation.from_rotvec(rotations).apply(self.m)


def _axis(phase: float) -> Array:
    return np.array([np.cos(np.deg2rad(phase)), np.sin(np.deg2rad(phase)), 0.0])


def _pair_matrix(experiment: Experiment) -> Array:
    """K(r_i - r_j) for every pair of sites, shape (N, N)."""
    lattice, values = experiment.lattice, experiment.kernel_values
    sites = [(site, cell) for site in range(lattice.n_basis) for cell in np.ndindex(*lattice.shape)]
    return np.array(
        [[values[(a, b, *np.subtract(here, there) % lattice.shape)] for b, there in sites] for a, here in sites]
    )


def _decayed(m: Array, experiment: Experiment, step: float) -> Array:
    """Spins after dissipation over ``step`` (dimensionless time)."""
    bath = experiment.dissipation
    longitudinal = exp(-bath.longitudinal_rate * step)
    out = m * np.array([1.0, 1.0, 0.0]) * exp(-bath.transverse_rate * step)
    out[:, 2] = bath.equilibrium + (m[:, 2] - bath.equilibrium) * longitudinal
    return out
