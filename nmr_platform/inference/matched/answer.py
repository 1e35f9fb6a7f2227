"""Learn from a matched training set, and answer for a record: intervals of a width of its own, kernels, strangeness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import KFold, cross_val_predict

from nmr_platform.datasets import quantity
from nmr_platform.errors import DataError
from nmr_platform.inference.matched.intervals import FEWEST_CURVES, Interval, Quantiles, curves_alike
from nmr_platform.inference.matched.looks import Looks
from nmr_platform.inference.matched.matched import Tables
from nmr_platform.inference.matched.misfit import Misfit, Neighbourhood
from nmr_platform.inference.novelty import Novelty
from nmr_platform.learning import (
    ClassificationTask,
    RegressionTask,
    SplitSettings,
    StudyProgress,
    Task,
    TuneSettings,
    TuneSummary,
    task_rows,
    tune_task,
)
from nmr_platform.progress import Bar, no_bar
from nmr_platform.tracking import DatasetEntry, Tracker

__all__ = ["EXPERIMENT", "Answer", "Learnt", "learn"]

EXPERIMENT = "infer"
"""The experiment in the tracker: studies and files."""

_SPLIT = SplitSettings(test_fraction=0.3)
# Share of the way from the prior probability of a kernel to certainty, below which a record does not tell it.
_DECIDED = 0.2
_LARGEST_SPREAD = 1e-9


@dataclass(frozen=True)
class Answer:
    """What a record tells.

    Attributes:
        quantities: Intervals by name.
        kernel: Probability of every kernel.
        misfit: How the record differs from the simulated ones.
    """

    quantities: dict[str, Interval]
    kernel: dict[str, float]
    misfit: Misfit

    @property
    def untold(self) -> list[str]:
        """Quantities of which the record tells no more than the prior."""
        return [name for name, each in self.quantities.items() if not each.informative]

    @property
    def tells_kernel(self) -> bool:
        """Whether one kernel is clearly more probable than it is without the record."""
        before = 1 / len(self.kernel)
        return max(self.kernel.values()) >= before + _DECIDED * (1 - before)


@dataclass(frozen=True)
class Learnt:
    """Models of one matched training set.

    Attributes:
        champions: Fitted model of each quantity, with the name of its feature table.
        quantiles: Intervals of each quantity from the champions' predictions.
        classifier: Of the kernels, with the name of its feature table; None where one is asked for.
        kernels: The kernels that are asked for.
        novelty: What training curves look like, with the name of the feature table.
        curves: That table, of all simulated curves, in the order of the scores of ``quantiles``.
    """

    champions: Mapping[str, tuple[str, Any]]
    quantiles: Mapping[str, Quantiles]
    classifier: tuple[str, Any] | None
    kernels: Sequence[str]
    novelty: tuple[str, Novelty]
    curves: pd.DataFrame

    def answer(self, features: Mapping[str, pd.DataFrame], seen: Looks) -> Answer:
        """What a measurement tells.

        Args:
            features: Its feature tables, one row each.
            seen: The looks at its records.
        """
        predicted = np.column_stack([model.predict(features[name]) for name, model in self.champions.values()])
        kernel = {self.kernels[0]: 1.0}
        if self.classifier is not None:
            name, model = self.classifier
            shares = model.predict_proba(features[name])[0]
            kernel = {str(each): float(share) for each, share in zip(model.classes_, shares, strict=True)}
        name, novelty = self.novelty
        misfit = Neighbourhood.of(self.curves, seen).misfit(features[name], novelty)
        alike = curves_alike(self.curves, next(iter(seen.values())).line.value)
        quantities = {name: each.of(predicted, alike) for name, each in self.quantiles.items()}
        return Answer(quantities, kernel, misfit)


def learn(
    tables: Tables,
    kernels: Sequence[str],
    tune: TuneSettings,
    *,
    tracker: Tracker,
    storage: Path,
    datasets: Sequence[DatasetEntry] = (),
    bar: Bar = no_bar,
) -> Learnt:
    """Search a model for every quantity that differs between the curves, and for the kernels.

    Args:
        tables: Features and labels of the curves.
        kernels: The kernels that are asked for.
        tune: How to search.
        tracker: Where the studies are shown, in the experiment `EXPERIMENT`.
        storage: Folder of the study journal: what it holds is not searched again.
        datasets: The data sets behind the curves.
        bar: Makes what shows how many trials are over.

    Raises:
        DataError: There are too few curves.
    """
    if len(tables.labels) < FEWEST_CURVES:
        message = (
            f"Intervals need {FEWEST_CURVES} simulated curves, but there are {len(tables.labels)}: give a larger "
            "`--budget`."
        )
        raise DataError(message)

    def search(name: str, task: Task) -> TuneSummary:
        shown: dict[str, int] = {}
        with bar(f"learn {name}", len(tune.families) * len(tables.features) * tune.n_trials, "trials") as advance:

            def show(now: StudyProgress) -> None:
                advance(now.done - shown.get(now.study, 0))
                shown[now.study] = now.done

            return tune_task(
                EXPERIMENT,
                task,
                tables.features,
                tables.labels,
                tune=tune,
                split=_SPLIT,
                tracker=tracker,
                storage=storage,
                datasets=datasets,
                progress=show,
            )

    tasks = {name: RegressionTask(target=name, kernels=tuple(kernels)) for name in _targets(tables.labels)}
    predicted: list[NDArray[Any]] = []
    champions: dict[str, tuple[str, Any]] = {}
    for name, task in tasks.items():
        summary = search(name, task)
        table = summary.champion.feature_set
        features, y = tables.features[table], task.y(tables.labels)
        model = summary.unfitted(summary.champion)
        folds = KFold(tune.cv_folds, shuffle=True, random_state=tune.seed)
        predicted.append(cross_val_predict(model, features, y, cv=folds))
        champions[name] = table, summary.unfitted(summary.champion).fit(features, y)
    x = np.column_stack(predicted)
    quantiles = {name: Quantiles.fit(x, task.y(tables.labels), task.unit) for name, task in tasks.items()}
    classifier = None
    if len(kernels) > 1:
        asked = ClassificationTask(kernels=tuple(kernels))
        summary = search("kernel", asked)
        table = summary.champion.feature_set
        part = task_rows(asked, tables.features, tables.labels, _SPLIT).training_part(table)
        model = CalibratedClassifierCV(
            summary.unfitted(summary.champion), cv=tune.cv_folds, method="sigmoid", ensemble=False
        )
        classifier = table, model.fit(part.features, asked.y(part.labels))
    table = next(iter(tables.features))
    strange = Novelty.fit(tables.features[table], np.arange(len(tables.labels)))
    return Learnt(champions, quantiles, classifier, tuple(kernels), (table, strange), tables.features[table])


def _targets(labels: pd.DataFrame) -> list[str]:
    """The quantities that every curve has and in which the curves differ."""
    asked = ["W", "X", "Z", "xi", "exponent", "fwhm"]
    known = [name for name in asked if name in labels and np.isfinite(labels[name]).all() and quantity(name).meaning]
    return [name for name in known if np.ptp(labels[name]) > _LARGEST_SPREAD * np.abs(labels[name]).max()]
