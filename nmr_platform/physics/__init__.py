"""What is simulated: frozen values with units, and formulas."""

from nmr_platform.physics.coupling import Coupling, Dissipation, FieldDirection
from nmr_platform.physics.experiment import Experiment
from nmr_platform.physics.fluctuations import FieldGauge, Regime, field_gauge, gaussian_decay
from nmr_platform.physics.initial import Initial
from nmr_platform.physics.kernels import (
    CouplingKernel,
    ExponentialKernel,
    GaussianKernel,
    Kernel,
    PowerKernel,
    RkkyKernel,
    TableKernel,
    UniformKernel,
)
from nmr_platform.physics.lattices import (
    BravaisLattice,
    HoneycombLattice,
    HypercubicLattice,
    Lattice,
    PeriodicLattice,
    RectangularLattice,
    TriangularLattice,
)
from nmr_platform.physics.lines import GaussianLine, Line, LineShape, LorentzianLine, Spins, TableLine
from nmr_platform.physics.measurement import Measurement, with_sweeps_expanded
from nmr_platform.physics.recording import Recording
from nmr_platform.physics.sequences import (
    Block,
    Cpmg,
    Custom,
    Delay,
    Hahn,
    InversionRecovery,
    Pulse,
    Segment,
    Sequence,
    ShapedPulse,
    StimulatedEcho,
    rotation_about,
)
from nmr_platform.physics.spectrometer import Drive, PhaseStep, Receiver

__all__ = [
    "Block",
    "BravaisLattice",
    "Coupling",
    "CouplingKernel",
    "Cpmg",
    "Custom",
    "Delay",
    "Dissipation",
    "Drive",
    "Experiment",
    "ExponentialKernel",
    "FieldDirection",
    "FieldGauge",
    "GaussianKernel",
    "GaussianLine",
    "Hahn",
    "HoneycombLattice",
    "HypercubicLattice",
    "Initial",
    "InversionRecovery",
    "Kernel",
    "Lattice",
    "Line",
    "LineShape",
    "LorentzianLine",
    "Measurement",
    "PeriodicLattice",
    "PhaseStep",
    "PowerKernel",
    "Pulse",
    "Receiver",
    "Recording",
    "RectangularLattice",
    "Regime",
    "RkkyKernel",
    "Segment",
    "Sequence",
    "ShapedPulse",
    "Spins",
    "StimulatedEcho",
    "TableKernel",
    "TableLine",
    "TriangularLattice",
    "UniformKernel",
    "field_gauge",
    "gaussian_decay",
    "rotation_about",
    "with_sweeps_expanded",
]
