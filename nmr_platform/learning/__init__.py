"""Learning the coupling from echoes: tasks, model families, honest splits, studies and their evaluation."""

import os

from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.calibration import conformal_p_values, interval_half_width
from nmr_platform.learning.evaluation.disorder import compare_disorder
from nmr_platform.learning.evaluation.evaluate import evaluate_task
from nmr_platform.learning.evaluation.evaluation import EvaluationResult, ModelEvaluation
from nmr_platform.learning.evaluation.fresh_curves import new_curves
from nmr_platform.learning.evaluation.robustness import RecordScorer
from nmr_platform.learning.models.families import make_family
from nmr_platform.learning.models.persistence import load_estimator, save_estimator
from nmr_platform.learning.rows import task_rows
from nmr_platform.learning.settings import (
    DisorderComparisonSettings,
    EvaluateSettings,
    FamilyName,
    SplitSettings,
    TuneSettings,
)
from nmr_platform.learning.tasks import RegressionTask, Task, TaskTable
from nmr_platform.learning.tuning.study import StudyProgress, help_study
from nmr_platform.learning.tuning.summary import TuneSummary
from nmr_platform.learning.tuning.tune import study_plans, tune_task

__all__ = [
    "Bootstrap",
    "DisorderComparisonSettings",
    "EvaluateSettings",
    "EvaluationResult",
    "FamilyName",
    "ModelEvaluation",
    "RecordScorer",
    "RegressionTask",
    "SplitSettings",
    "StudyProgress",
    "Task",
    "TaskTable",
    "TuneSettings",
    "TuneSummary",
    "compare_disorder",
    "conformal_p_values",
    "evaluate_task",
    "help_study",
    "interval_half_width",
    "load_estimator",
    "make_family",
    "new_curves",
    "save_estimator",
    "study_plans",
    "task_rows",
    "tune_task",
]

# XGBoost's OpenMP threads otherwise wait for each other in busy loops: with anything else on the cores, a fit then
# takes ten times as long. It is read when XGBoost is loaded; whoever sets it outside keeps what was set.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
