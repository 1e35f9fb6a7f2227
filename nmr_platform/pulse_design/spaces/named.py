"""The textbook's sequences by name: where searches start, and what they are compared with."""

import re

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Cpmg, Hahn, Sequence, StimulatedEcho

__all__ = ["BASELINE", "is_named", "named_sequence"]

BASELINE = "90/180"
"""The textbook's Hahn echo: the first candidate of every search."""

_ANGLES = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")
_TRAIN = re.compile(r"cpmg-([1-9]\d?)")


def is_named(name: str) -> bool:
    """Whether `named_sequence` knows ``name``."""
    return name == "stimulated" or bool(_ANGLES.fullmatch(name) or _TRAIN.fullmatch(name))


def named_sequence(name: str, tau: float) -> Sequence:
    """The sequence called ``name`` at the time scale ``tau``.

    Args:
        name: ``<theta1>/<theta2>``, a Hahn echo of these flip angles in degrees, x and y; ``cpmg-<n>``, a train of n
            echoes with 2 ``tau`` between them; ``stimulated``, three 90 degree pulses with ``tau`` and ``tau``.
        tau: us.

    Raises:
        ConfigurationError: There is no such sequence.
    """
    if angles := _ANGLES.fullmatch(name):
        return Hahn(tau=tau, theta1=float(angles[1]), theta2=float(angles[2]))
    if train := _TRAIN.fullmatch(name):
        return Cpmg(echo_spacing=2 * tau, n_echoes=int(train[1]))
    if name == "stimulated":
        return StimulatedEcho(tau=tau, mixing=tau)
    message = f"Name of a sequence must be stimulated, cpmg-<n> or <theta1>/<theta2>, but is {name!r}."
    raise ConfigurationError(message, key="start", value=name)
