"""The search for a family's parameters."""

from nmr_platform.learning.tuning.plan import StudyPlan, study_plans
from nmr_platform.learning.tuning.study import StudyError, StudyProgress, help_study, run_study, tune_task
from nmr_platform.learning.tuning.summary import StudyResult, TuneSummary

__all__ = [
    "StudyError",
    "StudyPlan",
    "StudyProgress",
    "StudyResult",
    "TuneSummary",
    "help_study",
    "run_study",
    "study_plans",
    "tune_task",
]
