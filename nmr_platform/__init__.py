"""Simulate nuclear spin echoes, learn the electronic coupling from them, and search for better pulses."""

from nmr_platform.errors import ConfigurationError, DataError, NmrPlatformError, TrackingError
from nmr_platform.physics import Experiment
from nmr_platform.simulation import Echo, simulate

__all__ = [
    "ConfigurationError",
    "DataError",
    "Echo",
    "Experiment",
    "NmrPlatformError",
    "TrackingError",
    "simulate",
]
