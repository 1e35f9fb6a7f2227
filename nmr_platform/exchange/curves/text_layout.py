"""The text directories of SpinEchoSim, Spin_Echo_Sim and the reference project: names, columns and numbers.

Facts gathered from those programs' own readers and writers; docs/interchange.md says which were chosen here.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "KERNELS",
    "LAYOUTS",
    "NAMES",
    "STEP",
    "TextLayout",
    "TextLayoutName",
    "phase_index",
    "phase_of_index",
]

TextLayoutName = Literal["spinechosim", "reference", "cuda"]

STEP = 1 / (2 * np.pi)
"""The programs' "dt = 1" in us."""

_ALL = (
    *("alpha_x", "alpha_y", "alpha_z", "xi", "power", "gamma_plus", "gamma_minus", "gamma_z"),
    *("stencil", "weight_s", "weight_p", "weight_d", "theta1", "theta2", "phase1", "phase2"),
)
COLUMNS: dict[int, tuple[str, ...]] = {
    12: tuple(name for name in _ALL if name not in {"gamma_plus", "gamma_minus", "phase1", "phase2"}),
    16: _ALL,
}
"""Columns of echo_params.txt by their number: couplings in MHz, angles in radians, phases in quarter turns."""

KERNELS = {0: "gaussian", 1: "power", 2: "rkky"}
"""Kernels by the number in the column ``stencil``."""

NAMES: dict[str, Sequence[str]] = {
    "real": ("echos_r.txt", "echos_r", "echoes_r.txt", "real_output*.txt"),
    "imaginary": ("echos_i.txt", "echos_i", "echoes_i.txt", "imag_output*.txt"),
    "longitudinal": ("zechoes_r.txt", "z_real_output*.txt"),
    "echo_params": ("echo_params*.txt",),
    "sim_params": ("sim_params*.txt",),
    "w_list": ("w_list.txt",),
}
"""Patterns of the names under which each file is found."""


class TextLayout(NamedTuple):
    """What a directory looks like when it is written.

    Attributes:
        real: File of the real parts.
        imaginary: File of the imaginary parts.
        echo_params: File of the parameters of every curve.
        sim_params: File of what all curves share.
        n_columns: Columns of ``echo_params`` by default.
        longitudinal: Files of the real and the imaginary part of <Iz>, if the program has them.
        repeats_pulse: Whether the sample before the second pulse is followed by one just after it.
    """

    real: str
    imaginary: str
    echo_params: str = "echo_params.txt"
    sim_params: str = "sim_params.txt"
    n_columns: int = 16
    longitudinal: tuple[str, str] | None = None
    repeats_pulse: bool = False


LAYOUTS: dict[TextLayoutName, TextLayout] = {
    "spinechosim": TextLayout("echos_r.txt", "echos_i.txt"),
    "reference": TextLayout("echos_r", "echos_i", n_columns=12),
    "cuda": TextLayout(
        "real_output1.txt",
        "imag_output1.txt",
        "echo_params1.txt",
        "sim_params1.txt",
        longitudinal=("z_real_output1.txt", "z_imag_output1.txt"),
        repeats_pulse=True,
    ),
}


def phase_of_index(index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pulse phase in degrees of the programs' quarter turns; theirs turn by -theta, ours by +theta: half a turn."""
    return (90 * index + 180) % 360


def phase_index(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """The programs' quarter turns of a phase in degrees; not whole where they cannot express it."""
    return (phase - 180) % 360 / 90
