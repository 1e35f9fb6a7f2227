"""The engine: mean field by FFT, exact rotations, compiled; and its slow twin."""

from nmr_platform.simulation.engine import DTYPES, Dtype, Echo, measure, simulate
from nmr_platform.simulation.evolution import CoarseStepWarning
from nmr_platform.simulation.naive import simulate_naively
from nmr_platform.simulation.randomness import CurveStreams, curve_streams, noise_of_record
from nmr_platform.simulation.stepping import INTEGRATORS, Integrator

__all__ = [
    "DTYPES",
    "ENGINE_VERSION",
    "INTEGRATORS",
    "CoarseStepWarning",
    "CurveStreams",
    "Dtype",
    "Echo",
    "Integrator",
    "curve_streams",
    "measure",
    "noise_of_record",
    "simulate",
    "simulate_naively",
]

# Part of every data set's identity: raise it whenever the same recipe would give other numbers.
ENGINE_VERSION = 4
