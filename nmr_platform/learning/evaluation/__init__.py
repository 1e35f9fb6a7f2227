"""What the held-out part says of tuned models."""

from nmr_platform.learning.evaluation.agreement import agreement, importance_by_place
from nmr_platform.learning.evaluation.bootstrap import Bootstrap, Score
from nmr_platform.learning.evaluation.calibration import conformal_p_values, interval_half_width, is_informative
from nmr_platform.learning.evaluation.card import model_card
from nmr_platform.learning.evaluation.evaluate import evaluate_task
from nmr_platform.learning.evaluation.paired import Standing, paired_gain, standings
from nmr_platform.learning.evaluation.results import EvaluationResult, ModelEvaluation
from nmr_platform.learning.evaluation.scores import classification_statistics, regression_statistics
from nmr_platform.learning.evaluation.stress import RecordScorer, compare_disorder, new_curves

__all__ = [
    "Bootstrap",
    "EvaluationResult",
    "ModelEvaluation",
    "RecordScorer",
    "Score",
    "Standing",
    "agreement",
    "classification_statistics",
    "compare_disorder",
    "conformal_p_values",
    "evaluate_task",
    "importance_by_place",
    "interval_half_width",
    "is_informative",
    "model_card",
    "new_curves",
    "paired_gain",
    "regression_statistics",
    "standings",
]
