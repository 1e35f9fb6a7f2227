"""The one table of what can be known about a curve: name, unit, meaning, formula, and how an experiment gives it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nmr_platform.physics import Experiment
from nmr_platform.schema import unit_at

__all__ = ["QUANTITIES", "RESERVED_NAMES", "Quantity", "attributes_of", "columns_for", "quantities_of", "quantity"]


class Quantity(NamedTuple):
    """A number that belongs to a curve.

    Attributes:
        name: What tables and tasks call it.
        unit: Its unit; ``1`` for a plain number, empty where nobody knows.
        meaning: What it is, in words.
        formula: How it follows from others; empty for a parameter.
    """

    name: str
    unit: str
    meaning: str
    formula: str = ""

    @property
    def label(self) -> str:
        """The unit as people read it: nothing for a plain number."""
        return "" if self.unit == "1" else self.unit

    @property
    def description(self) -> str:
        """Words and formula, for instance ``transverse coupling alpha_x sum K``."""
        return f"{self.meaning} {self.formula}".strip()

    def of(self, experiment: Experiment) -> float:
        """Its value in an experiment, in its unit; NaN where the experiment has none, for instance xi of a power law.

        Raises:
            KeyError: Not every experiment has one; see `QUANTITIES`.
        """
        return _READERS[self.name](experiment)


_READERS: dict[str, Callable[[Experiment], float]] = {
    "W": lambda e: e.kernel_integral,
    "X": lambda e: e.coupling.alpha_x * e.kernel_sum,
    "Z": lambda e: e.coupling.alpha_z * e.kernel_sum,
    "kernel_sum": lambda e: e.kernel_sum,
    "alpha_x": lambda e: e.coupling.alpha_x,
    "alpha_y": lambda e: e.coupling.alpha_y,
    "alpha_z": lambda e: e.coupling.alpha_z,
    "xi": lambda e: getattr(e.kernel, "xi", np.nan),
    "exponent": lambda e: getattr(e.kernel, "exponent", np.nan),
    "gamma_plus": lambda e: e.dissipation.gamma_plus,
    "gamma_minus": lambda e: e.dissipation.gamma_minus,
    "gamma_z": lambda e: e.dissipation.gamma_z,
    "N": lambda e: e.lattice.n_spins,
}

_DERIVED = [
    Quantity("W", "MHz", "kernel integral", "(alpha_x + alpha_y + alpha_z) sum K"),
    Quantity("X", "MHz", "transverse coupling", "alpha_x sum K"),
    Quantity("Z", "MHz", "longitudinal coupling", "alpha_z sum K"),
    Quantity("kernel_sum", "1", "sum of the kernel", "sum K"),
    Quantity("N", "1", "number of spins"),
    # What expressions, and curves that were imported, call numbers that are no keys of an experiment.
    Quantity("alpha", "MHz", "coupling that those of the components follow"),
    Quantity("weight_s", "1", "weight of the kernel's isotropic part"),
    Quantity("weight_p", "1", "weight of the kernel's cos(theta)"),
    Quantity("weight_d", "1", "weight of the kernel's cos(2 theta)"),
]

# Every number of an experiment; its unit is the one that the class which has it declares.
_PARAMETERS = {
    "coupling.alpha_x": "coupling of the x components",
    "coupling.alpha_y": "coupling of the y components",
    "coupling.alpha_z": "coupling of the z components",
    "coupling.alpha_xy": "coupling of x components to y components",
    "coupling.alpha_xz": "coupling of x components to z components",
    "coupling.alpha_yz": "coupling of y components to z components",
    "field.polar": "angle of the field from the crystal's z axis",
    "field.azimuth": "angle of the field's projection from the crystal's x axis",
    "kernel.xi": "range of the kernel",
    "kernel.exponent": "exponent of the kernel",
    "kernel.s": "weight of the kernel's isotropic part",
    "kernel.p": "weight of the kernel's cos(theta)",
    "kernel.d": "weight of the kernel's cos(2 theta)",
    "initial.polarisation": "degree of polarisation along z at the start",
    "initial.m": "mean Bloch vector at the start",
    "initial.draws": "draws of the fluctuations that a record is the mean of",
    "dissipation.gamma_plus": "Lindblad rate of I+",
    "dissipation.gamma_minus": "Lindblad rate of I-",
    "dissipation.gamma_z": "Lindblad rate of Iz",
    "lattice.shape": "size of the lattice",
    "lattice.spacing": "distance of nearest neighbours",
    "lattice.abundance": "fraction of the sites that bear a spin",
    "lattice.vectors": "primitive vectors",
    "lattice.basis": "positions of the sites in a cell, in fractions of the primitive vectors",
    "line.fwhm": "full width of the line at half maximum",
    "line.bandwidth": "full width of the band that the offsets are confined to",
    "line.offsets": "Larmor offsets of the line's points",
    "line.densities": "height of the line at its points",
    "sequence.tau": "time between the first two pulses",
    "sequence.mixing": "time between the second and the third pulse",
    "sequence.echo_spacing": "time between two echoes",
    "sequence.recovery": "time between inversion and reading",
    "sequence.acquisition": "time recorded after the second pulse",
    "sequence.n_echoes": "number of refocusing pulses",
    "sequence.theta1": "flip angle of the first pulse",
    "sequence.theta2": "flip angle of the second pulse",
    "sequence.theta3": "flip angle of the third pulse",
    "sequence.phi1": "phase of the first pulse",
    "sequence.phi2": "phase of the second pulse",
    "sequence.phi3": "phase of the third pulse",
    "sequence.nutation": "strength of the drive",
    "sequence.echo_times": "where echoes are expected",
    "sequence.elements.theta": "flip angle of a pulse",
    "sequence.elements.phi": "phase of a pulse",
    "sequence.elements.duration": "how long a pulse, a part of one, or a delay lasts",
    "sequence.elements.segments.amplitude": "nutation frequency in a part of a pulse",
    "sequence.elements.segments.phase": "phase of a part of a pulse",
    "drive.calibration": "factor on every flip angle and drive amplitude",
    "drive.inhomogeneity": "relative standard deviation of that factor over the sample",
    "phase_cycle.pulses": "phase added to a pulse by the phase cycle",
    "phase_cycle.receiver": "phase of the receiver",
    "receiver.noise": "standard deviation of the noise on each part of M",
    "receiver.dead_time": "time after a pulse in which nothing is recorded",
    "receiver.every": "steps from one recorded sample to the next",
    "step": "time step and sampling interval",
}

_TABLE = {each.name: each for each in _DERIVED} | {
    name: Quantity(name, unit_at(Experiment, key.split(".")), meaning)
    for key, meaning in _PARAMETERS.items()
    for name in [key.rpartition(".")[2]]
}

QUANTITIES = {name: _TABLE[name] for name in _READERS}
"""Quantities that every experiment has, which constraints may name; all but N are coordinates of every data set."""

_COORDINATES = tuple(name for name in QUANTITIES if name != "N")
_TAKEN = {"curve", "time", "m", "m_z", "kernel", "disorder", "seed", "n_draws", *QUANTITIES}

RESERVED_NAMES = frozenset({*_TAKEN, "zarr.json"})
"""What else lies in the folder of a data set whose records have folders of their own."""

# What data sets say of these since format 2, byte for byte.
_LONG_NAMES = {
    "X": "alpha_x sum K",
    "Z": "alpha_z sum K",
    "kernel_sum": "sum K",
    "xi": "range of the kernel; NaN where it has none",
    "exponent": "exponent of the kernel; NaN where it has none",
    "disorder": "identity of the Larmor offsets",
    "n_draws": "draws from the prior that it took to meet the constraints",
}


def quantity(name: str) -> Quantity:
    """What is known of a coordinate, of a target, or of a key that a prior draws.

    Args:
        name: For instance ``W``, ``theta1`` or ``sequence.theta1``.

    Returns:
        Its row of the table; for an auxiliary number of somebody's prior, one without a unit.

    Examples:
        >>> quantity("sequence.theta1")
        Quantity(name='theta1', unit='degrees', meaning='flip angle of the first pulse', formula='')
        >>> quantity("X").description
        'transverse coupling alpha_x sum K'
    """
    words = [word for word in name.split(".") if not word.isdigit()]
    return _TABLE.get(words[-1] if words else name, Quantity(name, "", name))


def columns_for(keys: tuple[str, ...]) -> dict[str, str]:
    """Coordinates for drawn or swept ``keys`` that no standard coordinate shows: name of the coordinate -> key.

    The name is the key's last part where that is unique, otherwise the whole key.
    """
    ends = [key.rpartition(".")[2] for key in keys]
    standard = {"kernel.kind", *(key for key in _PARAMETERS if key.rpartition(".")[2] in QUANTITIES)}
    return {
        end if ends.count(end) == 1 and end not in _TAKEN and not end.isdigit() else key: key
        for key, end in zip(keys, ends, strict=True)
        if key not in standard
    }


def quantities_of(experiment: Experiment) -> dict[str, float]:
    """The standard coordinates of a curve."""
    return {name: QUANTITIES[name].of(experiment) for name in _COORDINATES}


def attributes_of(name: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Units and meaning of a coordinate, as attributes.

    Args:
        name: The coordinate.
        columns: Of a recipe: which key each coordinate shows beyond the standard ones.
    """
    known = quantity(columns.get(name, name))
    long_name = f"prior key {columns[name]}" if name in columns else _LONG_NAMES.get(name, known.description)
    if name in QUANTITIES:
        return {"units": known.unit, "long_name": long_name}
    if known.name == long_name == name:
        return {}
    return {"long_name": long_name, **({"units": known.unit} if known.unit else {})}
