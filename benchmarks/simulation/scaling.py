"""How time and memory grow from 32^2 to 1024^2 spins."""

import json
import math
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.simulation.workload import KERNELS, hahn_echo
from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.physics import Experiment
from nmr_platform.simulation import Integrator
from nmr_platform.simulation.engine import draw_gain, draw_spins
from nmr_platform.simulation.evolution import Evolution

__all__ = ["main"]

_SIDES = (32, 64, 128, 256, 512, 1024)
_SPIN_STEPS = 4e6
_REPEATS = 4
# The fast integrator starts with three steps that cost more.
_FEWEST_STEPS = 48
_TIMED: tuple[Integrator, ...] = ("euler", "fast")
# The high-water mark of the process itself: the one that `resource` reports begins at that of the parent.
_MEMORY = r"""
import json, re
from pathlib import Path
from benchmarks.simulation.workload import KERNELS, hahn_echo
from nmr_platform.simulation import simulate

def resident(mark):
    return int(re.search(mark + r":\s+(\d+) kB", Path("/proc/self/status").read_text()).group(1)) * 1024

simulate(hahn_echo(KERNELS["gaussian"], 16, n_tau=4))
before = resident("VmRSS")
experiment = hahn_echo(KERNELS["gaussian"], 1024, n_tau=2)
prepared = resident("VmHWM") - before
simulate(experiment)
print(json.dumps([prepared / 1024**2, (resident("VmHWM") - before) / 1024**2]))
"""


def main() -> None:
    """Time the steps alone; count the bytes of all arrays, and look at the process from outside."""
    print_table(
        "Growth, gaussian kernel, float32, processor time on one core",
        ["N", "steps", *(f"{i}, ns/spin-step" for i in _TIMED), *(f"{i}, over log2 N" for i in _TIMED), "B/spin"],
        [_row(side) for side in _SIDES],
        note="B/spin: all arrays that the experiment and the engine keep, but for 16 bytes a sample of the record.",
    )
    if Path("/proc/self/status").exists():
        prepared, peak = _peak_bytes()
        print(f"Peak memory of a process at 1024x1024: {prepared:.0f} B/spin to make the kernel, {peak:.0f} in all.\n")


def _row(side: int) -> list[str]:
    n_steps = max(_FEWEST_STEPS, round(_SPIN_STEPS / side**2))
    experiment = hahn_echo(KERNELS["gaussian"], side, n_tau=n_steps)
    evolutions = {integrator: _evolution(experiment, integrator) for integrator in _TIMED}
    sums = np.empty((n_steps, 3), np.float32)
    seconds = best_seconds({name: partial(evolution.delay, sums) for name, evolution in evolutions.items()}, _REPEATS)
    size = side**2
    each = [value / n_steps / size * 1e9 for value in seconds.values()]
    everything = bytes_kept([experiment, experiment.lattice.distances, evolutions["fast"]])
    kept = (everything - bytes_kept([experiment.recording])) / size
    return [
        f"{side}x{side}",
        str(n_steps),
        *(f"{value:.1f}" for value in each),
        *(f"{value / math.log2(size):.2f}" for value in each),
        f"{kept:.0f}",
    ]


def _evolution(experiment: Experiment, integrator: Integrator) -> Evolution:
    spins = draw_spins(experiment, seed=0, offsets=None)
    evolution = Evolution(experiment, spins, draw_gain(experiment, 0), integrator, np.dtype("float32"))
    evolution.pulse(experiment.sequence.pulses[0])
    return evolution


def bytes_kept(roots: list[Any]) -> int:
    """Size of all arrays that can be reached from ``roots``, in bytes; views of one array count once."""
    owners: dict[int, int] = {}
    seen, waiting = set(), list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            while isinstance(thing.base, np.ndarray):
                thing = thing.base
            owners[id(thing)] = thing.nbytes
        elif isinstance(thing, list | tuple):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            waiting.extend(thing.values())
        elif hasattr(thing, "__dict__") and type(thing).__module__.startswith("nmr_platform"):
            waiting.append(vars(thing))
    return sum(owners.values())


def _peak_bytes() -> tuple[float, float]:
    """Growth of a process's resident memory a spin: until the kernel is made, and until the echo is simulated."""
    done = subprocess.run([sys.executable, "-c", _MEMORY], stdout=subprocess.PIPE, check=True)
    prepared, peak = json.loads(done.stdout)
    return prepared, peak


if __name__ == "__main__":
    main()
