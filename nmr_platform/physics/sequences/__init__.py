"""Pulses, delays and the sequences made of them."""

from typing import Annotated

from pydantic import Field

from nmr_platform.physics.sequences.base import Block, SequenceBase
from nmr_platform.physics.sequences.custom import Custom
from nmr_platform.physics.sequences.echoes import Cpmg, Hahn, InversionRecovery, StimulatedEcho
from nmr_platform.physics.sequences.elements import Delay, Element, Pulse, Segment, ShapedPulse, rotation_about

__all__ = [
    "Block",
    "Cpmg",
    "Custom",
    "Delay",
    "Element",
    "Hahn",
    "InversionRecovery",
    "Pulse",
    "Segment",
    "Sequence",
    "SequenceBase",
    "ShapedPulse",
    "StimulatedEcho",
    "rotation_about",
]

Sequence = Annotated[Hahn | Cpmg | StimulatedEcho | InversionRecovery | Custom, Field(discriminator="kind")]
