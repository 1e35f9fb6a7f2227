"""How much faster a batch of curves is on two threads than on one."""

import time
from collections.abc import Callable
from functools import partial

from benchmarks.simulation.workload import KERNELS, STEP
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.datasets import Recipe, simulate_curves
from nmr_platform.simulation import Integrator

__all__ = ["main"]

_CURVES = 8
_REPEATS = 5
_SIDE = 100
_TIMED: tuple[Integrator, ...] = ("euler", "fast")


def main() -> None:
    """Time the part of `nmr generate` that simulates, on curves of the August 2021 recipe with 10^4 spins.

    Beside the ratio of the durations, which other programs on the machine spoil, stands that of the processor time: it
    is 1 if threads do not hinder each other.
    """
    processor: dict[str, float] = {}
    contenders: dict[str, Callable[[], object]] = {}
    for integrator in _TIMED:
        recipe = _recipe(integrator)
        for threads in (1, 2):
            name = f"{integrator} {threads}"
            contenders[name] = partial(_simulate, recipe, threads, name, processor)
    seconds = best_seconds(contenders, _REPEATS, time.perf_counter)
    work = _CURVES * _SIDE**2 * 1884
    rows = [
        [
            integrator,
            *(f"{work / seconds[f'{integrator} {threads}'] / 1e6:.0f}" for threads in (1, 2)),
            f"{seconds[f'{integrator} 1'] / seconds[f'{integrator} 2']:.2f}",
            f"{processor[f'{integrator} 2'] / processor[f'{integrator} 1']:.2f}",
        ]
        for integrator in _TIMED
    ]
    print_table(
        f"Threads, 10^6 spin-steps/s, {_CURVES} gaussian curves of {_SIDE}x{_SIDE} spins and 1884 steps, float32",
        ["integrator", "1 thread", "2 threads", "speed-up", "processor time, 2 over 1"],
        rows,
    )


def _simulate(recipe: Recipe, threads: int, name: str, processor: dict[str, float]) -> None:
    """Simulate the batch, and note the least processor time that it took."""
    # New curves every time: a curve keeps its kernel once it is computed.
    curves = [recipe.curve(number) for number in range(recipe.n_curves)]
    begin = time.process_time()
    simulate_curves(curves, recipe, threads=threads)
    processor[name] = min(processor.get(name, float("inf")), time.process_time() - begin)


def _recipe(integrator: Integrator) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "threads",
            "n_curves": _CURVES,
            "seed": 0,
            "integrator": integrator,
            "experiment": {
                "lattice": {"shape": [_SIDE, _SIDE]},
                "kernel": KERNELS["gaussian"],
                "coupling": {"alpha_x": 8.5e-5, "alpha_y": 8.5e-5},
                "line": {"fwhm": 0.05, "bandwidth": 1.0},
                "sequence": {"kind": "hahn", "tau": 628 * STEP},
                "step": STEP,
            },
            "prior": {"coupling.alpha_z": {"kind": "uniform", "low": 1e-5, "high": 2e-4}},
        }
    )


if __name__ == "__main__":
    main()
