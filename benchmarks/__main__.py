"""Run every benchmark, or those that are named: `python -m benchmarks simulation.speed features`.

`python -m benchmarks kills --help`, `mutants --help`, `blind --help`, `fluctuations`: what is run by its name only, for
it takes long.
`twins --help` has options, too.
"""

import os
import sys
from importlib import import_module

from benchmarks import simulation

BENCHMARKS = (
    "features",
    "forests",
    "studies",
    "pulses",
    "twins",
    *(f"simulation.{name}" for name in simulation.__all__),
)
_ON_REQUEST = ("kills", "mutants", "blind", "fluctuations")
_WITH_OPTIONS = ("twins",)


def main(wanted: list[str]) -> None:
    """Run the benchmarks whose names are, or begin with, one of ``wanted``; all of them if it is empty."""
    if wanted[:1] and (
        wanted[0] in _ON_REQUEST or (wanted[0] in _WITH_OPTIONS and wanted[1:2] and wanted[1][0] == "-")
    ):
        import_module(f"benchmarks.{wanted[0]}").main(wanted[1:])
        return
    for name in wanted:
        if not any(_is_meant(benchmark, name) for benchmark in BENCHMARKS):
            sys.exit(f"There is no benchmark `{name}`, only {', '.join((*BENCHMARKS, *_ON_REQUEST))}.")
    print(f"{os.cpu_count()} cores; over the last minute {os.getloadavg()[0]:.1f} programs wanted one.\n")
    for benchmark in BENCHMARKS:
        if not wanted or any(_is_meant(benchmark, name) for name in wanted):
            import_module(f"benchmarks.{benchmark}").main()


def _is_meant(benchmark: str, name: str) -> bool:
    return benchmark == name or benchmark.startswith(f"{name}.")


main(sys.argv[1:])
