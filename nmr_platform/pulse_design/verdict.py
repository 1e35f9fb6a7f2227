"""Are the sequences that were found better than 90/180? Asked of tuned models, on curves that no search saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, with_values
from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import (
    Bootstrap,
    Metric,
    SplitSettings,
    Task,
    TuneSettings,
    TuneSummary,
    paired_gain,
    task_rows,
    tune_task,
)
from nmr_platform.progress import Advance, no_progress
from nmr_platform.pulse_design.ensemble import Ensemble, RecordCache
from nmr_platform.pulse_design.settings import Scenario, VerdictSettings
from nmr_platform.pulse_design.signals import feature_table
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.tracking import NullTracker

__all__ = ["NOMINAL", "Contest", "Verdict", "compare", "recipe_under"]

Array = NDArray[np.float64]

NOMINAL = "as in the search"
"""The circumstance that is always judged."""


@dataclass(frozen=True)
class Contest:
    """One candidate against 90/180 on one question, under one circumstance.

    Attributes:
        scenario: Name of the circumstance.
        target: What was asked: what to read off, or which kernel.
        name: Name of the sequence.
        metric: Name of the score: ``r2`` or ``f1_weighted``.
        baseline: Held-out score under 90/180.
        value: Held-out score under the sequence.
        lower: Lower end of the 95 % interval of their difference, paired over the held-out curves.
        upper: Upper end of it.
        family: Model family that tuning chose for the sequence.
    """

    scenario: str
    target: str
    name: str
    metric: Metric
    baseline: float
    value: float
    lower: float
    upper: float
    family: str


@dataclass(frozen=True)
class Verdict:
    """The sequences found against the baseline, on new curves.

    Attributes:
        contests: One for each circumstance, target and sequence, in this order.
        n_train: Curves that models were tuned and fitted on.
        n_test: Curves that they were scored on.
        times: Time of the samples of the first sequence of each, us, 90/180 first.
        records: M of one new curve under each, complex.
    """

    contests: Sequence[Contest]
    n_train: int
    n_test: int
    times: Sequence[Array]
    records: Sequence[NDArray[np.complex64]]

    def of(self, target: str, *, name: str = "best 1", scenario: str = NOMINAL) -> Contest:
        """The contest of one sequence on one target under one circumstance.

        Args:
            target: What was read off.
            name: Name of the sequence.
            scenario: Name of the circumstance.
        """
        wanted = (scenario, target, name)
        return next(each for each in self.contests if (each.scenario, each.target, each.name) == wanted)

    @property
    def table(self) -> pd.DataFrame:
        """One row a contest."""
        return pd.DataFrame([vars(each) for each in self.contests])


def recipe_under(recipe: Recipe, scenario: Scenario | None) -> Recipe:
    """The prior under a circumstance; what the circumstance fixes is not drawn any more.

    Args:
        recipe: The prior as in the search.
        scenario: The circumstance; None changes nothing.
    """
    if scenario is None:
        return recipe
    experiment = with_values(recipe.experiment, scenario.changes)
    if scenario.double:
        lattice = experiment["lattice"]
        experiment["lattice"] = {**lattice, "shape": [2 * n for n in lattice["shape"]]}
    prior = {key: each for key, each in recipe.prior.items() if key not in scenario.changes}
    return recipe.replace(experiment=experiment, prior=prior)


def compare(
    recipes: Mapping[str, Recipe],
    candidates: Mapping[str, SequenceSet],
    settings: VerdictSettings,
    features: WindowedFeatures,
    *,
    storage: Path,
    cache: RecordCache | None = None,
    progress: Advance = no_progress,
) -> Verdict:
    """Tune a model for every candidate and question on new curves, and score it on others that are new too.

    The search picked the luckiest of many values on one set of curves; only new curves tell what the pick is worth.
    Parameters, disorder and split are the same for all candidates, so that differences are paired. Models are tuned
    under the circumstances of the search; where another circumstance is known, they are fitted again under it with the
    same hyperparameters, and else they meet it unprepared.

    Args:
        recipes: The prior of each kernel, the search's own first, with seeds that the search did not use.
        candidates: What to compare, by name; the first is the baseline.
        settings: How.
        features: What models see of each window.
        storage: Folder of the studies' journal, unless `NMR_STUDY_STORAGE` names a database.
        cache: Where records are kept; None to keep none.
        progress: Called with the number of models tuned or scored.
    """
    court = _Court(settings, features, storage)
    scenarios: dict[str, Scenario | None] = {NOMINAL: None, **settings.scenarios}
    ensembles = {
        name: [Ensemble(recipe_under(recipe, each), cache) for recipe in recipes.values()]
        for name, each in scenarios.items()
    }
    own = ensembles[NOMINAL][0]
    tasks = settings.tasks(own.recipe.name)
    judged: dict[tuple[str, str, str], pd.DataFrame] = {}
    families: dict[tuple[str, str], str] = {}
    for candidate, tried in candidates.items():
        rows = {name: _rows(each, tried, features) for name, each in ensembles.items()}
        for question, task in tasks.items():
            tuned = court.tune(task, rows[NOMINAL])
            families[candidate, question] = tuned.champion.family
            for name, scenario in scenarios.items():
                trained_under = name if scenario is None or scenario.known else NOMINAL
                judged[name, question, candidate] = court.predict(tuned, rows[trained_under], rows[name])
                progress(1)
    baseline, *others = candidates
    contests = [
        _contest(task, judged, (name, question, baseline, other), families[other, question], settings.seed)
        for name in scenarios
        for question, task in tasks.items()
        for other in others
    ]
    asked = next(iter(tasks.values()))
    n_test = len(judged[NOMINAL, next(iter(tasks)), baseline])
    times = [next(iter(own.experiments(tried).values())).time for tried in candidates.values()]
    first = [next(iter(own.records(tried, settings.n_curves).values()))[0] for tried in candidates.values()]
    return Verdict(contests, settings.n_curves * len(asked.kernels) - n_test, n_test, times, first)


class _Court:
    """Tunes models, and has them predict."""

    def __init__(self, settings: VerdictSettings, features: WindowedFeatures, storage: Path) -> None:
        self._features = features.name
        self._storage = storage
        self._split = SplitSettings(test_fraction=settings.test_fraction, seed=settings.seed, frozen_disorder="curve")
        self._tune = TuneSettings(
            n_trials=settings.n_trials,
            families=settings.families,
            cv_folds=settings.cv_folds,
            seed=settings.seed,
            n_estimators=settings.n_estimators,
        )

    def tune(self, task: Task, rows: "_Rows") -> TuneSummary:
        return tune_task(
            "pulse-verdict",
            task,
            {self._features: rows.table},
            rows.labels,
            tune=self._tune,
            split=self._split,
            tracker=NullTracker(),
            storage=self._storage,
        )

    def predict(self, tuned: TuneSummary, trained: "_Rows", tested: "_Rows") -> pd.DataFrame:
        """The held-out curves of ``tested``, as `paired_gain` takes them."""
        task = tuned.task
        training, test = (
            task_rows(task, {self._features: each.table}, each.labels, self._split) for each in (trained, tested)
        )
        fit, held_out = training.training_part(self._features), test.held_out(self._features)
        model = tuned.unfitted(tuned.champion)
        model.fit(fit.features.to_numpy(np.float32), task.y(fit.labels))
        predicted = model.predict(held_out.features.to_numpy(np.float32))
        return held_out.labels[["kernel", "curve", "disorder"]].assign(
            true=task.y(held_out.labels), predicted=predicted
        )


class _Rows(NamedTuple):
    """Columns and labels of curves."""

    table: pd.DataFrame
    labels: pd.DataFrame


def _rows(ensembles: Sequence[Ensemble], tried: SequenceSet, features: WindowedFeatures) -> _Rows:
    tables = [
        feature_table(each.records(tried, len(each.curves)), each.experiments(tried), features) for each in ensembles
    ]
    labels = [each.labels for each in ensembles]
    return _Rows(pd.concat(tables, ignore_index=True), pd.concat(labels, ignore_index=True))


def _contest(
    task: Task,
    judged: Mapping[tuple[str, str, str], pd.DataFrame],
    which: tuple[str, str, str, str],
    family: str,
    seed: int,
) -> Contest:
    scenario, question, baseline, name = which
    old, new = judged[scenario, question, baseline], judged[scenario, question, name]
    gain = paired_gain(task, old, new, Bootstrap(seed=seed))
    was, now = (task.score(each["true"].to_numpy(), each["predicted"].to_numpy()) for each in (old, new))
    return Contest(scenario, question, name, task.metric, was, now, gain.lower, gain.upper, family)
