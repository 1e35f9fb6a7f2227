"""What a curve of three records costs, over its three records simulated alone."""

from collections.abc import Callable
from functools import partial

from benchmarks.simulation.workload import KERNELS, STEP
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.datasets import Recipe, simulate_curves
from nmr_platform.simulation import Integrator

__all__ = ["main"]

_CURVES = 4
_REPEATS = 5
_SIDE = 100
_TIMED: tuple[Integrator, ...] = ("euler", "fast")


def main() -> None:
    """Draw and simulate curves of the August 2021 recipe under 90/180 and two shorter echoes, on one thread."""
    contenders: dict[str, Callable[[], object]] = {}
    for integrator in _TIMED:
        recipe = _recipe(integrator)
        contenders[f"{integrator} whole"] = partial(_simulate, [recipe])
        contenders[f"{integrator} alone"] = partial(_simulate, [recipe.of_record(name) for name in recipe.record_names])
    seconds = best_seconds(contenders, _REPEATS)
    rows = []
    for integrator in _TIMED:
        whole, alone = (seconds[f"{integrator} {what}"] for what in ("whole", "alone"))
        rows.append(
            [integrator, f"{1e3 * whole / _CURVES:.0f}", f"{1e3 * alone / _CURVES:.0f}", f"{whole / alone:.3f}"]
        )
    print_table(
        f"Three records, ms of processor time a gaussian curve of {_SIDE}x{_SIDE} spins, float32",
        ["integrator", "one measurement", "three alone", "ratio"],
        rows,
    )


def _simulate(recipes: list[Recipe]) -> None:
    for recipe in recipes:
        simulate_curves([recipe.curve(number) for number in range(_CURVES)], recipe, threads=1)


def _recipe(integrator: Integrator) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "records",
            "n_curves": _CURVES,
            "seed": 0,
            "integrator": integrator,
            "experiment": {
                "lattice": {"shape": [_SIDE, _SIDE]},
                "kernel": KERNELS["gaussian"],
                "coupling": {"alpha_x": 8.5e-5, "alpha_y": 8.5e-5},
                "line": {"fwhm": 0.05, "bandwidth": 1.0},
                "sequence": {"kind": "hahn", "sweep": {"tau": [628 * STEP, 314 * STEP, 157 * STEP]}},
                "step": STEP,
            },
            "prior": {"coupling.alpha_z": {"kind": "uniform", "low": 1e-5, "high": 2e-4}},
        }
    )


if __name__ == "__main__":
    main()
