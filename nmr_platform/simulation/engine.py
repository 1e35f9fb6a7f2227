"""Simulate echoes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmr_platform import portable
from nmr_platform.errors import ConfigurationError, NmrPlatformError
from nmr_platform.physics import Experiment, Measurement, PhaseStep, Pulse, ShapedPulse, Spins
from nmr_platform.simulation.evolution import Evolution
from nmr_platform.simulation.randomness import Seed, child, noise_of_record
from nmr_platform.simulation.stepping import INTEGRATORS, Integrator

__all__ = ["DTYPES", "Dtype", "Echo", "draw_gain", "draw_spins", "draw_starts", "measure", "simulate"]

Dtype = Literal["float32", "float64"]
DTYPES: tuple[Dtype, ...] = ("float32", "float64")


@dataclass(frozen=True)
class Echo:
    """A simulated record.

    Attributes:
        time: Time after the end of the first pulse, us, shape (T,).
        m: Transverse magnetisation <Ix> + i <Iy>, complex, shape (T,); 1/2 is full polarisation.
        m_z: Longitudinal magnetisation <Iz>, shape (T,).
        echo_indices: Sample closest to each echo of the sequence.
    """

    time: NDArray[np.float64]
    m: NDArray[np.complexfloating[Any, Any]]
    m_z: NDArray[np.floating[Any]]
    echo_indices: tuple[int, ...] = ()

    def stacked(self, half_width: int) -> NDArray[np.complexfloating[Any, Any]]:
        """The echoes of a train one above the other.

        Args:
            half_width: Samples on each side of an echo.

        Returns:
            Shape (n_echoes, 2 half_width); echo k has its centre at column ``half_width``.

        Raises:
            ConfigurationError: A window reaches outside the record.
        """
        first, last = min(self.echo_indices, default=0), max(self.echo_indices, default=0)
        if not 0 < half_width <= min(first, self.m.size - last):
            message = (
                f"Argument `half_width` must keep the windows around the echoes (samples {first} to {last}) inside "
                f"the record of {self.m.size} samples, but is {half_width}."
            )
            raise ConfigurationError(message, key="half_width", value=half_width)
        return np.array([self.m[index - half_width : index + half_width] for index in self.echo_indices])


def simulate(
    experiment: Experiment,
    *,
    seed: Seed = 0,
    offsets: ArrayLike | None = None,
    integrator: Integrator = "euler",
    dtype: Dtype = "float32",
    noise_seed: Seed | None = None,
) -> Echo:
    """Simulate the record of one experiment.

    Args:
        experiment: What to simulate.
        seed: Seed of the disorder: the Larmor offsets, the occupied sites, the inhomogeneity of the drive, and the
            fluctuations.
        offsets: Larmor offsets to use instead of a random draw, MHz, shape ``experiment.lattice.site_shape``. On a
            diluted lattice ``seed`` still draws which sites are occupied, and those of empty sites do not count.
        integrator: ``euler`` freezes the mean field over each step, as the literature does, and is first order in the
            coupling; ``midpoint`` is second order and costs two fields a step; ``fast`` is second order with a field
            every third step, extrapolated linearly in between.
        dtype: Precision of the spins and the field.
        noise_seed: Seed of the receiver's noise; a child of ``seed`` by default.

    Returns:
        The record; its first sample is the state just after the first pulse, and a pulse later in the sequence acts
        between two samples.

    Raises:
        ConfigurationError: An argument is not acceptable.
        NmrPlatformError: The simulation left the range of finite numbers.

    Examples:
        >>> from nmr_platform import Experiment, simulate
        >>> experiment = Experiment.model_validate(
        ...     {
        ...         "lattice": {"shape": [8, 8]},
        ...         "kernel": {"kind": "gaussian", "xi": 2.0},
        ...         "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
        ...         "line": {"fwhm": 0.05, "bandwidth": 1.0},
        ...         "sequence": {"kind": "hahn", "tau": 20.0},
        ...         "step": 0.25,
        ...     }
        ... )
        >>> echo = simulate(experiment, seed=1, integrator="fast")
        >>> echo.m.shape, echo.m.dtype
        ((240,), dtype('complex64'))
        >>> float(echo.time[echo.echo_indices[0]])  # us: the echo of a Hahn sequence is at 2 tau
        40.0
    """
    [echo] = _run(
        {"": experiment}, seed=seed, offsets=offsets, integrator=integrator, dtype=dtype, noise_seed=noise_seed
    ).values()
    return echo


def measure(
    measurement: Measurement,
    *,
    seed: Seed = 0,
    offsets: ArrayLike | None = None,
    integrator: Integrator = "euler",
    dtype: Dtype = "float32",
    noise_seed: Seed | None = None,
) -> dict[str, Echo]:
    """Simulate every record of a measurement: the same spins, other pulses.

    Args:
        measurement: What to simulate.
        seed: See `simulate`; all records see the disorder of this one seed.
        offsets: See `simulate`.
        integrator: See `simulate`.
        dtype: See `simulate`.
        noise_seed: Seed of the receiver's noise; a child of ``seed`` by default. The first record has the noise of this
            seed, record k > 0 that of its child k.

    Returns:
        The records by name, in order; each has the bits that `simulate` gives for its experiment alone.

    Raises:
        ConfigurationError: An argument is not acceptable.
        NmrPlatformError: The simulation left the range of finite numbers.

    Examples:
        >>> from nmr_platform import Measurement, measure
        >>> measurement = Measurement.model_validate(
        ...     {
        ...         "lattice": {"shape": [8, 8]},
        ...         "kernel": {"kind": "gaussian", "xi": 2.0},
        ...         "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
        ...         "line": {"fwhm": 0.05, "bandwidth": 1.0},
        ...         "sequence": {"kind": "hahn", "sweep": {"tau": [20.0, 40.0]}},
        ...         "step": 0.25,
        ...     }
        ... )
        >>> echoes = measure(measurement, seed=1)
        >>> {name: echo.m.size for name, echo in echoes.items()}
        {'tau20': 240, 'tau40': 480}
    """
    return _run(
        measurement.experiments, seed=seed, offsets=offsets, integrator=integrator, dtype=dtype, noise_seed=noise_seed
    )


def draw_spins(experiment: Experiment, *, seed: Seed, offsets: ArrayLike | None) -> Spins:
    """The disorder of one curve: given offsets weighed, or a draw from the line, on the sites that are occupied.

    Args:
        experiment: What to simulate.
        seed: Seed of the draw, a child of which draws the occupied sites; without effect on given offsets.
        offsets: Larmor offsets, MHz, shape ``experiment.lattice.site_shape``; None to draw them.

    Raises:
        ConfigurationError: ``offsets`` have another shape, or are not finite.
    """
    lattice, line = experiment.lattice, experiment.line
    diluted = lattice.abundance < 1
    sites = lattice.occupied(np.random.default_rng(child(seed, 3))) if diluted else np.arange(lattice.size)
    if offsets is None:
        spins = line.draw(sites.size, np.random.default_rng(seed))
    else:
        spins = line.weigh(_checked(offsets, lattice.site_shape).ravel()[sites])
    return spins.at(sites, lattice.size) if diluted else spins


def _checked(offsets: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Given offsets, MHz, if they have the shape of the lattice's sites and are finite."""
    values = np.asarray(offsets, dtype=np.float64)
    if values.shape != shape:
        message = f"Argument `offsets` must have the lattice's shape {shape}, but has {values.shape}."
        raise ConfigurationError(message, key="offsets", value=values.shape)
    if not np.isfinite(values).all():
        site = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        message = f"Argument `offsets` must be finite numbers in MHz, but is {values[site]} at site {site}."
        raise ConfigurationError(message, key="offsets", value=values[site])
    return values


def draw_gain(experiment: Experiment, seed: Seed) -> NDArray[np.float64]:
    """Factor on the drive for every spin, shape (N,), dimensionless.

    Args:
        experiment: What to simulate.
        seed: Seed of the disorder; an inhomogeneous drive is drawn from a child of it.
    """
    drive = experiment.drive
    if drive.inhomogeneity == 0:
        return np.full(experiment.lattice.size, drive.calibration)
    spread = np.random.default_rng(child(seed, 0)).standard_normal(experiment.lattice.size)
    return drive.calibration * (1 + drive.inhomogeneity * spread)


def draw_starts(experiment: Experiment, seed: Seed) -> Iterator[NDArray[np.float64]]:
    """Where the spins start in each draw of their fluctuations, Bloch vectors of shape (3, N); one without any.

    Args:
        experiment: What to simulate.
        seed: Seed of the disorder; fluctuations are drawn from a child of it, one draw after the other.
    """
    rng = np.random.default_rng(child(seed, 2))
    for _ in range(experiment.initial.draws):
        yield experiment.initial.draw(experiment.lattice.size, rng)


def _run(
    experiments: Mapping[str, Experiment],
    *,
    seed: Seed,
    offsets: ArrayLike | None,
    integrator: Integrator,
    dtype: Dtype,
    noise_seed: Seed | None,
) -> dict[str, Echo]:
    """The records of experiments that differ in their sequences alone, on one sample."""
    _require("integrator", integrator, INTEGRATORS)
    _require("dtype", dtype, DTYPES)
    portable.warn_of_other_bits()
    sample = next(iter(experiments.values()))
    spins = draw_spins(sample, seed=seed, offsets=offsets)
    evolution = Evolution(sample, spins, draw_gain(sample, seed), integrator, np.dtype(dtype))
    noise = child(seed, 1) if noise_seed is None else noise_seed
    return {
        name: _echo(experiment, evolution, seed, noise_of_record(noise, number))
        for number, (name, experiment) in enumerate(experiments.items())
    }


def _echo(experiment: Experiment, evolution: Evolution, seed: Seed, noise_seed: Seed) -> Echo:
    """One record: the mean over the draws and the phase cycle, and what the receiver makes of it."""
    cycle = experiment.phase_cycle or (None,)
    starts = draw_starts(experiment, seed)
    records = [_record(experiment, evolution, start, step) for start in starts for step in cycle]
    evolution.warn_if_coarse()
    m = np.mean([record[0] for record in records], axis=0, dtype=records[0][0].dtype)
    m_z = np.mean([record[1] for record in records], axis=0, dtype=records[0][1].dtype)
    if not (np.isfinite(m).all() and np.isfinite(m_z).all()):
        message = "The simulation left the range of finite numbers; the couplings are too large for this precision."
        raise NmrPlatformError(message)
    kept = experiment.recording.kept
    noisy = m[kept] + _noise(experiment, noise_seed).astype(m.dtype)
    return Echo(experiment.time, noisy, m_z[kept], experiment.echo_indices)


def _record(
    experiment: Experiment, evolution: Evolution, start: NDArray[np.float64], step: PhaseStep | None
) -> tuple[NDArray[np.complexfloating[Any, Any]], NDArray[np.floating[Any]]]:
    """M and M_z at every sample of one step of the phase cycle, from one draw of where the spins start."""
    evolution.reset(start)
    pulses = iter(step.pulses if step else [0.0] * len(experiment.sequence.pulses))
    sums = np.empty((experiment.recording.n_steps + 1, 3), evolution.sums.dtype)
    done = 0
    for index, part in enumerate(experiment.recording.schedule):
        if isinstance(part, Pulse | ShapedPulse):
            evolution.pulse(part.shifted(next(pulses)))
            if index == 0:
                sums[0] = evolution.sums
        else:
            evolution.delay(sums[done + 1 : done + 1 + part])
            done += part
    if experiment.line.weights == "sampled":
        sums *= sums.dtype.type(1 / experiment.lattice.n_spins)
    m: NDArray[np.complexfloating[Any, Any]] = sums[:-1, 0] + 1j * sums[:-1, 1]
    if step:
        m = portable.turned(m, -np.deg2rad(step.receiver))
    return m, sums[:-1, 2]


def _noise(experiment: Experiment, seed: Seed) -> NDArray[np.complex128]:
    """The receiver's noise, shape (n_samples,)."""
    if experiment.receiver.noise == 0:
        return np.zeros(experiment.n_samples, complex)
    real, imaginary = np.random.default_rng(seed).standard_normal((2, experiment.n_samples))
    return experiment.receiver.noise * (real + 1j * imaginary)


def _require(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"Argument `{name}` must be one of {', '.join(allowed)}, but is {value!r}."
        raise ConfigurationError(message, key=name, value=value)
