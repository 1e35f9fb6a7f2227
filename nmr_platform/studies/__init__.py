"""Resumable Optuna studies, whatever they search."""

from nmr_platform.studies.abandoned import ERROR, line_up
from nmr_platform.studies.loop import (
    Outcome,
    finished_trials,
    open_study,
    run_trials,
    settled_trials,
    trial_times,
)
from nmr_platform.studies.sampler import SamplerKind, SteadySampler
from nmr_platform.studies.storage import JOURNAL, STORAGE_VARIABLE, open_storage

__all__ = [
    "ERROR",
    "JOURNAL",
    "STORAGE_VARIABLE",
    "Outcome",
    "SamplerKind",
    "SteadySampler",
    "finished_trials",
    "line_up",
    "open_storage",
    "open_study",
    "run_trials",
    "settled_trials",
    "trial_times",
]
