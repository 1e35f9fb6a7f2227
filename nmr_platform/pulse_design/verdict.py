"""Are the sequences that were found better than 90/180? Asked of tuned models, on curves that no search saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, with_values
from nmr_platform.features import WindowedFeatures
from nmr_platform.learning import (
    Bootstrap,
    RegressionTask,
    SplitSettings,
    TuneSettings,
    TuneSummary,
    regression_statistics,
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
    """One sequence against 90/180 on one target, under one circumstance.

    Attributes:
        scenario: Name of the circumstance.
        target: What was read off.
        name: Name of the sequence.
        baseline: Held-out R2 under 90/180.
        value: Held-out R2 under the sequence.
        lower: Lower end of the 95 % interval of their difference, paired over the held-out curves.
        upper: Upper end of it.
        family: Model family that tuning chose for the sequence.
    """

    scenario: str
    target: str
    name: str
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
    recipe: Recipe,
    candidates: Mapping[str, SequenceSet],
    settings: VerdictSettings,
    features: WindowedFeatures,
    *,
    storage: Path,
    cache: RecordCache | None = None,
    progress: Advance = no_progress,
) -> Verdict:
    """Tune a model for every sequence and target on new curves, and score it on others that are new too.

    The search picked the luckiest of many values on one set of curves; only new curves tell what the pick is worth.
    Parameters, disorder and split are the same for all sequences, so that differences are paired. Models are tuned
    under the circumstances of the search; where another circumstance is known, they are fitted again under it with the
    same hyperparameters, and else they meet it unprepared.

    Args:
        recipe: The prior, with a seed that the search did not use.
        candidates: What to compare, by name; the first is the baseline.
        settings: How.
        features: What models see of each window.
        storage: Folder of the studies' journal, unless `NMR_STUDY_STORAGE` names a database.
        cache: Where records are kept; None to keep none.
        progress: Called with the number of models tuned or scored.
    """
    court = _Court(settings, features, storage)
    scenarios: dict[str, Scenario | None] = {NOMINAL: None, **settings.scenarios}
    ensembles = {name: Ensemble(recipe_under(recipe, each), cache) for name, each in scenarios.items()}
    scored: dict[tuple[str, str, str], tuple[Array, Array]] = {}
    families: dict[tuple[str, str], str] = {}
    for sequence, tried in candidates.items():
        rows = {name: (_table(each, tried, features), each.labels) for name, each in ensembles.items()}
        for target in settings.targets:
            tuned = court.tune(target, *rows[NOMINAL])
            families[sequence, target] = tuned.champion.family
            for name, scenario in scenarios.items():
                trained_under = name if scenario is None or scenario.known else NOMINAL
                scored[name, target, sequence] = court.score(tuned, rows[trained_under], rows[name])
                progress(1)
    baseline, *others = candidates
    contests = [
        _contest(scored, (name, target, baseline, other), families[other, target], settings.seed)
        for name in scenarios
        for target in settings.targets
        for other in others
    ]
    n_test = scored[NOMINAL, settings.targets[0], baseline][0].size
    nominal = ensembles[NOMINAL]
    times = [next(iter(nominal.experiments(tried).values())).time for tried in candidates.values()]
    first = [next(iter(nominal.records(tried, settings.n_curves).values()))[0] for tried in candidates.values()]
    return Verdict(contests, settings.n_curves - n_test, n_test, times, first)


class _Court:
    """Tunes and scores models."""

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

    def tune(self, target: str, table: pd.DataFrame, labels: pd.DataFrame) -> TuneSummary:
        task = RegressionTask.model_validate({"target": target, "kernels": [labels["kernel"].iloc[0]]})
        return tune_task(
            "pulse-verdict",
            task,
            {self._features: table},
            labels,
            tune=self._tune,
            split=self._split,
            tracker=NullTracker(),
            storage=self._storage,
        )

    def score(
        self, tuned: TuneSummary, trained: tuple[pd.DataFrame, pd.DataFrame], tested: tuple[pd.DataFrame, pd.DataFrame]
    ) -> tuple[Array, Array]:
        """True and predicted values of the held-out curves of ``tested``."""
        task, champion = tuned.task, tuned.champion
        training, test = (
            task_rows(task, {self._features: table}, labels, self._split) for table, labels in (trained, tested)
        )
        fit, held_out = training.training_part(self._features), test.held_out(self._features)
        model = tuned.unfitted(champion)
        model.fit(fit.features.to_numpy(np.float32), task.y(fit.labels))
        predicted = model.predict(held_out.features.to_numpy(np.float32))
        return np.asarray(task.y(held_out.labels), dtype=np.float64), np.asarray(predicted, dtype=np.float64)


def _table(ensemble: Ensemble, tried: SequenceSet, features: WindowedFeatures) -> pd.DataFrame:
    return feature_table(ensemble.records(tried, len(ensemble.curves)), ensemble.experiments(tried), features)


def _contest(
    scored: Mapping[tuple[str, str, str], tuple[Array, Array]],
    which: tuple[str, str, str, str],
    family: str,
    seed: int,
) -> Contest:
    scenario, target, baseline, name = which
    old, new = scored[scenario, target, baseline], scored[scenario, target, name]
    of_old, of_new = regression_statistics(*old), regression_statistics(*new)
    # The same curves are drawn for both, so that what they share cancels.
    gain = Bootstrap(seed=seed).scores(
        lambda counts: {"r2": of_new(counts)["r2"] - of_old(counts)["r2"]}, np.arange(len(old[0]))
    )["r2"]
    return Contest(scenario, target, name, _r2(*old), _r2(*new), gain.lower, gain.upper, family)


def _r2(true: Array, predicted: Array) -> float:
    return float(1 - ((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum())
