"""The search for pulse sequences that make the coupling easier to infer."""

from nmr_platform.pulse_design.candidates import Candidate, PulseSearch
from nmr_platform.pulse_design.ceiling import CeilingSettings, ceiling_of
from nmr_platform.pulse_design.ensemble import Ensemble, RecordCache
from nmr_platform.pulse_design.export import plain_yaml, shape_files, timeline_csv
from nmr_platform.pulse_design.objectives import Judgement, Objective
from nmr_platform.pulse_design.presets import read_search
from nmr_platform.pulse_design.search import PulseSearchError, help_search, search_pulses
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.pulse_design.spaces import BASELINE, KEPT, SearchSpace, SequenceSet, named_sequence
from nmr_platform.pulse_design.verdict import NOMINAL, Contest, Verdict, compare

__all__ = [
    "BASELINE",
    "KEPT",
    "NOMINAL",
    "Candidate",
    "CeilingSettings",
    "Contest",
    "Ensemble",
    "Judgement",
    "Objective",
    "PulseSearch",
    "PulseSearchError",
    "PulseSearchSettings",
    "RecordCache",
    "SearchSpace",
    "SequenceSet",
    "Verdict",
    "ceiling_of",
    "compare",
    "help_search",
    "named_sequence",
    "plain_yaml",
    "read_search",
    "search_pulses",
    "shape_files",
    "timeline_csv",
]
