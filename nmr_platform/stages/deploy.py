"""From an evaluated model to the predictor that is registered: raw records in, values and their intervals out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmr_platform.config import Params
from nmr_platform.datasets import Constant, Recipe, simulate_curves
from nmr_platform.inference import Conditions, Novelty, Predictor
from nmr_platform.learning import ModelEvaluation, TuneSummary, task_rows
from nmr_platform.stages.features import FeatureTables

__all__ = ["acquisition_of", "example_record", "fit_novelties", "make_predictor"]


def fit_novelties(summary: TuneSummary, features: FeatureTables) -> dict[str, Novelty]:
    """What the training part of a task looks like in each feature set that was tuned on.

    Args:
        summary: What tuning left behind.
        features: The feature tables that models were fitted on.
    """
    rows = task_rows(summary.task, features.tables, features.labels, summary.split)
    parts = {study.feature_set: rows.training_part(study.feature_set) for study in summary.studies}
    return {name: Novelty.fit(part.features, part.groups, seed=summary.tune.seed) for name, part in parts.items()}


def make_predictor(model: ModelEvaluation, novelty: Novelty, summary: TuneSummary, params: Params) -> Predictor:
    """Add to a model what it needs to stand alone: windowing, features, intervals, and what its training set was like.

    Args:
        model: The evaluated model, its estimator included.
        novelty: Fitted on the training part in the model's features, see `fit_novelties`.
        summary: What tuning left behind.
        params: The project's parameters.
    """
    name, crossed = model.study.feature_set, model.out_of_fold
    return Predictor.assemble(
        summary.task_name,
        summary.task,
        model.estimator,
        next(item for item in params.features.sets if item.name == name),
        acquisition_of(params.data.recipe(summary.task.kernels[0])),
        novelty,
        residuals=None if crossed is None else (crossed["true"] - crossed["predicted"]).to_numpy(),
        coverage=params.evaluate.coverage,
        disorder=summary.disorder,
    )


def example_record(recipe: Recipe) -> NDArray[np.complexfloating[Any, Any]]:
    """The first record of a data set, simulated once more, shape (n_samples,): what a request looks like."""
    return simulate_curves([recipe.curve(0)], recipe, threads=1)[0].m


def acquisition_of(recipe: Recipe) -> Conditions:
    """Sequence and sampling of a data set's curves.

    Raises:
        DataError: The sequence has no echo.
    """
    drawn = [key for key, distribution in recipe.prior.items() if not isinstance(distribution, Constant)]
    return Conditions.of(recipe.example, [*drawn, *(recipe.sweep.keys if recipe.sweep else ())])
