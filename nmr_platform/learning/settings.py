"""How to split, tune and evaluate: the learning part of `params.yaml`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models import AnyFamily, Family
from nmr_platform.learning.tasks import Task
from nmr_platform.schema import Count, Jobs, Schema, Seed

__all__ = ["DisorderComparisonSettings", "EvaluateSettings", "Families", "SplitSettings", "TuneSettings"]

Families = Annotated[tuple[AnyFamily, ...], Field(strict=False, min_length=1)]
"""Model families, each by its name or by its ``kind`` with settings of its own."""

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Sigma = Annotated[float, Field(ge=0.0)]
Length = Annotated[int, Field(ge=2, le=1_000_000)]
Shape = Annotated[tuple[Length, ...], Field(strict=False, min_length=1, max_length=3)]


class SplitSettings(Schema):
    """Which curves are held out.

    Attributes:
        test_fraction: Expected share of the disorder realisations that is held out, between 0 and 1.
        seed: Key of the hash that decides; another seed holds out other realisations.
        frozen_disorder: What to do if all curves share one realisation: ``refuse``, or split by ``curve`` and flag
            every result as read from one frozen realisation.
    """

    test_fraction: float = Field(default=0.2, gt=0.0, lt=1.0)
    seed: Seed = 0
    frozen_disorder: Literal["refuse", "curve"] = "refuse"


class TuneSettings(Schema):
    """How long and where to search.

    Attributes:
        n_trials: Finished trials that every study shall have.
        families: Model families to try, each by name, or by ``kind`` with settings of its own.
        feature_sets: Names of the feature tables to try; empty for all there are.
        cv_folds: Folds of the cross-validation inside the training part.
        seed: Seeds the folds, the models and the sampler.
        n_jobs: Folds evaluated at a time; -1 for one per core. It changes no result.
        sampler: ``tpe``, ``cmaes``, ``gp`` (needs PyTorch), ``random``, ``grid`` or ``nsga2``.
        second_objective: ``model_size`` to search for small models too, MB of a fitted fold; null for the score alone.
        patience: A study ends once so many trials have brought nothing better; null for no such limit.
        startup_trials: Random trials before TPE models the search space.
        pruner: ``median`` stops a trial whose first fold (or, in boosting, whose first rounds on it) scores below the
            median of the finished trials at the same point; ``none``, or a second objective, runs every trial to its
            end.
        n_estimators: Trees of a forest that is given no number of its own (boosting searches for its own).
        timeout: No new trial is started after this time, in seconds, per study and call; null for no limit.
        repeats: With how many other seeds of the split the winner of a study is fitted and scored once more.
    """

    n_trials: Count = 30
    families: Families = Field(default=("random_forest", "extra_trees", "xgboost", "linear"), validate_default=True)
    feature_sets: Annotated[tuple[str, ...], Field(strict=False)] = ()
    cv_folds: int = Field(default=5, ge=2, le=1000)
    seed: Seed = 0
    n_jobs: Jobs = -1
    sampler: Literal["tpe", "cmaes", "gp", "random", "grid", "nsga2"] = "tpe"
    second_objective: Literal["model_size"] | None = None
    patience: Count | None = None
    startup_trials: Count = 10
    pruner: Literal["median", "none"] = "median"
    n_estimators: int = Field(default=100, ge=1, le=100_000)
    timeout: float | None = Field(default=None, gt=0.0)
    repeats: int = Field(default=0, ge=0, le=100)

    @model_validator(mode="after")
    def _families_differ(self) -> Self:
        names = [family.kind for family in self.families]
        if len(set(names)) < len(names):
            message = f"Key `families` must name every family once, but names {', '.join(names)}."
            raise ValueError(message)
        return self

    def family(self, name: str) -> Family:
        """One of the families, with the number of trees that it is to have.

        Raises:
            ConfigurationError: It is not among them.
        """
        for family in self.families:
            if family.kind == name:
                return family.sized(self.n_estimators)
        known = ", ".join(each.kind for each in self.families)
        message = f"Argument `family` must be one of those that were tuned ({known}), but is `{name}`."
        raise ConfigurationError(message, key="family", value=name)

    def families_for(self, task: Task) -> tuple[Family, ...]:
        """The families that are tried on a task: of a joint one those that learn joint posteriors.

        Raises:
            ConfigurationError: None of them does.
        """
        able = tuple(self.family(each.kind) for each in self.families if each.is_joint or task.kind != "joint")
        if not able:
            named = ", ".join(each.kind for each in self.families)
            message = (
                "Key `families` must name `posterior` for a task of kind `joint`, whose answer is one posterior of all "
                f"targets, but names {named}."
            )
            raise ConfigurationError(message, key="families", value=named)
        return able

    @property
    def with_cost(self) -> bool:
        """Whether there are two objectives."""
        return self.second_objective is not None

    @property
    def prunes(self) -> bool:
        """Whether trials are stopped early; with two objectives none can be said to be the worse."""
        return self.pruner != "none" and not self.with_cost


class EvaluateSettings(Schema):
    """How the held-out part is looked at.

    Attributes:
        n_resamples: Bootstrap resamples of the test rows.
        confidence: Level of the bootstrap intervals around scores, between 0 and 1.
        coverage: Nominal coverage of the prediction intervals, between 0 and 1.
        interval_folds: Folds of the cross-validation on the training part whose residuals make the prediction
            intervals: the more, the nearer its models are to the one that is kept.
        n_bins: Quantile bins of W that scores are also reported in.
        permutation_repeats: Shuffles per feature for the champion's permutation importances; 0 for none.
        permutation_features: Features that are shuffled: those of largest impurity importance.
        shap_rows: Held-out curves whose predictions the champion's SHAP values explain; 0 for none.
        learning_curve: Shares of the training curves that the champion is fitted on again; empty for none.
        noise: Standard deviations of receiver noise (in the units of M, full polarisation is 1/2) that is added to the
            held-out records for the champion; empty for none.
        lattice_shapes: Other lattices that the champion is tried on; empty for none.
        lattice_curves: New curves per kernel and lattice.
        lattice_seed: Seed of the first kernel's new curves; the other kernels have the next ones.
        seed: Seeds the bootstrap and the shuffles.
        n_jobs: Threads; -1 for one per core. It changes no result.
    """

    n_resamples: int = Field(default=1000, ge=10, le=1_000_000)
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    coverage: float = Field(default=0.9, gt=0.0, lt=1.0)
    interval_folds: int = Field(default=10, ge=2, le=1000)
    n_bins: int = Field(default=5, ge=1, le=1000)
    permutation_repeats: int = Field(default=5, ge=0, le=10_000)
    permutation_features: Count = 40
    shap_rows: int = Field(default=40, ge=0, le=1_000_000)
    learning_curve: Annotated[tuple[Fraction, ...], Field(strict=False)] = (0.125, 0.25, 0.5)
    noise: Annotated[tuple[Sigma, ...], Field(strict=False)] = ()
    lattice_shapes: Annotated[tuple[Shape, ...], Field(strict=False)] = ()
    lattice_curves: int = Field(default=40, ge=10, le=1_000_000)
    lattice_seed: Seed = 601
    seed: Seed = 0
    n_jobs: Jobs = -1


class DisorderComparisonSettings(Schema):
    """The comparison of fresh with frozen disorder.

    Attributes:
        kernel: Whose data set gets a counterpart of the other disorder.
        targets: Columns of the labels that are learnt.
        feature_set: Name of the feature table.
        n_curves: Curves of each kind of disorder; no more than the data set has.
        seed: Seed of the counterpart; no data set may use it.
        n_estimators: Trees of the forest.
    """

    kernel: str
    targets: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    feature_set: str
    n_curves: int = Field(default=400, ge=20, le=10_000_000)
    seed: Seed = 701
    n_estimators: int = Field(default=200, ge=1, le=100_000)
