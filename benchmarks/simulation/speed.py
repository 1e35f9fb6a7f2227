"""How many spin-steps a second a core does, and what the first call costs."""

import json
import os
import subprocess
import sys
import tempfile
from functools import partial

from benchmarks.simulation.workload import KERNELS, hahn_echo
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.simulation import DTYPES, INTEGRATORS, simulate

__all__ = ["main"]

_SIDES = (64, 100)
_REPEATS = 3
_TARGETS = {"euler": 6e7, "fast": 1.5e8}
_FIRST_CALLS = """
import json, time
begin = time.perf_counter()
from benchmarks.simulation.workload import KERNELS, hahn_echo
from nmr_platform.simulation import INTEGRATORS, simulate
seconds = {"import": time.perf_counter() - begin}
experiment = hahn_echo(KERNELS["gaussian"], 16, n_tau=4)
for integrator in INTEGRATORS:
    begin = time.perf_counter()
    simulate(experiment, integrator=integrator)
    seconds[integrator] = time.perf_counter() - begin
print(json.dumps(seconds))
"""


def main() -> None:
    """Time whole curves, the draw of the disorder and the transform of the kernel included."""
    rows = [_row(kernel, side) for side in _SIDES for kernel in KERNELS]
    header = ["kernel", *(f"{i} {d[5:]}" for d in DTYPES for i in INTEGRATORS), "fast/euler", "float32/64"]
    targets = ", ".join(f"{integrator} {target:.1e}" for integrator, target in _TARGETS.items())
    print_table(
        "Speed, 10^6 spin-steps a second of one core, curves of 1884 steps",
        header,
        rows,
        note=f"Targets in float32: {targets}. Ratios: fast over euler in float32; float32 over float64 for euler.",
    )
    _first_calls()


def _row(kernel: str, side: int) -> list[str]:
    experiment = hahn_echo(KERNELS[kernel], side)
    contenders = {
        f"{dtype} {integrator}": partial(simulate, experiment, integrator=integrator, dtype=dtype)
        for dtype in DTYPES
        for integrator in INTEGRATORS
    }
    seconds = best_seconds(contenders, _REPEATS)
    work = side**2 * experiment.recording.n_steps
    return [
        f"{kernel} {side}x{side}",
        *(f"{work / value / 1e6:.0f}" for value in seconds.values()),
        f"{seconds['float32 euler'] / seconds['float32 fast']:.2f}",
        f"{seconds['float64 euler'] / seconds['float32 euler']:.2f}",
    ]


def _first_calls() -> None:
    with tempfile.TemporaryDirectory() as cache:
        compiled, cached = _run_first_calls(cache), _run_first_calls(cache)
    rows = [[name, f"{compiled[name]:.2f}", f"{cached[name]:.2f}"] for name in compiled]
    rows.append(["together", f"{sum(compiled.values()):.2f}", f"{sum(cached.values()):.2f}"])
    print_table("First call in a process, s", ["", "compiled", "from cache"], rows)


def _run_first_calls(cache: str) -> dict[str, float]:
    """Seconds that the import and the first call of each integrator take in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_CALLS],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


if __name__ == "__main__":
    main()
