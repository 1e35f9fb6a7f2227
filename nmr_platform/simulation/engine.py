"""Simulate one echo."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, factorial, hypot, log2, pi
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Dissipation, Experiment, Pulse, Spins
from nmr_platform.simulation.stepper import advance_euler, advance_midpoint

__all__ = ["DTYPES", "INTEGRATORS", "Dtype", "Echo", "Integrator", "draw_spins", "simulate"]

Integrator = Literal["euler", "midpoint"]
Dtype = Literal["float32", "float64"]
INTEGRATORS: tuple[Integrator, ...] = ("euler", "midpoint")
DTYPES: tuple[Dtype, ...] = ("float32", "float64")

_ADVANCE: dict[Integrator, Callable[..., None]] = {"euler": advance_euler, "midpoint": advance_midpoint}
# Beyond it float32 has no digit of the phase left.
_LARGEST_ANGLE = 1e6
_SERIES = [(-1) ** k / factorial(2 * k + 1) for k in range(9)] + [(-1) ** k / factorial(2 * k + 2) for k in range(9)]


@dataclass(frozen=True)
class Echo:
    """A simulated record.

    Attributes:
        time: Time after the first pulse, us, shape (T,).
        m: Transverse magnetisation <Ix> + i <Iy>, complex, shape (T,); 1/2 is full polarisation.
        m_z: Longitudinal magnetisation <Iz>, shape (T,).
    """

    time: NDArray[np.float64]
    m: NDArray[np.complexfloating[Any, Any]]
    m_z: NDArray[np.floating[Any]]


def simulate(
    experiment: Experiment,
    *,
    seed: int | np.random.SeedSequence = 0,
    offsets: ArrayLike | None = None,
    integrator: Integrator = "euler",
    dtype: Dtype = "float32",
) -> Echo:
    """Simulate the record of one experiment.

    Args:
        experiment: What to simulate.
        seed: Seed of the disorder.
        offsets: Larmor offsets to use instead of a random draw, MHz, shape ``experiment.lattice.shape``.
        integrator: ``euler`` freezes the mean field over each step, as the literature does, and is first order in the
            coupling; ``midpoint`` is second order and costs two fields a step.
        dtype: Precision of the spins and the field.

    Returns:
        The record; its first sample is the state just after the first pulse, and a pulse later in the sequence acts
        between two samples.

    Raises:
        ConfigurationError: An argument is not acceptable, or a spin could turn by over a million radians in one step.
    """
    if integrator not in INTEGRATORS:
        message = f"Argument `integrator` must be one of {', '.join(INTEGRATORS)}, but is {integrator!r}."
        raise ConfigurationError(message, key="integrator", value=integrator)
    if dtype not in DTYPES:
        message = f"Argument `dtype` must be one of {', '.join(DTYPES)}, but is {dtype!r}."
        raise ConfigurationError(message, key="dtype", value=dtype)
    spins = draw_spins(experiment, seed=seed, offsets=offsets)
    sums = _evolve(experiment, spins, _ADVANCE[integrator], np.dtype(dtype), halve_decay=integrator != "euler")
    if experiment.line.weights == "sampled":
        sums *= sums.dtype.type(1 / experiment.lattice.size)
    return Echo(experiment.time, sums[:, 0] + 1j * sums[:, 1], sums[:, 2].copy())


def draw_spins(experiment: Experiment, *, seed: int | np.random.SeedSequence, offsets: ArrayLike | None) -> Spins:
    """The disorder of one curve: ``offsets`` (MHz, lattice shape) weighed, or a draw from the line."""
    if offsets is None:
        return experiment.line.draw(experiment.lattice.size, np.random.default_rng(seed))
    values = np.asarray(offsets, dtype=np.float64)
    shape = experiment.lattice.shape
    if values.shape != shape:
        message = f"Argument `offsets` must have the shape of the lattice, {shape}, but has shape {values.shape}."
        raise ConfigurationError(message, key="offsets", value=values.shape)
    if not np.isfinite(values).all():
        site = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        message = f"Argument `offsets` must be finite numbers in MHz, but is {values[site]} at site {site}."
        raise ConfigurationError(message, key="offsets", value=values[site])
    return experiment.line.weigh(values.ravel())


def _evolve(
    experiment: Experiment, spins: Spins, advance: Callable[..., None], dtype: np.dtype[Any], *, halve_decay: bool
) -> NDArray[np.floating[Any]]:
    """Sums of the weighted spins over the lattice at every sample, shape (T, 3)."""
    shape, step = experiment.lattice.shape, 2 * pi * experiment.step
    kernel, spectrum = _kernel_spectrum(experiment.kernel_values, dtype)
    rates = step * np.array([getattr(experiment.coupling, f"alpha_{d}") for d in "xyz"])
    coupled = np.flatnonzero(rates) if np.any(experiment.kernel_values) else np.array([], dtype=int)
    largest_angle = _largest_angle(experiment, spins, rates)
    grid = np.zeros((3, *shape), dtype)
    state = grid.reshape(3, -1)
    state[2] = 0.5 * spins.field_weights
    sums = np.empty((experiment.n_samples + 1, 3), dtype)
    arguments = (
        np.zeros((2, 3, *shape), dtype),
        kernel,
        spectrum,
        np.arange(1, len(shape) + 1),
        (int(coupled.min()), int(coupled.max()) + 1) if coupled.size else (0, 0),
        (step * spins.offsets).astype(dtype),
        spins.field_weights.astype(dtype),
        rates.astype(dtype),
        _relaxation(experiment.dissipation, step, halve=halve_decay).astype(dtype),
        max(0, ceil(log2(largest_angle))) if largest_angle > 1 else 0,
        np.array(_SERIES, dtype),
    )
    done = 0
    for index, part in enumerate(experiment.schedule):
        if isinstance(part, Pulse):
            state[:] = part.rotation.astype(dtype) @ state
            if index == 0:
                sums[0] = state.sum(axis=1)
        else:
            advance(grid, *arguments, sums[done + 1 : done + 1 + part])
            done += part
    return sums[:-1]


def _largest_angle(experiment: Experiment, spins: Spins, rates: NDArray[np.float64]) -> float:
    """The most that a spin can turn in one step, radians."""
    largest_field = float(0.5 * np.abs(experiment.kernel_values).sum() * spins.field_weights.max())
    angle = 2 * pi * experiment.step * float(np.abs(spins.offsets).max()) + hypot(*rates) * largest_field
    if not angle < _LARGEST_ANGLE:
        message = (
            f"Key `step` must be short against the periods of the couplings and offsets, but at {experiment.step} us "
            f"a spin could turn by {angle:.3g} radians in one step."
        )
        raise ConfigurationError(message, key="step", value=experiment.step)
    return angle


def _kernel_spectrum(values: NDArray[np.float64], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """FFT of K over N, flat, real where it is; and work space for the FFT of the three components."""
    spectrum = np.fft.rfftn(values) / values.size
    complex_dtype = np.result_type(dtype, np.complex64)
    even = np.abs(spectrum.imag).max() <= 1e-12 * max(np.abs(spectrum).max(), np.finfo(float).tiny)
    flat = spectrum.real.astype(dtype) if even else spectrum.astype(complex_dtype)
    return flat.ravel(), np.empty((3, *spectrum.shape), complex_dtype)


def _relaxation(dissipation: Dissipation, step: float, *, halve: bool) -> NDArray[np.float64]:
    """Decay before and after the rotation of a step, as `rotate` wants it, shape (2, 3)."""
    after = step / 2 if halve else step
    transverse = np.exp(-dissipation.transverse_rate * after)
    longitudinal = np.exp(-dissipation.longitudinal_rate * after)
    decay = np.array([transverse, longitudinal, (1 - longitudinal) * dissipation.equilibrium])
    return np.array([decay if halve else [1.0, 1.0, 0.0], decay])
