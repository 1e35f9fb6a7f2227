"""How to split, tune and evaluate: the learning part of `params.yaml`."""

from typing import Annotated, Literal

from pydantic import Field

from nmr_platform.schema import Schema

__all__ = ["EvaluateSettings", "FamilyName", "SplitSettings", "TuneSettings"]

FamilyName = Literal["random_forest", "extra_trees", "xgboost"]
Jobs = Annotated[int, Field(ge=-1)]


class SplitSettings(Schema):
    """Which curves are held out.

    Attributes:
        test_fraction: Expected share of the disorder realisations that is held out, between 0 and 1.
        seed: Key of the hash that decides; another seed holds out other realisations.
        frozen_disorder: What to do if all curves share one realisation: ``refuse``, or split by ``curve`` and flag
            every result as read from one frozen realisation.
    """

    test_fraction: float = Field(default=0.2, gt=0.0, lt=1.0)
    seed: int = Field(default=0, ge=0)
    frozen_disorder: Literal["refuse", "curve"] = "refuse"


class TuneSettings(Schema):
    """How long and where to search.

    Attributes:
        n_trials: Finished trials that every study shall have.
        families: Model families to try.
        feature_sets: Names of the feature tables to try; empty for all there are.
        cv_folds: Folds of the cross-validation inside the training part.
        seed: Seeds the folds, the models and the sampler.
        n_jobs: Folds evaluated at a time; -1 for one per core. It changes no result.
        sampler: ``tpe``, ``cmaes``, ``gp`` (needs PyTorch), ``random``, ``grid`` or ``nsga2``.
        second_objective: ``model_size`` to search for small models too, MB of a fitted fold; null for the score alone.
        patience: A study ends once so many trials have brought nothing better; null for no such limit.
        startup_trials: Random trials before TPE models the search space.
        n_estimators: Trees of a forest (boosting searches for its own number).
        timeout: No new trial is started after this time, in seconds, per study and call; null for no limit.
    """

    n_trials: int = Field(default=30, ge=1)
    families: Annotated[tuple[FamilyName, ...], Field(strict=False, min_length=1)] = (
        "random_forest",
        "extra_trees",
        "xgboost",
    )
    feature_sets: Annotated[tuple[str, ...], Field(strict=False)] = ()
    cv_folds: int = Field(default=5, ge=2)
    seed: int = Field(default=0, ge=0)
    n_jobs: Jobs = -1
    sampler: Literal["tpe", "cmaes", "gp", "random", "grid", "nsga2"] = "tpe"
    second_objective: Literal["model_size"] | None = None
    patience: int | None = Field(default=None, ge=1)
    startup_trials: int = Field(default=10, ge=1)
    n_estimators: int = Field(default=150, ge=1)
    timeout: float | None = Field(default=None, gt=0.0)

    @property
    def with_cost(self) -> bool:
        """Whether there are two objectives."""
        return self.second_objective is not None


class EvaluateSettings(Schema):
    """How the held-out part is looked at.

    Attributes:
        n_resamples: Bootstrap resamples of the test rows.
        confidence: Level of the bootstrap intervals around scores, between 0 and 1.
        coverage: Nominal coverage of the prediction intervals, between 0 and 1.
        n_bins: Quantile bins of W that scores are also reported in.
        permutation_repeats: Shuffles per feature for the champion's permutation importances; 0 for none.
        permutation_features: Features that are shuffled: those of largest impurity importance.
        seed: Seeds the bootstrap and the shuffles.
        n_jobs: Threads; -1 for one per core. It changes no result.
    """

    n_resamples: int = Field(default=1000, ge=10)
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    coverage: float = Field(default=0.9, gt=0.0, lt=1.0)
    n_bins: int = Field(default=5, ge=1)
    permutation_repeats: int = Field(default=5, ge=0)
    permutation_features: int = Field(default=40, ge=1)
    seed: int = Field(default=0, ge=0)
    n_jobs: Jobs = -1
