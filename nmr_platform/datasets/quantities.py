"""What is known about a curve besides its record: the coordinates of a data set, with their units."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nmr_platform.physics import Experiment

__all__ = ["QUANTITIES", "Quantity", "attributes_of", "columns_for", "quantities_of"]


class Quantity(NamedTuple):
    """A number that every experiment has.

    Attributes:
        units: Its unit.
        long_name: What it is.
        of: Reads it off an experiment.
    """

    units: str
    long_name: str
    of: Callable[[Experiment], float]


QUANTITIES: dict[str, Quantity] = {
    "W": Quantity("MHz", "kernel integral (alpha_x + alpha_y + alpha_z) sum K", lambda e: e.kernel_integral),
    "X": Quantity("MHz", "alpha_x sum K", lambda e: e.coupling.alpha_x * e.kernel_sum),
    "Z": Quantity("MHz", "alpha_z sum K", lambda e: e.coupling.alpha_z * e.kernel_sum),
    "kernel_sum": Quantity("1", "sum K", lambda e: e.kernel_sum),
    "alpha_x": Quantity("MHz", "coupling of the x components", lambda e: e.coupling.alpha_x),
    "alpha_y": Quantity("MHz", "coupling of the y components", lambda e: e.coupling.alpha_y),
    "alpha_z": Quantity("MHz", "coupling of the z components", lambda e: e.coupling.alpha_z),
    "xi": Quantity(
        "lattice constants", "range of the kernel; NaN where it has none", lambda e: getattr(e.kernel, "xi", np.nan)
    ),
    "exponent": Quantity(
        "1", "exponent of the kernel; NaN where it has none", lambda e: getattr(e.kernel, "exponent", np.nan)
    ),
    "gamma_plus": Quantity("MHz", "Lindblad rate of I+", lambda e: e.dissipation.gamma_plus),
    "gamma_minus": Quantity("MHz", "Lindblad rate of I-", lambda e: e.dissipation.gamma_minus),
    "gamma_z": Quantity("MHz", "Lindblad rate of Iz", lambda e: e.dissipation.gamma_z),
    "N": Quantity("1", "number of spins", lambda e: e.lattice.size),
}
"""Quantities that constraints may name; all but N are coordinates of every data set."""

_COORDINATES = tuple(name for name in QUANTITIES if name != "N")
_TAKEN = {"curve", "time", "m", "m_z", "kernel", "disorder", "seed", "n_draws", *QUANTITIES}
_UNITS = {
    "bandwidth": "MHz",
    "fwhm": "MHz",
    "phi1": "degrees",
    "phi2": "degrees",
    "theta": "degrees",
    "theta1": "degrees",
    "theta2": "degrees",
    "phi": "degrees",
}


def columns_for(keys: tuple[str, ...]) -> dict[str, str]:
    """Coordinates for drawn or swept ``keys`` that no standard coordinate shows: name of the coordinate -> key.

    The name is the key's last part where that is unique, otherwise the whole key.
    """
    ends = [key.rpartition(".")[2] for key in keys]
    standard = {"kernel.kind", *(f"kernel.{name}" for name in ("xi", "exponent"))}
    standard |= {f"coupling.alpha_{d}" for d in "xyz"} | {f"dissipation.gamma_{d}" for d in ("plus", "minus", "z")}
    return {
        end if ends.count(end) == 1 and end not in _TAKEN and not end.isdigit() else key: key
        for key, end in zip(keys, ends, strict=True)
        if key not in standard
    }


def quantities_of(experiment: Experiment) -> dict[str, float]:
    """The standard coordinates of a curve."""
    return {name: QUANTITIES[name].of(experiment) for name in _COORDINATES}


def attributes_of(name: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Units and meaning of a coordinate, as attributes."""
    if name in QUANTITIES:
        return {"units": QUANTITIES[name].units, "long_name": QUANTITIES[name].long_name}
    if name == "disorder":
        return {"long_name": "identity of the Larmor offsets"}
    if name == "n_draws":
        return {"long_name": "draws from the prior that it took to meet the constraints"}
    if name in columns:
        units = _UNITS.get(columns[name].rpartition(".")[2])
        return {"long_name": f"prior key {columns[name]}", **({"units": units} if units else {})}
    return {}
