"""The slow, obvious twin of the engine: one spin after the other, the field by a double sum, rotations by SciPy."""

from math import exp, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from nmr_platform.physics import Experiment, Pulse
from nmr_platform.simulation.engine import Echo, draw_spins

__all__ = ["simulate_naively"]

Array = NDArray[np.float64]


def simulate_naively(
    experiment: Experiment, *, seed: int | np.random.SeedSequence = 0, offsets: ArrayLike | None = None
) -> Echo:
    """Simulate one experiment with the `euler` integrator in float64, O(N^2) a step.

    Arguments, result and errors as `simulate`.
    """
    spins = draw_spins(experiment, seed=seed, offsets=offsets)
    step = 2 * pi * experiment.step
    alpha = np.array([experiment.coupling.alpha_x, experiment.coupling.alpha_y, experiment.coupling.alpha_z])
    pairs = _pair_matrix(experiment)
    m = np.tile([0.0, 0.0, 0.5], (experiment.lattice.size, 1))
    samples: list[Array] = []
    for part in experiment.schedule:
        if isinstance(part, Pulse):
            axis = np.array([np.cos(np.deg2rad(part.phi)), np.sin(np.deg2rad(part.phi)), 0.0])
            m = Rotation.from_rotvec(np.deg2rad(part.theta) * axis).apply(m)
            if not samples:
                samples.append(spins.signal_weights @ m)
            continue
        for _ in range(part):
            field = alpha * (pairs @ (spins.field_weights[:, None] * m))
            field[:, 2] += spins.offsets
            # dm/ds = m x B turns m about B by -|B| ds.
            m = np.array([Rotation.from_rotvec(-step * b).apply(v) for b, v in zip(field, m, strict=True)])
            m = _decayed(m, experiment, step)
            samples.append(spins.signal_weights @ m)
    record = np.array(samples[: experiment.n_samples])
    return Echo(experiment.time, record[:, 0] + 1j * record[:, 1], record[:, 2])


def _pair_matrix(experiment: Experiment) -> Array:
    """K(r_i - r_j) for every pair of sites, shape (N, N)."""
    shape = experiment.lattice.shape
    sites = list(np.ndindex(*shape))
    return np.array(
        [
            [experiment.kernel_values[tuple((a - b) % n for a, b, n in zip(i, j, shape, strict=True))] for j in sites]
            for i in sites
        ]
    )


def _decayed(m: Array, experiment: Experiment, step: float) -> Array:
    """Spins after dissipation over ``step`` (dimensionless time)."""
    bath = experiment.dissipation
    longitudinal = exp(-bath.longitudinal_rate * step)
    out = m * np.array([1.0, 1.0, 0.0]) * exp(-bath.transverse_rate * step)
    out[:, 2] = bath.equilibrium + (m[:, 2] - bath.equilibrium) * longitudinal
    return out
