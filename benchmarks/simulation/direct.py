"""The direct O(N^2) algorithm of the published codes against ours.

SpinEchoSim and Spin_Echo_Sim add up the field of every spin over all others. Here the same in NumPy, with the pairs as
one matrix, which is the fastest that NumPy can do, and compiled, with a loop over the pairs.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.simulation.workload import KERNELS, hahn_echo
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.physics import Experiment
from nmr_platform.simulation import simulate

__all__ = ["main"]

Array = NDArray[np.float64]

_SIDE = 40
_N_STEPS = 1884
_NUMPY_STEPS, _COMPILED_STEPS = 60, 12
_REPEATS = 3
# arXiv:2110.06811 and its code give this for one curve of 40x40 spins and 1884 steps, on one core.
_PUBLISHED_SECONDS = 88.0


def main() -> None:
    """Time a few steps of each direct code, and whole curves of ours; all in float64 but where it says float32."""
    work = _SIDE**2 * _N_STEPS
    rows = [["SpinEchoSim, published", "uniform", f"{_PUBLISHED_SECONDS:.3g}", f"{work / _PUBLISHED_SECONDS:.1e}", "1"]]
    for kernel in ("uniform", "gaussian"):
        experiment = hahn_echo(KERNELS[kernel], _SIDE)
        _check(experiment)
        with threadpool_limits(1):
            durations = _time(experiment)
        for name, seconds in durations.items():
            ratio = _PUBLISHED_SECONDS / seconds
            rows.append([name, kernel, f"{seconds:.3g}", f"{work / seconds:.1e}", f"{ratio:.0f}"])
    print_table(
        f"Direct sums and ours, one curve of {_SIDE}x{_SIDE} spins and {_N_STEPS} steps",
        ["code", "kernel", "core-s a curve", "spin-steps/s", "times the published"],
        rows,
        note="Durations of the direct codes are scaled up from a few steps, which agree with ours to 1e-12.",
    )


def _time(experiment: Experiment) -> dict[str, float]:
    """Seconds a curve."""
    contenders: dict[str, Callable[[], object]] = {
        "direct, NumPy": partial(_direct, experiment, _NUMPY_STEPS, _NumpyField(experiment)),
        "direct, numba": partial(_direct, experiment, _COMPILED_STEPS, _CompiledField(experiment)),
        "ours, euler, float64": partial(simulate, experiment, dtype="float64"),
        "ours, euler": partial(simulate, experiment),
        "ours, fast": partial(simulate, experiment, integrator="fast"),
    }
    seconds = best_seconds(contenders, _REPEATS)
    seconds["direct, NumPy"] *= _N_STEPS / _NUMPY_STEPS
    seconds["direct, numba"] *= _N_STEPS / _COMPILED_STEPS
    return seconds


def _check(experiment: Experiment) -> None:
    """Everyone computes the same."""
    ours = simulate(experiment, dtype="float64").m[: _COMPILED_STEPS + 1]
    for field in (_NumpyField(experiment), _CompiledField(experiment)):
        np.testing.assert_allclose(_direct(experiment, _COMPILED_STEPS, field), ours, rtol=0, atol=1e-12)


class _NumpyField:
    """The field as a product with the matrix of all pairs, by BLAS on one core."""

    def __init__(self, experiment: Experiment) -> None:
        side, values = experiment.lattice.shape[0], experiment.kernel_values[0, 0]
        x, y = np.divmod(np.arange(side**2), side)
        self._pairs = values[(x - x[:, None]) % side, (y - y[:, None]) % side]

    def __call__(self, m: Array) -> Array:
        return m @ self._pairs


class _CompiledField:
    """The field as a compiled double sum."""

    def __init__(self, experiment: Experiment) -> None:
        # Two periods each way: no index has to be wrapped, and the inner loop runs forward.
        self._kernel = np.tile(experiment.kernel_values[0, 0, ::-1, ::-1], (2, 2)).copy()

    def __call__(self, m: Array) -> Array:
        return _sum_over_pairs(self._kernel, m)


@njit(fastmath=True)  # type: ignore[untyped-decorator]
def _sum_over_pairs(kernel: Array, m: Array) -> Array:
    side = kernel.shape[0] // 2
    field = np.empty_like(m)
    for i in range(side * side):
        down, right = side - 1 - i // side, side - 1 - i % side
        sum_x, sum_y, sum_z = 0.0, 0.0, 0.0
        for x in range(side):
            for y in range(side):
                k, j = kernel[down + x, right + y], x * side + y
                sum_x, sum_y, sum_z = sum_x + k * m[0, j], sum_y + k * m[1, j], sum_z + k * m[2, j]
        field[0, i], field[1, i], field[2, i] = sum_x, sum_y, sum_z
    return field


def _direct(experiment: Experiment, n_steps: int, field: Callable[[Array], Array]) -> NDArray[np.complex128]:
    """M at the first samples: the field frozen over a step, and every spin turned about it by Rodrigues' formula."""
    size = experiment.lattice.size
    offsets = experiment.line.draw(size, np.random.default_rng(0)).offsets
    m = np.array([np.zeros(size), np.full(size, -0.5), np.zeros(size)])
    rates = 2 * np.pi * experiment.step * experiment.coupling_tensor.diagonal()
    samples = [m.mean(axis=1)]
    for _ in range(n_steps):
        b = rates[:, None] * field(m)
        b[2] += 2 * np.pi * experiment.step * offsets
        angle = np.sqrt((b**2).sum(axis=0))
        axis = b / angle
        along = (axis * m).sum(axis=0)
        m = np.cos(angle) * m + np.sin(angle) * np.cross(m, axis, axis=0) + (1 - np.cos(angle)) * along * axis
        samples.append(m.mean(axis=1))
    x, y, _ = np.array(samples).T
    return x + 1j * y


if __name__ == "__main__":
    main()
