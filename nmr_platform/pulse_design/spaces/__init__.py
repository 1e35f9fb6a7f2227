"""Which sequences a search may try, and the textbook's that it starts from."""

from nmr_platform.pulse_design.spaces.free import FreePulses
from nmr_platform.pulse_design.spaces.sequence_set import BASELINE, KEPT, SequenceSet, is_named, named_sequence
from nmr_platform.pulse_design.spaces.space import Limits, SearchSpace, VariedSequence
from nmr_platform.pulse_design.spaces.waveforms import Waveform

__all__ = [
    "BASELINE",
    "KEPT",
    "FreePulses",
    "Limits",
    "SearchSpace",
    "SequenceSet",
    "VariedSequence",
    "Waveform",
    "is_named",
    "named_sequence",
]
