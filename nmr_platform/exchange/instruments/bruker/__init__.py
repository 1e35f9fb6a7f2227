"""Measured records from Bruker spectrometers."""

from nmr_platform.exchange.instruments.bruker.delay import GROUP_DELAY, checked_delay, delay_of, without_delay
from nmr_platform.exchange.instruments.bruker.parameters import Parameters
from nmr_platform.exchange.instruments.bruker.reader import FORMAT, read_bruker

__all__ = ["FORMAT", "GROUP_DELAY", "Parameters", "checked_delay", "delay_of", "read_bruker", "without_delay"]
