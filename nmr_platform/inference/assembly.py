"""From an evaluated model to the predictor that is registered: raw records in, values and their intervals out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, simulate_curves
from nmr_platform.features import FeatureSet
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.predictor import Predictor
from nmr_platform.learning import ModelEvaluation, TuneSummary, task_rows

__all__ = ["example_records", "fit_novelties", "make_predictor"]


def make_predictor(
    model: ModelEvaluation,
    novelty: Novelty,
    summary: TuneSummary,
    feature_set: FeatureSet,
    acquisition: Mapping[str, Conditions],
    coverage: float,
) -> Predictor:
    """Add to a model what it needs to stand alone: windowing, features, intervals, and what its training set was like.

    Args:
        model: The evaluated model, its estimator included.
        novelty: Fitted on the training part in the model's features, see `fit_novelties`.
        summary: What tuning left behind.
        feature_set: What the model's features are extracted by.
        acquisition: Sequence and sampling of each record of the training curves, see `Conditions.of_records`.
        coverage: Nominal coverage of its intervals, between 0 and 1.
    """
    crossed = model.out_of_fold
    return Predictor.assemble(
        summary.task_name,
        summary.task,
        model.estimator,
        feature_set,
        acquisition,
        novelty,
        residuals=None if crossed is None else (crossed["true"] - crossed["predicted"]).to_numpy(),
        targets=None if crossed is None else crossed["true"].to_numpy(dtype=np.float64),
        coverage=coverage,
        disorder=summary.disorder,
    )


def fit_novelties(
    summary: TuneSummary, features: Mapping[str, pd.DataFrame], labels: pd.DataFrame
) -> dict[str, Novelty]:
    """What the training part of a task looks like in each feature set that was tuned on.

    Args:
        summary: What tuning left behind.
        features: Every feature table by name, each of shape (n, n_features), rows in the order of ``labels``.
        labels: Kernel, disorder and parameters of the n curves.

    Returns:
        A novelty detector by name of the feature set.
    """
    rows = task_rows(summary.task, features, labels, summary.split)
    parts = {study.feature_set: rows.training_part(study.feature_set) for study in summary.studies}
    return {name: Novelty.fit(part.features, part.groups, seed=summary.tune.seed) for name, part in parts.items()}


def example_records(recipe: Recipe) -> dict[str, NDArray[np.complexfloating[Any, Any]]]:
    """The records of a data set's first curve, simulated once more, each of shape (n_samples,), by their names."""
    [echoes] = simulate_curves([recipe.curve(0)], recipe, threads=1)
    return {name: echo.m for name, echo in echoes.items()}
