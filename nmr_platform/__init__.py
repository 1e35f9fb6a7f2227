"""Simulate nuclear spin echoes, learn the electronic coupling from them, and search for better pulses.

The compiled engine is imported when it is first asked for: a command that lists studies does not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from nmr_platform.errors import ConfigurationError, DataError, NmrPlatformError, TrackingError

if TYPE_CHECKING:
    from nmr_platform.physics import Experiment, Measurement
    from nmr_platform.simulation import Echo, measure, simulate

    __version__: str

__all__ = [
    "ConfigurationError",
    "DataError",
    "Echo",
    "Experiment",
    "Measurement",
    "NmrPlatformError",
    "TrackingError",
    "__version__",
    "measure",
    "simulate",
]

_PLACES = {
    "Echo": "nmr_platform.simulation",
    "Experiment": "nmr_platform.physics",
    "Measurement": "nmr_platform.physics",
    "measure": "nmr_platform.simulation",
    "simulate": "nmr_platform.simulation",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("nmr-platform")
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
