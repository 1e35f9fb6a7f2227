"""How well a quick estimator reads couplings and kernels from the echoes of some sequences."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import ClassificationTask
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.objectives.objective import LOWEST, Judgement, ObjectiveSettings, values_of
from nmr_platform.pulse_design.objectives.questions import KernelQuestion, NumberQuestion, Question
from nmr_platform.pulse_design.spaces import SequenceSet

__all__ = ["ScoreObjective", "ScoreSettings"]


class ScoreSettings(ObjectiveSettings):
    """What a quick estimator makes of curves that it has not seen, averaged over everything that it is asked.

    Attributes:
        targets: What is to be read off, judged by R2: W, X = alpha_x sum K, Z = alpha_z sum K, or whatever else the
            prior draws.
        classes: Kernels that are to be told apart, ``kernels`` and perhaps the ``positive`` one; curves of each are
            simulated, with disorder of their own.
        classes_by: ``log_loss``: 1 - log loss / log(number of classes), every class weighing the same; or ``f1``.
        cv_folds: Folds of the cross-validation.
        estimator: Of the targets: ``trees``, extremely randomised ones, or ``ridge`` regression on standardised
            columns, whose penalty is chosen by leaving one curve out. Kernels are told apart by trees.
        n_estimators: Number of trees; only where there are trees.

    In mean field a 90 degree pulse hides Z; tipping by 60 degrees reveals it.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> from nmr_platform.features import PolynomialFeatures
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import Ensemble, SequenceSet
        >>> features = PolynomialFeatures(kind="polynomial", signal="complex", half_width=150)
        >>> recipe = read_preset("august2021").recipe("gaussian")
        >>> small = {**recipe.experiment, "lattice": {"shape": [12, 12]}}
        >>> few = Ensemble(recipe.replace(n_curves=40, constraints={}, experiment=small))
        >>> objective = ScoreSettings(kind="score", targets=["Z"], cv_folds=4, n_estimators=50).prepare(
        ...     {"gaussian": few}, "gaussian", features, 0
        ... )
        >>> echoes = [SequenceSet.of(Hahn(tau=30.0, theta1=theta1)) for theta1 in (90.0, 60.0)]
        >>> [bool(objective.judge(echo).value > 0.5) for echo in echoes]
        [False, True]
    """

    kind: Literal["score"]
    targets: Annotated[tuple[str, ...], Field(strict=False)] = ()
    classes: ClassificationTask | None = None
    classes_by: Literal["log_loss", "f1"] = "log_loss"
    cv_folds: Annotated[int, Field(ge=2, le=1000)]
    estimator: Literal["trees", "ridge"] = "trees"
    n_estimators: Annotated[int, Field(gt=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.targets and self.classes is None:
            message = "Key `pulse_search.objective.targets` must name something, unless there are `classes`."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _only_trees_are_counted(self) -> Self:
        grows = self.classes is not None or self.estimator == "trees"
        if grows == (self.n_estimators is None):
            message = (
                f"Key `pulse_search.objective.n_estimators` must be given for trees and for nothing else, but is "
                f"{self.n_estimators} for {'trees' if grows else self.estimator}."
            )
            raise ValueError(message)
        return self

    @property
    def also_needs(self) -> Mapping[str, str]:
        """See `ObjectiveSettings`."""
        return dict.fromkeys(self.classes.kernels, "classes.kernels") if self.classes else {}

    def require_enough(self, n_curves: int) -> None:
        """Every fold needs two curves."""
        if 2 * self.cv_folds > n_curves:
            message = (
                f"Key `pulse_search.objective.cv_folds` must leave two curves or more in every fold, but there are "
                f"{self.cv_folds} folds for {n_curves} curves."
            )
            raise ValueError(message)

    def prepare(
        self, ensembles: Mapping[str, Ensemble], kernel: str, features: WindowedFeatures, seed: int
    ) -> "ScoreObjective":
        """See `ObjectiveSettings`."""
        for target in self.targets:
            values_of(ensembles[kernel], target)
        asked = (features, self.cv_folds, seed, self.n_estimators)
        questions: list[Question] = []
        if self.targets:
            questions.append(NumberQuestion({kernel: ensembles[kernel]}, *asked, self.targets, self.estimator))
        if self.classes:
            told_apart = {name: ensembles[name] for name in self.classes.kernels}
            questions.append(KernelQuestion(told_apart, *asked, self.classes, self.classes_by))
        return ScoreObjective(questions)


class ScoreObjective:
    """Cross-validated scores of quick estimators, on freshly simulated curves with common random numbers.

    Args:
        questions: What they are asked.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions

    @property
    def label(self) -> str:
        """Name of the value."""
        return f"cross-validated {' and '.join(each.label for each in self._questions)}"

    def judge(self, tried: SequenceSet, share: float = 1.0) -> Judgement:
        """See `Objective`; the fewest curves are those that leave two of each kernel in every fold."""
        answers = [answer for question in self._questions for answer in question.ask(tried, share)]
        return Judgement(
            value=max(LOWEST, float(np.mean([each.value for each in answers]))),
            error=float(np.mean([each.resampled for each in answers], axis=0).std()),
            details={name: value for each in answers for name, value in each.details.items()},
        )
