"""Resumable Optuna studies, whatever they search, alone or with many workers."""

from nmr_platform.studies.attempts import error_of, line_up
from nmr_platform.studies.figures import draw_study
from nmr_platform.studies.listing import StudySummary, find_study, list_studies, load_studies
from nmr_platform.studies.loop import Outcome, open_study, run_trials
from nmr_platform.studies.planned import PLANNED, PlannedStudy, planned_trials
from nmr_platform.studies.runs import StudyRun, beside, keep_run, kept_run, show_study, study_metrics, trial_entry
from nmr_platform.studies.sampler import OUTSIDE, SamplerKind, SteadySampler, grid_points
from nmr_platform.studies.storage import JOURNAL, STORAGE_VARIABLE, closing_storage, open_storage
from nmr_platform.studies.trials import (
    best_of,
    best_trial,
    finished_trials,
    first_trials,
    is_pruned,
    last_step,
    over_trials,
    score_of,
    settled_trials,
    trial_times,
    trials_since_best,
)
from nmr_platform.studies.workers import helping_processes, helping_tasks

__all__ = [
    "JOURNAL",
    "OUTSIDE",
    "PLANNED",
    "STORAGE_VARIABLE",
    "Outcome",
    "PlannedStudy",
    "SamplerKind",
    "SteadySampler",
    "StudyRun",
    "StudySummary",
    "beside",
    "best_of",
    "best_trial",
    "closing_storage",
    "draw_study",
    "error_of",
    "find_study",
    "finished_trials",
    "first_trials",
    "grid_points",
    "helping_processes",
    "helping_tasks",
    "is_pruned",
    "keep_run",
    "kept_run",
    "last_step",
    "line_up",
    "list_studies",
    "load_studies",
    "open_storage",
    "open_study",
    "over_trials",
    "planned_trials",
    "run_trials",
    "score_of",
    "settled_trials",
    "show_study",
    "study_metrics",
    "trial_entry",
    "trial_times",
    "trials_since_best",
]
