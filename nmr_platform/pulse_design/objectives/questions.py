"""What a quick estimator is asked of the records of some sequences: numbers, or which kernel made them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import Bootstrap, ClassificationTask, classification_statistics, regression_statistics
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.objectives.objective import values_of
from nmr_platform.pulse_design.signals import feature_table
from nmr_platform.pulse_design.spaces import SequenceSet

__all__ = ["Answer", "KernelQuestion", "NumberQuestion", "Question", "skill_statistics"]

Array = NDArray[np.float64]

# Penalties on standardised columns, of which leaving one curve out chooses one for every target.
_PENALTIES = np.logspace(-3, 4, 15)
# Leaves of fewer curves give probabilities of 0 and 1, which the log loss punishes.
_LEAF = 5
# A probability of 0 for the true class would make the log loss infinite; scikit-learn clips there, too.
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Answer:
    """How well something was read off.

    Attributes:
        value: 1 for perfectly, 0 for no better than without an experiment, or an F1.
        resampled: The same of bootstrap resamples of the curves, shape (n_resamples,).
        details: Numbers to show, by name.
    """

    value: float
    resampled: Array
    details: Mapping[str, float]


@dataclass(frozen=True)
class Question:
    """Something to be read off the records of curves by cross-validation.

    Attributes:
        ensembles: The curves, by kernel.
        features: What the estimator sees of each record.
        folds: Folds of the cross-validation.
        seed: Of the folds and the trees.
        n_estimators: Trees of the estimator; None if it has none.
    """

    ensembles: Mapping[str, Ensemble]
    features: WindowedFeatures
    folds: int
    seed: int
    n_estimators: int | None

    @property
    @abstractmethod
    def label(self) -> str:
        """What is judged, for the label of an axis."""

    @abstractmethod
    def ask(self, tried: SequenceSet, share: float) -> list[Answer]:
        """Simulate the curves, and predict each from the others.

        Args:
            tried: The sequences.
            share: Part of the curves to use, in (0, 1]; two of each kernel in every fold are used at least.
        """

    def rows(self, tried: SequenceSet, share: float) -> tuple[Array, pd.DataFrame]:
        """Columns and labels of the curves of all kernels, one under the other.

        Args:
            tried: The sequences.
            share: Part of the curves to use.
        """
        tables, labels = [], []
        for each in self.ensembles.values():
            n = max(2 * self.folds, ceil(share * len(each.curves)))
            tables.append(feature_table(each.records(tried, n), each.experiments(tried), self.features))
            labels.append(each.labels[:n])
        return pd.concat(tables).to_numpy(np.float64), pd.concat(labels, ignore_index=True)

    def resampled(self, statistics: Any, name: str, n: int) -> Array:
        """One of some statistics on resamples of ``n`` curves, the same for every candidate."""
        return Bootstrap(seed=self.seed).resampled(statistics, np.arange(n))[name]


@dataclass(frozen=True)
class NumberQuestion(Question):
    """Numbers, judged by R2.

    Attributes:
        targets: Their names.
        estimator: ``ridge`` or ``trees``.
    """

    targets: Sequence[str]
    estimator: Literal["trees", "ridge"]

    @property
    def label(self) -> str:
        """See `Question`."""
        return f"R² of {' and '.join(self.targets)}"

    def ask(self, tried: SequenceSet, share: float) -> list[Answer]:
        """See `Question`; one answer a target."""
        true, predicted = self.predict(tried, share)
        answers = []
        for name, *pair in zip(self.targets, true.T, predicted.T, strict=True):
            statistics = regression_statistics(*pair)
            score = float(statistics(np.ones((1, len(true))))["r2"][0])
            answers.append(Answer(score, self.resampled(statistics, "r2", len(true)), {f"r2_{name}": score}))
        return answers

    def predict(self, tried: SequenceSet, share: float = 1.0) -> tuple[Array, Array]:
        """True and predicted targets of every curve, each shape (n_curves, n_targets), in the targets' units.

        Args:
            tried: The sequences.
            share: Part of the curves to use.
        """
        x, labels = self.rows(tried, share)
        (ensemble,) = self.ensembles.values()
        whole = np.stack([values_of(ensemble, name) for name in self.targets], axis=1)
        # Trees weigh targets by their spread, which must not depend on the unit.
        spread, true = whole.std(axis=0), whole[: len(labels)]
        y = true / spread
        folds = KFold(self.folds, shuffle=True, random_state=self.seed)
        predicted = _predicted(self._estimator(), x, y[:, 0] if y.shape[1] == 1 else y, folds)
        return true, predicted.reshape(true.shape) * spread

    def _estimator(self) -> Any:
        if self.estimator == "ridge":
            return make_pipeline(StandardScaler(), RidgeCV(_PENALTIES, alpha_per_target=True))
        # Extremely randomised trees need no tuning to rank sequences, and fit in a fraction of the simulation's time.
        return ExtraTreesRegressor(self.n_estimators, max_features=0.5, random_state=self.seed)


@dataclass(frozen=True)
class KernelQuestion(Question):
    """Which kernel made the records, judged by balanced log loss or weighted F1.

    Attributes:
        task: Which kernels are told apart.
        by: ``log_loss``: 1 - log loss / log(number of classes), in which every class weighs the same; or ``f1``.
    """

    task: ClassificationTask
    by: Literal["log_loss", "f1"]

    @property
    def label(self) -> str:
        """See `Question`."""
        score = "F1" if self.by == "f1" else "skill"
        return f"{score} of {' against '.join(self.task.class_names)}"

    def ask(self, tried: SequenceSet, share: float) -> list[Answer]:
        """See `Question`; one answer."""
        x, labels = self.rows(tried, share)
        true, names = self.task.y(labels), np.array(self.task.class_names)
        codes = pd.Index(names).get_indexer(pd.Index(true))
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        trees = ExtraTreesClassifier(
            self.n_estimators,
            max_features=0.5,
            min_samples_leaf=_LEAF,
            class_weight="balanced",
            random_state=self.seed,
        )
        probabilities = _predicted(trees, x, codes, folds, method="predict_proba")
        f1 = classification_statistics(true, names[probabilities.argmax(axis=1)], self.task.class_names)
        skill = skill_statistics(codes, probabilities)
        statistics, name = (f1, "f1_weighted") if self.by == "f1" else (skill, "skill")
        once = np.ones((1, len(true)))
        shown = {"f1_weighted": f1(once)["f1_weighted"], "skill": skill(once)["skill"]}
        details = {f"{each}_{'_'.join(self.task.class_names)}": float(value[0]) for each, value in shown.items()}
        return [Answer(float(shown[name][0]), self.resampled(statistics, name, len(true)), details)]


def _predicted(estimator: Any, x: Array, y: NDArray[Any], folds: Any, method: str = "predict") -> Array:
    # Threads share out the folds, not the trees: a forest that predicts on threads adds its trees up in any order,
    # and the last digit of the score would depend on which was first.
    with parallel_config("threading"):
        return np.asarray(cross_val_predict(estimator, x, y, cv=folds, n_jobs=-1, method=method), dtype=np.float64)


def skill_statistics(codes: NDArray[np.intp], probabilities: Array) -> Any:
    """``skill``, 1 - balanced log loss over that of a guess, as statistics of the bootstrap.

    Args:
        codes: Class of every row, shape (n,).
        probabilities: Probability of every class, shape (n, n_classes).

    Returns:
        From how often each row is drawn, shape (b, n), to the skill, shape (b,), dimensionless.
    """
    n_classes = probabilities.shape[1]
    members = np.eye(n_classes)[codes]
    losses = -np.log(np.maximum(probabilities[np.arange(len(codes)), codes], _SMALLEST))

    def statistics(counts: Array) -> dict[str, Array]:
        means = counts @ (members * losses[:, np.newaxis]) / np.maximum(counts @ members, 1.0)
        return {"skill": 1.0 - means.mean(axis=1) / np.log(n_classes)}

    return statistics
