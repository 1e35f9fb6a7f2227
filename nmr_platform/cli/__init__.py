"""The command line, and what DVC runs. Importing it makes the process one whose results do not depend on the machine.

What is simulated has the same bits everywhere, see `nmr_platform.portable`. Models are fitted by libraries that choose
their routines by the processor and share sums among as many threads as there are cores; they read what they may use
from the environment when they are loaded, and so it must be told before.
"""

import os
from pathlib import Path

__all__: list[str] = []

_SAME_EVERYWHERE = {
    # Of NumPy's routines, those for AVX2: https://numpy.org/doc/stable/reference/simd/build-options.html
    "NPY_ENABLE_CPU_FEATURES": "X86_V3",
    # Of OpenBLAS's kernels, those for AVX2, on one thread: folds and trees are what shares the cores.
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
}
_CPU = Path("/proc/cpuinfo")

if _CPU.exists() and {"avx2", "bmi2", "fma"} <= set(_CPU.read_text().split()):
    # NumPy refuses to be told of both.
    os.environ.pop("NPY_DISABLE_CPU_FEATURES", None)
    os.environ.update(_SAME_EVERYWHERE)
