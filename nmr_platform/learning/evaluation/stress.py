"""Stress tests: fewer curves, other splits, noise, other lattices, disorder of another kind than was learnt from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, coordinates_of, simulate_curves
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.scores import Predictions, score_rows
from nmr_platform.learning.models import Estimator, find_family, fit_beside_others, without_threads
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.splitting import HeldOut, SplitTables, TrainingPart, task_rows
from nmr_platform.learning.tasks import RegressionTask, Task

__all__ = [
    "Disorder",
    "LabelledTable",
    "RecordScorer",
    "compare_disorder",
    "learning_curve",
    "new_curves",
    "scores_of_splits",
]

Disorder = Literal["fresh", "frozen"]
Records = Mapping[str, NDArray[np.complex64]]
Extract = Callable[[Records], pd.DataFrame]
LabelledTable = tuple[pd.DataFrame, pd.DataFrame]

_TABLE = "features"
_TREES = {"max_features": 0.2, "min_samples_leaf": 1, "max_depth": 24}


def learning_curve(
    task: Task,
    build: Callable[[], Estimator],
    whole: Estimator,
    parts: tuple[TrainingPart, HeldOut],
    fractions: Sequence[float],
    bootstrap: Bootstrap,
    *,
    seed: int,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Fit on growing parts of the training curves and score each fit on the same held-out curves.

    Parts are drawn by disorder group, and each holds the smaller ones. The parameters stay those that were tuned on
    all curves, which flatters no size but the largest.

    Args:
        task: The task.
        build: Makes an unfitted estimator.
        whole: The estimator fitted on all training curves: the end of the learning curve.
        parts: The training part and the held-out part.
        fractions: Shares of the disorder groups to fit on, between 0 and 1.
        bootstrap: Makes the intervals.
        seed: Seed of the order in which groups join.
        n_jobs: Parts that are fitted at a time; -1 for one per core.

    Returns:
        One row a size and metric: ``n_train``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
    """
    training, test = parts
    groups = np.random.default_rng(seed).permutation(np.unique(training.groups))
    y = task.y(training.labels)

    def fitted_on(inside: NDArray[np.bool_]) -> list[dict[str, object]]:
        model = fit_beside_others(build(), training.features.loc[inside], y[inside])
        return _scores(task, model, test, int(inside.sum()), bootstrap)

    sizes = [max(1, round(fraction * len(groups))) for fraction in sorted(fractions)]
    chosen = [np.isin(training.groups, groups[:size]) for size in sizes]
    # A small part may lack a class by chance, and then says nothing.
    whole_parts = [inside for inside in chosen if len(np.unique(y[inside])) >= len(task.class_names)]
    scores = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(fitted_on)(inside) for inside in whole_parts)
    return pd.DataFrame([*chain.from_iterable(scores), *_scores(task, whole, test, len(y), bootstrap)])


def scores_of_splits(
    task: Task,
    build: Callable[[], Estimator],
    tables: tuple[Mapping[str, pd.DataFrame], pd.DataFrame],
    splits: Sequence[SplitSettings],
    *,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Fit and score with other splits of the same curves: how much of a score is the luck of one split.

    The parameters stay those that were tuned on the training part of the first split, which holds some of the curves
    that are scored here: the spread is what to look at, not the mean.

    Args:
        task: The task.
        build: Makes an unfitted estimator.
        tables: One feature table by name, and the labels of its rows.
        splits: How to split.
        n_jobs: Splits that are fitted at a time; -1 for one per core.

    Returns:
        One row a split: ``seed``, ``n_train``, ``n_test``, ``metric`` and ``value`` of the main score.
    """
    (name,), labels = tables

    def of_split(settings: SplitSettings) -> dict[str, object]:
        parts = task_rows(task, tables[0], labels, settings)
        training, test = parts.training_part(name), parts.held_out(name)
        model = fit_beside_others(build(), training.features, task.y(training.labels))
        rows = _scores(task, model, test, len(training.labels), Bootstrap(1))
        main = next(row for row in rows if row["metric"] == task.metric)
        return {
            "seed": settings.seed,
            "n_train": main["n_train"],
            "n_test": main["n"],
            "metric": task.metric,
            "value": main["value"],
        }

    return pd.DataFrame(Parallel(n_jobs=n_jobs, prefer="threads")(delayed(of_split)(each) for each in splits))


def _scores(task: Task, model: Estimator, test: HeldOut, n_train: int, bootstrap: Bootstrap) -> list[dict[str, object]]:
    scores = score_rows(task, Predictions.of(task, model, test), bootstrap)
    return [{"n_train": n_train, "metric": name, **vars(score)} for name, score in scores.items()]


@dataclass(frozen=True)
class RecordScorer:
    """Scores a fitted model on raw records.

    Attributes:
        task: The task.
        estimator: The model, fitted on the training part.
        extract: From records by name, complex, each of shape (n, T), to the features that the model takes.
        bootstrap: Makes the intervals.
    """

    task: Task
    estimator: Estimator
    extract: Extract
    bootstrap: Bootstrap

    def against_noise(self, m: Records, labels: pd.DataFrame, sigmas: Sequence[float], *, seed: int) -> pd.DataFrame:
        """Add receiver noise to held-out records: white and Gaussian, independent in both components and all records.

        Args:
            m: The records by name, each of shape (n, T), in units of full polarisation 1/2.
            labels: Their labels, n rows.
            sigmas: Standard deviations of each component, in the units of M; 0 for the records as they are.
            seed: Seed of the noise, which is the same for all but its size.

        Returns:
            One row a size and metric: ``sigma``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
        """
        rng, noise = np.random.default_rng(seed), {}
        for name, record in m.items():
            real, imaginary = rng.standard_normal((2, *record.shape))
            noise[name] = real + 1j * imaginary
        rows: list[dict[str, object]] = []
        for sigma in sigmas:
            noisy = {name: (record + sigma * noise[name]).astype(np.complex64) for name, record in m.items()}
            scores = self._scores(noisy, labels)
            rows += [{"sigma": sigma, **score} for score in scores]
        return pd.DataFrame(rows)

    def against_lattice(self, recipes: Sequence[Recipe], shapes: Sequence[Sequence[int]]) -> pd.DataFrame:
        """Simulate new curves on other lattices: noise from the disorder falls with the number of spins.

        Args:
            recipes: Priors of the task's kernels, with the number of new curves and seeds that no data set has.
            shapes: Sites along each direction.

        Returns:
            One row a lattice and metric: ``n_spins``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
        """
        rows: list[dict[str, object]] = []
        for shape in shapes:
            tried = [_on_lattice(recipe, shape) for recipe in recipes]
            m, labels = new_curves(tried)
            rows += [{"n_spins": tried[0].example.lattice.n_spins, **score} for score in self._scores(m, labels)]
        return pd.DataFrame(rows)

    def _scores(self, m: Records, labels: pd.DataFrame) -> list[dict[str, object]]:
        groups = np.unique(labels["disorder"].to_numpy(dtype=np.str_), return_inverse=True)[1]
        predictions = Predictions.of(self.task, self.estimator, HeldOut(self.extract(m), labels, groups))
        scores = score_rows(self.task, predictions, self.bootstrap)
        return [{"metric": name, **vars(score)} for name, score in scores.items()]


def _on_lattice(recipe: Recipe, shape: Sequence[int]) -> Recipe:
    lattice = {**recipe.experiment["lattice"], "shape": list(shape)}
    return recipe.replace(disorder="fresh", experiment={**recipe.experiment, "lattice": lattice})


def new_curves(recipes: Sequence[Recipe]) -> tuple[dict[str, NDArray[np.complex64]], pd.DataFrame]:
    """Simulate all curves of some recipes of the same sequences.

    Args:
        recipes: One for each data set.

    Returns:
        Records by name, each of shape (n, T), and labels as `labels_of` gives them, n rows, with the name of the data
        set as ``kernel``.
    """
    records: dict[str, list[NDArray[np.complex64]]] = {name: [] for name in recipes[0].record_names}
    rows = []
    for recipe in recipes:
        curves = [recipe.curve(number) for number in range(recipe.n_curves)]
        for curve, echoes in zip(curves, simulate_curves(curves, recipe), strict=True):
            for name, echo in echoes.items():
                records[name].append(echo.m.astype(np.complex64))
            rows.append({"curve": curve.number, **coordinates_of(recipe, curve), "kernel": recipe.name})
    return {name: np.array(own) for name, own in records.items()}, pd.DataFrame(rows)


def compare_disorder(
    data: Mapping[Disorder, LabelledTable],
    tasks: Mapping[str, RegressionTask],
    *,
    split: SplitSettings,
    n_estimators: int,
    bootstrap: Bootstrap,
    seed: int,
) -> pd.DataFrame:
    """Train on each kind of disorder and test on both.

    A model that was trained on one realisation and scores well on other curves of it, but not on curves of new
    realisations, has learnt to read that realisation. All models are extra trees of the same parameters: the question
    is about data, and nothing is tuned.

    Args:
        data: Features and labels of a ``fresh`` and a ``frozen`` data set of the same study, with seeds of their own.
        tasks: What to learn, by name.
        split: What is held out; the frozen set is split by curve.
        n_estimators: Trees of the forest.
        bootstrap: Makes the intervals.
        seed: Seed of the forests.

    Returns:
        One row a task and pair: ``task``, ``trained_on``, ``tested_on``, ``value`` (R2), ``lower``, ``upper``,
        ``n_train``, ``n_test``.

    Raises:
        DataError: The labels lack a target, or cannot be split.
    """
    rows: list[dict[str, object]] = []
    for name, task in tasks.items():
        parts = {kind: _split(task, data[kind], split) for kind in data}
        for trained_on, own in parts.items():
            training = own.training_part(_TABLE)
            params = {**_TREES, "n_estimators": n_estimators}
            model = find_family("extra_trees").build(params, task, seed=seed, n_jobs=-1)
            without_threads(model.fit(training.features, task.y(training.labels)))
            for tested_on, other in parts.items():
                test = other.held_out(_TABLE)
                score = score_rows(task, Predictions.of(task, model, test), bootstrap)["r2"]
                rows.append(
                    {
                        "task": name,
                        "trained_on": trained_on,
                        "tested_on": tested_on,
                        "value": score.value,
                        "lower": score.lower,
                        "upper": score.upper,
                        "n_train": len(training.features),
                        "n_test": score.n,
                    }
                )
    return pd.DataFrame(rows)


def _split(task: RegressionTask, data: LabelledTable, split: SplitSettings) -> SplitTables:
    table, labels = data
    return task_rows(task, {_TABLE: table}, labels, split.replace(frozen_disorder="curve"))
