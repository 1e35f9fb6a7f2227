"""What a step costs over that of plain code, over that with a full FFT, and over one too coarse for the series."""

from collections.abc import Callable, Sequence
from functools import partial
from unittest.mock import patch

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from benchmarks.simulation.workload import KERNELS, STEP, hahn_echo
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.physics import Experiment
from nmr_platform.simulation import INTEGRATORS, simulate
from nmr_platform.simulation.engine import draw_gain, draw_spins
from nmr_platform.simulation.evolution import Evolution

__all__ = ["main"]

Array = NDArray[np.float32]

_SIDE, _N_STEPS, _PLAIN_STEPS, _REPEATS = 100, 1884, 300, 7
_SMOOTH = ((64, 6.0), (100, 6.0), (100, 10.0), (100, 13.4), (128, 13.4), (200, 13.4))


def main() -> None:
    """Ratios of durations that are measured in turns, so that the load of the machine cancels; all in float32."""
    _over_plain_code()
    _over_full_fft()
    _coarse_over_fine()


def _over_plain_code() -> None:
    rows = []
    for name, kernel in KERNELS.items():
        experiment = hahn_echo(kernel, _SIDE)
        _check(experiment)
        contenders: dict[str, Callable[[], object]] = {"plain": partial(_plain, experiment, _PLAIN_STEPS)}
        contenders |= {each: partial(simulate, experiment, integrator=each) for each in INTEGRATORS}
        seconds = best_seconds(contenders, _REPEATS)
        each_step = {n: s / (_PLAIN_STEPS if n == "plain" else _N_STEPS) * 1e6 for n, s in seconds.items()}
        ratios = [f"{each_step['plain'] / each_step[integrator]:.1f}" for integrator in INTEGRATORS]
        rows.append([name, *(f"{us:.1f}" for us in each_step.values()), *ratios])
    print_table(
        f"us a step of {_SIDE}x{_SIDE} spins, and times plain code (numba and scipy.fft, as `euler`)",
        ["kernel", "plain", *INTEGRATORS, *(f"plain/{each}" for each in INTEGRATORS)],
        rows,
    )


def _over_full_fft() -> None:
    rows = []
    for side, xi in _SMOOTH:
        experiment = hahn_echo({"kind": "gaussian", "xi": xi}, side)
        evolutions = {"waves": _evolution(experiment)}
        with patch("nmr_platform.simulation.modes._pays", lambda *_: False):
            evolutions["FFT"] = _evolution(experiment)
        rows.append([f"{side}x{side}, xi = {xi:g}", *_microseconds(evolutions)])
    print_table("us a step of `euler` by few waves and by the full FFT", ["", "waves", "FFT", "ratio"], rows)


def _coarse_over_fine() -> None:
    evolutions = {}
    for name, step in (("fine", STEP), ("coarse", 8 * STEP)):
        values = hahn_echo(KERNELS["uniform"], _SIDE, step=step)
        evolutions[name] = _evolution(values.replace(coupling=dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), 0.0)))
    print_table(
        "us a step of spins that do not couple, by up to 0.5 rad and by up to 4 rad",
        ["", "fine", "coarse", "ratio"],
        [["rotation", *_microseconds(evolutions)]],
    )


def _evolution(experiment: Experiment) -> Evolution:
    spins = draw_spins(experiment, seed=0, offsets=None)
    evolution = Evolution(experiment, spins, draw_gain(experiment, 0), "euler", np.dtype("float32"))
    evolution.pulse(experiment.sequence.pulses[0])
    return evolution


def _microseconds(evolutions: dict[str, Evolution]) -> Sequence[str]:
    """Durations of a step, and the second over the first."""
    sums = np.empty((_PLAIN_STEPS, 3), np.float32)
    seconds = best_seconds({name: partial(each.delay, sums) for name, each in evolutions.items()}, _REPEATS)
    one, other = seconds.values()
    return [*(f"{s / _PLAIN_STEPS * 1e6:.1f}" for s in (one, other)), f"{other / one:.2f}"]


def _check(experiment: Experiment) -> None:
    """Both compute the same."""
    np.testing.assert_allclose(_plain(experiment, 100), simulate(experiment).m[:101], rtol=0, atol=1e-5)


def _plain(experiment: Experiment, n_steps: int) -> NDArray[np.complex128]:
    """M at the first samples, by the code that one would write in an afternoon."""
    spins, shape = draw_spins(experiment, seed=0, offsets=None), experiment.lattice.shape
    spectrum = scipy.fft.rfft2(experiment.kernel_values[0, 0].astype(np.float32))
    rates = (2 * np.pi * experiment.step * experiment.coupling_tensor.diagonal()).astype(np.float32)
    phases = (2 * np.pi * experiment.step * spins.offsets).astype(np.float32)
    m = np.zeros((3, experiment.lattice.size), np.float32)
    m[1] = -0.5
    samples = [m.mean(axis=1)]
    for _ in range(n_steps):
        field = scipy.fft.irfft2(scipy.fft.rfft2(m.reshape(3, *shape)) * spectrum, s=shape)
        samples.append(np.array(_turn(m, field.reshape(3, -1), rates, phases)) / experiment.lattice.size)
    x, y, _ = np.array(samples).T
    return x + 1j * y


@njit(fastmath=True)  # type: ignore[untyped-decorator]
def _turn(m: Array, field: Array, rates: Array, phases: Array) -> tuple[float, float, float]:
    """Rodrigues' formula, in place, and the sums of the components."""
    sum_x, sum_y, sum_z = 0.0, 0.0, 0.0
    for i in range(m.shape[1]):
        bx, by, bz = rates[0] * field[0, i], rates[1] * field[1, i], phases[i] + rates[2] * field[2, i]
        x, y, z = m[0, i], m[1, i], m[2, i]
        angle = np.sqrt(bx * bx + by * by + bz * bz)
        if angle > 0:
            bx, by, bz = bx / angle, by / angle, bz / angle
            c, s = np.cos(angle), np.sin(angle)
            along = (1 - c) * (bx * x + by * y + bz * z)
            x, y, z = (
                c * x + s * (y * bz - z * by) + along * bx,
                c * y + s * (z * bx - x * bz) + along * by,
                c * z + s * (x * by - y * bx) + along * bz,
            )
        m[0, i], m[1, i], m[2, i] = x, y, z
        sum_x, sum_y, sum_z = sum_x + x, sum_y + y, sum_z + z
    return sum_x, sum_y, sum_z


if __name__ == "__main__":
    main()
