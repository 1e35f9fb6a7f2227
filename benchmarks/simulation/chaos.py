"""Where the dynamics is chaotic: how a small disturbance of every spin grows, and what single precision does to M."""

import warnings

import numpy as np

from benchmarks.simulation.workload import KERNELS, hahn_echo
from benchmarks.tables import print_table
from nmr_platform.physics import Experiment, Pulse
from nmr_platform.simulation import DTYPES, CoarseStepWarning, simulate
from nmr_platform.simulation.engine import draw_spins
from nmr_platform.simulation.evolution import Evolution

__all__ = ["main"]

_SIDE = 32
_DISTURBANCE = 1e-7
_CASES = {
    "uniform": KERNELS["uniform"],
    "gaussian, xi = 6": {"kind": "gaussian", "xi": 6.0},
    "gaussian, xi = 2": {"kind": "gaussian", "xi": 2.0},
    "power, exponent 3": KERNELS["power"],
}
_KERNEL_INTEGRALS = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0)


def main() -> None:
    """Follow two copies of a sample, one of which is disturbed after the first pulse."""
    rows = []
    for name, kernel in _CASES.items():
        experiments = [hahn_echo(kernel, _SIDE, kernel_integral=w) for w in _KERNEL_INTEGRALS]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CoarseStepWarning)
            rows.append([name, "growth", *(f"{_growth(experiment):.3g}" for experiment in experiments)])
            rows.append(["", "float32 - float64", *(f"{_rounding(experiment):.0e}" for experiment in experiments)])
    print_table(
        f"Growth of a disturbance by {_DISTURBANCE:g} rad over 300 us, isotropic coupling, {_SIDE}x{_SIDE}",
        ["kernel", "", *(f"W = {w:g}" for w in _KERNEL_INTEGRALS)],
        rows,
        note="Growth: rms distance of the spins at the end over that after the first pulse (midpoint, float64). "
        "float32 - float64: largest difference of M (midpoint).",
    )


def _growth(experiment: Experiment) -> float:
    """Ratio of the distances of two copies, at the end and just after the first pulse, where one is disturbed."""
    spins = draw_spins(experiment, seed=0, offsets=None)
    size = experiment.lattice.size
    copies = [Evolution(experiment, spins, np.ones(size), "midpoint", np.dtype("float64")) for _ in range(2)]
    for number, part in enumerate(experiment.recording.schedule):
        for copy in copies:
            if isinstance(part, int):
                copy.delay(np.empty((part, 3)))
            elif isinstance(part, Pulse):
                copy.pulse(part)
        if number == 0:
            # The first pulse laid the spins into the plane, so this tips them.
            copies[1].state[2] += 0.5 * _DISTURBANCE * np.random.default_rng(1).standard_normal(size)
            before = _distance(copies)
    return _distance(copies) / before


def _distance(copies: list[Evolution]) -> float:
    return float(np.linalg.norm(copies[0].state - copies[1].state))


def _rounding(experiment: Experiment) -> float:
    single, double = (simulate(experiment, integrator="midpoint", dtype=dtype).m for dtype in DTYPES)
    return float(np.abs(single - double).max())


if __name__ == "__main__":
    main()
