"""What is simulated: frozen values with units, and formulas."""

from nmr_platform.physics.coupling import Coupling, Dissipation
from nmr_platform.physics.experiment import Experiment
from nmr_platform.physics.kernels import GaussianKernel, Kernel, PowerKernel, RkkyKernel, UniformKernel
from nmr_platform.physics.lattice import Lattice
from nmr_platform.physics.line import Line, Spins
from nmr_platform.physics.sequences import Cpmg, Custom, Delay, Hahn, Pulse, Sequence

__all__ = [
    "Coupling",
    "Cpmg",
    "Custom",
    "Delay",
    "Dissipation",
    "Experiment",
    "GaussianKernel",
    "Hahn",
    "Kernel",
    "Lattice",
    "Line",
    "PowerKernel",
    "Pulse",
    "RkkyKernel",
    "Sequence",
    "Spins",
    "UniformKernel",
]
