"""Which sequences a search may try, and the textbook's that it starts from."""

from nmr_platform.pulse_design.spaces.measurement import Measurement
from nmr_platform.pulse_design.spaces.named import BASELINE, named_sequence
from nmr_platform.pulse_design.spaces.space import Limits, SearchSpace, VariedSequence
from nmr_platform.pulse_design.spaces.waveforms import Waveform

__all__ = ["BASELINE", "Limits", "Measurement", "SearchSpace", "VariedSequence", "Waveform", "named_sequence"]
