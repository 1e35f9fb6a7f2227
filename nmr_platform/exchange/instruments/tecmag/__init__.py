"""Measured records from Tecmag spectrometers (TNMR)."""

from nmr_platform.exchange.instruments.tecmag.reader import FORMAT, read_tecmag

__all__ = ["FORMAT", "read_tecmag"]
