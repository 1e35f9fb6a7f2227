"""How fast the error of each integrator falls with the step, and how large it is at the literature's."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import plot_convergence
from benchmarks.simulation.workload import KERNELS, STEP, hahn_echo
from benchmarks.tables import print_table
from nmr_platform import plots
from nmr_platform.simulation import INTEGRATORS, CoarseStepWarning, Dtype, Integrator, simulate

__all__ = ["main"]

_SIDE = 32
_N_TAU = 628
_GAUSSIAN = {"kind": "gaussian", "xi": 6.0}
_STEPS = (4.0, 2.0, 1.0, 0.5, 0.25, 0.125)
_CASES = {"gaussian, xi = 6": _GAUSSIAN, **{name: KERNELS[name] for name in ("power", "rkky", "uniform")}}
_FIGURE = Path(__file__).parents[2] / "docs" / "images" / "convergence.png"


def main() -> None:
    """Compare records over 300 us with the limit of vanishing steps; draw the figure of the docs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoarseStepWarning)
        _steps(kernel_integral=0.1)
        _kernels(kernel_integrals=(0.1, 0.2, 0.3))


def _steps(kernel_integral: float) -> None:
    """Errors over steps: table and figure."""

    def record(integrator: Integrator, step: float, dtype: Dtype = "float64") -> NDArray[np.complex128]:
        return _record(_GAUSSIAN, kernel_integral, integrator, step, dtype)

    limit = _limit(_GAUSSIAN, kernel_integral, finest=0.0625)
    errors: dict[str, list[float]] = {
        name: [_largest(record(name, step) - limit) for step in _STEPS] for name in INTEGRATORS
    }
    # The coarsest steps are left out: terms of higher order still count there.
    orders = {name: _order(_STEPS[2:], values[2:]) for name, values in errors.items()}
    rounding = {name: _largest(record(name, 1.0, "float32") - record(name, 1.0)) for name in INTEGRATORS}
    rows = [
        [name, *(f"{value:.1e}" for value in errors[name]), f"{orders[name]:.2f}", f"{rounding[name]:.0e}"]
        for name in INTEGRATORS
    ]
    print_table(
        f"Largest error of M over 300 us, gaussian kernel, W = {kernel_integral} MHz, {_SIDE}x{_SIDE}, float64",
        ["integrator", *(f"dt = {step:g}" for step in _STEPS), "order", "float32 adds"],
        rows,
        note="dt in units of 1/(2 pi) us, as in the literature. float32 adds: largest difference to float64 at dt = 1.",
    )
    title = f"Hahn echo, gaussian kernel, W = {kernel_integral} MHz"
    steps = np.array(_STEPS) * STEP
    drawn = plot_convergence(steps, errors, orders=orders, floor=max(rounding.values()), title=title)
    plots.save(drawn, _FIGURE)


def _kernels(kernel_integrals: tuple[float, ...]) -> None:
    """Errors at the literature's step for all kernels, the stronger the coupling the larger."""
    rows = []
    for name, kernel in _CASES.items():
        for kernel_integral in kernel_integrals:
            limit = _limit(kernel, kernel_integral, finest=0.125)
            errors = [_largest(_record(kernel, kernel_integral, i, 1.0) - limit) for i in INTEGRATORS]
            rows.append([name, f"{kernel_integral:g}", *(f"{error:.0e}" for error in errors)])
    print_table(
        f"Largest error of M over 300 us at dt = 1, {_SIDE}x{_SIDE}, float64", ["kernel", "W, MHz", *INTEGRATORS], rows
    )


def _limit(kernel: dict[str, Any], kernel_integral: float, *, finest: float) -> NDArray[np.complex128]:
    """The record for vanishing steps: two of second order, extrapolated."""
    coarse, fine = (_record(kernel, kernel_integral, "midpoint", step) for step in (2 * finest, finest))
    return fine + (fine - coarse) / 3


def _record(
    kernel: dict[str, Any], kernel_integral: float, integrator: Integrator, step: float, dtype: Dtype = "float64"
) -> NDArray[np.complex128]:
    """M at the samples that the coarsest step has too; ``step`` in units of 1/(2 pi) us."""
    n_tau = round(_N_TAU / step)
    experiment = hahn_echo(kernel, _SIDE, kernel_integral=kernel_integral, n_tau=n_tau, step=step * STEP)
    echo = simulate(experiment, integrator=integrator, dtype=dtype)
    return echo.m[:: round(_STEPS[0] / step)].astype(np.complex128)


def _largest(difference: NDArray[np.complex128]) -> float:
    return float(np.abs(difference).max())


def _order(steps: tuple[float, ...], errors: list[float]) -> float:
    """Slope of the error over the step on logarithmic scales."""
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


if __name__ == "__main__":
    main()
