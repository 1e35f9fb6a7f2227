"""How to search for pulse sequences: the `pulse_search` part of params.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.datasets import Distribution
from nmr_platform.features import SingleFeatureSet
from nmr_platform.learning import ClassificationTask, Families, RegressionTask, Task
from nmr_platform.pulse_design.growth import Growth
from nmr_platform.pulse_design.objectives import AnyObjective
from nmr_platform.pulse_design.spaces import BASELINE, SearchSpace, is_named
from nmr_platform.schema import Count, Schema, Seed
from nmr_platform.studies import SamplerKind

__all__ = ["PruningSettings", "PulseSearchSettings", "Scenario", "VerdictSettings"]


class PruningSettings(Schema):
    """When to give a candidate up before all its curves are simulated.

    Attributes:
        first: Share of the curves that every candidate gets.
        factor: By which the share grows until it is 1.
        errors: A candidate is given up if it lies below the best one, on as many curves, by more than so many standard
            errors of its own value.
    """

    first: Annotated[float, Field(ge=1e-6, lt=1.0)]
    factor: Annotated[float, Field(ge=1.01)]
    errors: PositiveFloat

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares after which a candidate may be given up, in order."""
        shares, share = [], self.first
        while share < 1:
            shares.append(share)
            share *= self.factor
        return tuple(shares)


class Scenario(Schema):
    """A circumstance under which a sequence must hold its own.

    Attributes:
        changes: Keys of the experiment that differ from the search's, by dotted key, for instance
            ``drive.calibration``.
        double: Double the lattice along every axis.
        known: Whether the model is trained under the same circumstance; else it is trained without, and meets it
            unprepared.
    """

    changes: dict[str, float] = Field(default_factory=dict)
    double: bool = False
    known: bool = True

    @model_validator(mode="after")
    def _an_unknown_lattice_fits(self) -> Self:
        if not self.changes and not self.double:
            message = "Key `changes` must change something unless `double` is true, but is empty."
            raise ValueError(message)
        return self


class VerdictSettings(Schema):
    """How the best sequences are compared with 90/180 on new curves.

    Attributes:
        seed: Of the new curves.
        n_curves: Their number.
        best: How many of the best sequences are compared.
        targets: What is read off.
        classes: Kernels that are told apart.
        families: Model families that are tuned for every sequence and target.
        n_trials: Trials of each family.
        n_estimators: Trees of a forest.
        test_fraction: Share of the curves that is held out.
        cv_folds: Folds of the tuning.
        scenarios: Circumstances beside the search's own, by name.
    """

    seed: Seed
    n_curves: Annotated[int, Field(ge=20, le=1_000_000)]
    best: Annotated[int, Field(gt=0, le=1000)]
    targets: Annotated[tuple[str, ...], Field(strict=False)] = ()
    classes: ClassificationTask | None = None
    families: Families
    n_trials: Count
    n_estimators: Annotated[int, Field(gt=0, le=100_000)]
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    cv_folds: Annotated[int, Field(ge=2, le=1000)]
    scenarios: dict[str, Scenario]

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.targets and self.classes is None:
            message = "Key `pulse_search.verdict.targets` must name something, unless there are `classes`."
            raise ValueError(message)
        return self

    def tasks(self, kernel: str) -> dict[str, Task]:
        """What is asked of the curves, by name: the targets, and `kernel` or `<positive>_vs_rest`.

        The first is what headlines tell.

        Args:
            kernel: Whose curves the targets are read off.
        """
        tasks: dict[str, Task] = {each: RegressionTask(target=each, kernels=(kernel,)) for each in self.targets}
        if self.classes:
            positive = self.classes.positive
            tasks["kernel" if positive is None else f"{positive}_vs_rest"] = self.classes
        return tasks

    def seeds(self, kernel: str) -> dict[str, int]:
        """The kernels whose curves are needed, each with the seed of its curves; the first is ``kernel``."""
        names = dict.fromkeys((kernel, *(self.classes.kernels if self.classes else ())))
        return {name: _own_seed(self.seed, number) for number, name in enumerate(names)}


def _own_seed(seed: int, number: int) -> int:
    """A seed for the number-th of several kernels, whose disorder must not be that of the others; 0 keeps its own."""
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1)[0]) if number else seed


class PulseSearchSettings(Schema):
    """A search over pulse sequences.

    Attributes:
        kernel: Data set whose prior the curves are drawn from.
        shape: Cells of the lattice along each axis.
        n_curves: Curves simulated for every candidate; a fisher search simulates its own number.
        seed: Seed of the curves, the folds, the estimator and the sampler; no data set may use it.
        imperfections: What is drawn for every curve beside the prior, by dotted key of the experiment, for instance
            ``drive.calibration``: the search then averages over it.
        space: What may be tried.
        grow: Makes the space that of several sequences, some of which are there already.
        start: Named sequences that are tried first, after 90/180.
        objective: What is optimised.
        trade_off: Search for all compromises between the objective and the time of the experiment.
        features: What is seen of each window.
        sampler: ``tpe``, ``random``, ``cmaes``, ``gp`` (needs torch) or ``nsga2``.
        startup_trials: Random candidates before the sampler models the space.
        n_trials: Finished candidates that the search shall have.
        timeout: No candidate is started after so many seconds of a call; null for no limit.
        pruning: When to give candidates up; null to judge each on all its curves.
        cache_megabytes: Size of the folder that keeps the records of candidates.
        verdict: How the best are compared with 90/180.
    """

    units: ClassVar[Mapping[str, str]] = {"timeout": "s", "cache_megabytes": "MB"}

    kernel: str
    shape: Annotated[tuple[Count, ...], Field(strict=False, min_length=1, max_length=3)]
    n_curves: Annotated[int, Field(ge=20, le=1_000_000)]
    seed: Seed
    imperfections: dict[str, Distribution] = Field(default_factory=dict)
    space: SearchSpace
    grow: Growth | None = None
    start: Annotated[tuple[str, ...], Field(strict=False)] = ()
    objective: AnyObjective
    trade_off: bool = False
    features: SingleFeatureSet
    sampler: SamplerKind = "tpe"
    startup_trials: Count
    n_trials: Count
    timeout: PositiveFloat | None = None
    pruning: PruningSettings | None = None
    cache_megabytes: PositiveFloat = 500.0
    verdict: VerdictSettings

    @property
    def kernels(self) -> tuple[str, ...]:
        """Data sets whose priors the search needs, its own first."""
        return tuple(dict.fromkeys((self.kernel, *self.objective.also_needs)))

    def grown(self, root: Path) -> Self:
        """The same with what `grow` asks for in the space.

        Args:
            root: Folder of the parameter file.

        Raises:
            ConfigurationError: What shall be kept is not there.
        """
        return self if self.grow is None else self.replace(space=self.grow.over(self.space, root), grow=None)

    def seed_of(self, kernel: str) -> int:
        """Seed of the curves of one of `kernels`."""
        return self.seed if self.objective.shares_disorder else _own_seed(self.seed, self.kernels.index(kernel))

    def what_candidates_depend_on(self) -> dict[str, Any]:
        """Plain data: all but what a longer search or another verdict may change without becoming another search.

        Of `grow` the space says what came of it.
        """
        return self.model_dump(mode="json", exclude={"n_trials", "timeout", "verdict", "cache_megabytes", "grow"})

    @model_validator(mode="after")
    def _starts_with_known_sequences(self) -> Self:
        for name in self.start:
            if not is_named(name):
                message = (
                    f"Key `pulse_search.start` must name stimulated, cpmg-<n> or <theta1>/<theta2>, but has {name!r}."
                )
                raise ValueError(message)
        return self

    @property
    def starts(self) -> tuple[str, ...]:
        """Names of the sequences tried first: 90/180 and then `start`."""
        return tuple(dict.fromkeys((BASELINE, *self.start)))

    @model_validator(mode="after")
    def _curves_are_enough(self) -> Self:
        self.objective.require_enough(self.n_curves)
        return self

    @model_validator(mode="after")
    def _verdict_is_on_new_curves(self) -> Self:
        if self.verdict.seed == self.seed:
            message = f"Key `pulse_search.verdict.seed` must differ from `pulse_search.seed`, but both are {self.seed}."
            raise ValueError(message)
        return self
