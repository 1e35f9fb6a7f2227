"""Learn from a matched training set, and answer for a record: intervals of a width of its own, kernels, strangeness."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import KFold, cross_val_predict
from xgboost import XGBRegressor

from nmr_platform.datasets import quantity
from nmr_platform.errors import DataError
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
    is_informative,
    task_rows,
    tune_task,
)
from nmr_platform.progress import Advance, no_progress
from nmr_platform.tracking import DatasetEntry, Tracker

__all__ = ["EXPERIMENT", "LEVEL", "Answer", "Bar", "Interval", "Learnt", "Quantiles", "learn", "no_bar"]

EXPERIMENT = "infer"
"""The experiment in the tracker: studies and files."""

LEVEL = 0.9
"""Probability that an interval holds the truth."""

Bar = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Makes a progress bar of a description, a number of items and their unit, see `nmr_platform.progress.progress_bar`."""

_SPLIT = SplitSettings(test_fraction=0.3)
_TAIL = (1 - LEVEL) / 2
# What follows from a few predictions is smooth: small trees of many curves.
_QUANTILES: dict[str, Any] = {
    "objective": "reg:quantileerror",
    "quantile_alpha": [_TAIL, 0.5, 1 - _TAIL],
    "n_estimators": 80,
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_child_weight": 15,
    "n_jobs": 1,
    "random_state": 0,
}
# Share of the way from the prior probability of a kernel to certainty, below which a record does not tell it.
_DECIDED = 0.2
_LARGEST_SPREAD = 1e-9


@contextmanager
def no_bar(_what: str, _total: int, _unit: str) -> Iterator[Advance]:
    """The silent one."""
    yield no_progress


@dataclass(frozen=True)
class Interval:
    """What is known of a quantity.

    Attributes:
        value: Its median.
        lower: Lower end of the interval.
        upper: Upper end of the interval.
        level: Probability that the interval holds the truth.
        unit: Of all three; empty for a plain number.
        informative: Whether the record tells more than the prior does.
    """

    value: float
    lower: float
    upper: float
    level: float
    unit: str
    informative: bool


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
class Quantiles:
    """Conformalised quantile regression (Romano, Patterson, Candes, NeurIPS 32 (2019)) of one quantity.

    Attributes:
        model: Of the lower end, the middle and the upper end.
        margin: By which the ends are moved outwards, so that held-out curves lie between them often enough.
        prior: Ends of the prior's interval of the same level, and of all curves.
        unit: Of the quantity.
    """

    model: Any
    margin: float
    prior: tuple[float, float, float, float]
    unit: str

    @classmethod
    def fit(cls, x: NDArray[Any], y: NDArray[Any], held_x: NDArray[Any], held_y: NDArray[Any], unit: str) -> Self:
        """Learn the ends, and move them by what held-out curves need.

        Args:
            x: What the champions predict of all quantities for curves that they have not seen, shape (n, n_quantities).
            y: The quantity, shape (n,).
            held_x: Of the held-out curves, shape (m, n_quantities).
            held_y: Shape (m,).
            unit: Of the quantity.

        Raises:
            DataError: There are too few held-out curves.
        """
        model = XGBRegressor(**_QUANTILES).fit(x, y)
        low, _, high = model.predict(held_x).T
        outside = np.sort(np.maximum(low - held_y, held_y - high))
        rank = ceil((len(held_y) + 1) * LEVEL)
        if rank > len(held_y):
            message = (
                f"Intervals need {ceil(LEVEL / (1 - LEVEL) - 1e-9)} held-out curves, but there are {len(held_y)}: "
                "give a larger `--budget`."
            )
            raise DataError(message)
        every = np.concatenate([y, held_y])
        first, last = np.quantile(every, [_TAIL, 1 - _TAIL])
        prior = (float(first), float(last), float(every.min()), float(every.max()))
        return cls(model, float(outside[rank - 1]), prior, unit)

    def of(self, x: NDArray[Any]) -> Interval:
        """The interval of one record, of which the champions predict ``x``, shape (1, n_quantities)."""
        low, middle, high = (float(each) for each in self.model.predict(x)[0])
        first, last, least, most = self.prior
        lower, upper = (float(np.clip(end, least, most)) for end in (low - self.margin, high + self.margin))
        lower, upper = min(lower, upper), max(lower, upper)
        informative = is_informative(upper - lower, last - first)
        return Interval(float(np.clip(middle, lower, upper)), lower, upper, LEVEL, self.unit, informative)


@dataclass(frozen=True)
class Learnt:
    """Models of one matched training set.

    Attributes:
        champions: Fitted model of each quantity, with the name of its feature table.
        quantiles: Intervals of each quantity from the champions' predictions.
        classifier: Of the kernels, with the name of its feature table; None where one is asked for.
        kernels: The kernels that are asked for.
        novelty: What training curves look like, with the name of the feature table.
        curves: That table, of all curves.
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
        quantities = {name: each.of(predicted) for name, each in self.quantiles.items()}
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
    inner: list[NDArray[Any]] = []
    outer: list[NDArray[Any]] = []
    champions: dict[str, tuple[str, Any]] = {}
    truths: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}
    for name, task in tasks.items():
        summary = search(name, task)
        table = summary.champion.feature_set
        rows = task_rows(task, tables.features, tables.labels, _SPLIT)
        part, held = rows.training_part(table), rows.held_out(table)
        truths[name] = task.y(part.labels), task.y(held.labels)
        model = summary.unfitted(summary.champion)
        folds = KFold(tune.cv_folds, shuffle=True, random_state=tune.seed)
        inner.append(cross_val_predict(model, part.features, truths[name][0], cv=folds))
        champions[name] = table, summary.unfitted(summary.champion).fit(part.features, truths[name][0])
        outer.append(champions[name][1].predict(held.features))
    x, held_x = np.column_stack(inner), np.column_stack(outer)
    quantiles = {name: Quantiles.fit(x, y, held_x, held_y, tasks[name].unit) for name, (y, held_y) in truths.items()}
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
