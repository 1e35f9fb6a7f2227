"""Measured records from Bruker spectrometers."""

from nmr_platform.exchange.bruker.reader import FORMAT, read_bruker

__all__ = ["FORMAT", "read_bruker"]
