"""Learning the coupling from echoes: tasks, model families, honest splits, studies and their evaluation."""

from nmr_platform.learning.evaluation import (
    Bootstrap,
    EvaluationResult,
    ModelEvaluation,
    RecordScorer,
    Score,
    classification_statistics,
    compare_disorder,
    conformal_p_values,
    evaluate_task,
    interval_half_width,
    is_informative,
    new_curves,
    paired_gain,
    regression_statistics,
)
from nmr_platform.learning.models import find_family, load_estimator, model_requirements, save_estimator
from nmr_platform.learning.settings import (
    DisorderComparisonSettings,
    EvaluateSettings,
    Families,
    SplitSettings,
    TuneSettings,
)
from nmr_platform.learning.splitting import task_rows
from nmr_platform.learning.tasks import METRICS, ClassificationTask, Metric, RegressionTask, Task, TaskTable
from nmr_platform.learning.tuning import StudyProgress, TuneSummary, help_study, study_plans, tune_task

__all__ = [
    "METRICS",
    "Bootstrap",
    "ClassificationTask",
    "DisorderComparisonSettings",
    "EvaluateSettings",
    "EvaluationResult",
    "Families",
    "Metric",
    "ModelEvaluation",
    "RecordScorer",
    "RegressionTask",
    "Score",
    "SplitSettings",
    "StudyProgress",
    "Task",
    "TaskTable",
    "TuneSettings",
    "TuneSummary",
    "classification_statistics",
    "compare_disorder",
    "conformal_p_values",
    "evaluate_task",
    "find_family",
    "help_study",
    "interval_half_width",
    "is_informative",
    "load_estimator",
    "model_requirements",
    "new_curves",
    "paired_gain",
    "regression_statistics",
    "save_estimator",
    "study_plans",
    "task_rows",
    "tune_task",
]
