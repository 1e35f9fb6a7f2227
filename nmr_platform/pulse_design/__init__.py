"""The search for pulse sequences that make the coupling easier to infer."""

from nmr_platform.pulse_design.objective import Candidate, ScoreObjective, hahn_with
from nmr_platform.pulse_design.search import BASELINE, PulseSearch, PulseSearchError, search_pulses
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.pulse_design.verdict import Comparison, Verdict, compare

__all__ = [
    "BASELINE",
    "Candidate",
    "Comparison",
    "PulseSearch",
    "PulseSearchError",
    "PulseSearchSettings",
    "ScoreObjective",
    "Verdict",
    "compare",
    "hahn_with",
    "search_pulses",
]
