"""The search for pulse sequences that make the coupling easier to infer."""

from nmr_platform.pulse_design.bench import TARGETS, Bench
from nmr_platform.pulse_design.found import Candidate, PulseSearch
from nmr_platform.pulse_design.objectives import Judgement, Objective, make_objective
from nmr_platform.pulse_design.search import PulseSearchError, help_search, search_pulses
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.pulse_design.spaces import BASELINE, Measurement, SearchSpace, named_sequence

__all__ = [
    "BASELINE",
    "TARGETS",
    "Bench",
    "Candidate",
    "Judgement",
    "Measurement",
    "Objective",
    "PulseSearch",
    "PulseSearchError",
    "PulseSearchSettings",
    "SearchSpace",
    "help_search",
    "make_objective",
    "named_sequence",
    "search_pulses",
]
