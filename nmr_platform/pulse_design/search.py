"""The tracked search for pulse sequences that make the coupling easier to infer."""

import json
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.datasets import Recipe
from nmr_platform.errors import NmrPlatformError
from nmr_platform.progress import Advance, no_progress
from nmr_platform.pulse_design.candidates import ASSESSED, Candidate, PulseSearch, assess, read_assessed
from nmr_platform.pulse_design.ensemble import Ensemble, RecordCache
from nmr_platform.pulse_design.objectives import Objective
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.pulse_design.spaces import BASELINE, KEPT, SearchSpace, SequenceSet, named_sequence
from nmr_platform.studies import (
    OUTSIDE,
    PLANNED,
    Outcome,
    PlannedStudy,
    StudyRun,
    closing_storage,
    error_of,
    finished_trials,
    first_trials,
    is_pruned,
    keep_run,
    kept_run,
    line_up,
    open_study,
    planned_trials,
    run_trials,
    settled_trials,
)
from nmr_platform.tracking import DatasetEntry, RunEntry, Tracker

__all__ = ["EXPERIMENT", "PulseSearchError", "help_search", "search_pulses"]

EXPERIMENT = "pulse-design"
# Raised when what trials keep, or what they are given, changes its meaning: older studies are then other studies.
_VERSION = 3
# How long a helper waits for the process that it helps.
_PATIENCE_SECONDS, _POLL_SECONDS = 300.0, 0.2


class PulseSearchError(NmrPlatformError):
    """A search has nothing to compare its sequences with."""


def search_pulses(
    recipes: Mapping[str, Recipe],
    settings: PulseSearchSettings,
    *,
    storage: Path,
    tracker: Tracker,
    cache: Path | None = None,
    progress: Advance = no_progress,
) -> PulseSearch:
    """Run or continue a search.

    Any number of processes may run the same search at once, if they share the storage. A finished candidate is never
    tried again, and one whose process died is.

    Args:
        recipes: The prior of each data set that the search needs, on the lattice of the search.
        settings: What to search, and how.
        storage: Folder of the study journal, unless `NMR_STUDY_STORAGE` names a database.
        tracker: Where the search and its candidates are shown.
        cache: Folder that keeps the records of candidates; None to keep none.
        progress: Called with the number of candidates finished.

    Raises:
        ConfigurationError: The prior hardly ever meets the constraints, or the space holds no sequence.
        PulseSearchError: The 90/180 echo could not be judged, so that nothing can be compared with it.
    """
    with _opened(recipes, settings, storage, cache) as search:
        search.line_up_named()
        run = StudyRun.open(search.study, tracker)
        with run.closing():
            search.run(run, progress)
            search.require_baseline()
            result = search.result()
            run.log_summary(result.metrics)
    return result


def help_search(
    recipes: Mapping[str, Recipe],
    settings: PulseSearchSettings,
    *,
    storage: Path,
    tracker: Tracker,
    cache: Path | None = None,
) -> None:
    """Try candidates beside the process that searches, once it has begun, until there is nothing left to start.

    Args:
        recipes: As in `search_pulses`.
        settings: As in `search_pulses`.
        storage: As in `search_pulses`; the other process must reach it too.
        tracker: Where candidates are shown.
        cache: Folder that keeps the records of candidates, which the other process may share.

    Raises:
        PulseSearchError: The other process does not begin.
    """
    with _opened(recipes, settings, storage, cache) as search:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        # The named sequences come first, and are lined up by the process that others help.
        while not search.study.get_trials(deepcopy=False):
            if time.monotonic() > deadline:
                message = f"Study `{search.study.study_name}` must be begun by another process, but was not."
                raise PulseSearchError(message)
            time.sleep(_POLL_SECONDS)
        run = StudyRun.open(search.study, tracker)
        with run.closing():
            search.run(run, helping=True)


@contextmanager
def _opened(
    recipes: Mapping[str, Recipe], settings: PulseSearchSettings, storage: Path, cache: Path | None
) -> Iterator["_Search"]:
    """Put a search together; the storage is opened last, when nothing can be refused any more."""
    example = recipes[settings.kernel].example
    space = settings.space.of(example.sequence.model_dump(mode="json"))
    records = RecordCache(cache, settings.cache_megabytes)
    ensembles = {name: Ensemble(recipes[name], records) for name in settings.kernels}
    objective = settings.objective.prepare(ensembles, settings.kernel, settings.features, settings.seed)
    tau = float(getattr(example.sequence, "tau", 0.0)) or example.recording.end / 3
    named = {name: SequenceSet.of(named_sequence(name, tau)) for name in settings.starts}
    if space.keep:
        named[KEPT] = SequenceSet(sequences=space.keep)
    identity = {
        "version": _VERSION,
        "recipes": {name: recipes[name].digest for name in settings.kernels},
        "tau": tau,
        "settings": settings.what_candidates_depend_on(),
    }
    digest = blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
    name = f"{settings.objective.kind}-{settings.kernel}-{digest}"
    with closing_storage(storage) as opened:
        study = open_study(
            opened,
            f"{EXPERIMENT}/{name}",
            identity,
            seed=settings.seed,
            sampler=settings.sampler,
            startup_trials=settings.startup_trials,
            with_cost=settings.trade_off,
        )
        keep_run(study, _run_entry(recipes, settings, name), objective.label)
        yield _Search(settings, space, objective, study, named)


def _run_entry(recipes: Mapping[str, Recipe], settings: PulseSearchSettings, name: str) -> RunEntry:
    params = {
        key: json.dumps(value) if isinstance(value, dict | list) else value
        for key, value in settings.what_candidates_depend_on().items()
    } | {"features": settings.features.name}
    priors = [
        DatasetEntry(name, recipes[name].digest, "simulated for every candidate", context="search")
        for name in settings.kernels
    ]
    tags = {
        "study": f"{EXPERIMENT}/{name}",
        "disorder": recipes[settings.kernel].disorder,
        "objective": settings.objective.kind,
    }
    question = "Which pulse sequences tell most about the couplings of a sample?"
    about = (
        f"A search by `{settings.sampler}` for sequences that are good by `{settings.objective.kind}`, each judged on "
        f"{settings.n_curves} new curves of {', '.join(settings.kernels)}, and afterwards beside 90/180 on curves that "
        "the search has not seen (`verdict`)."
    )
    return RunEntry(EXPERIMENT, name, params, tags, priors, question=question, about=about)


@dataclass(frozen=True)
class _Search:
    """A search under way.

    Attributes:
        settings: What to search, and how.
        space: The search space, with the sequence of the data.
        objective: What candidates are judged by.
        study: What has been tried.
        named: What is tried first, by name: the textbook's sequences, and a set that grows.
    """

    settings: PulseSearchSettings
    space: SearchSpace
    objective: Objective
    study: Study
    named: dict[str, SequenceSet]

    def line_up_named(self) -> None:
        """Have the named sequences tried first, those that a killed process did not line up too."""
        known = {trial.user_attrs.get(PLANNED) for trial in planned_trials(self.study)}
        for place, (name, tried) in enumerate(self.named.items()):
            values = self._values_of(tried)
            if place in known:
                continue
            if values is None:
                attributes = {OUTSIDE: name, "params": {"sequence": str(tried)}}
                line_up(self.study, {}, {PLANNED: place, **attributes})
            else:
                line_up(self.study, values, {PLANNED: place})

    @property
    def n_trials(self) -> int:
        """How many candidates there shall be; named ones that the space does not hold come on top."""
        return self.settings.n_trials + sum(self._values_of(each) is None for each in self.named.values())

    def run(self, run: StudyRun, progress: Advance = no_progress, *, helping: bool = False) -> None:
        """Try candidates until there are enough, or, ``helping``, until there is none left to start."""

        def show(trial: FrozenTrial) -> None:
            run.log_trial(trial)
            progress(1)

        run_trials(
            self.study,
            self.n_trials,
            self.evaluate,
            on_settled=show,
            timeout=self.settings.timeout,
            helping=helping,
        )

    def evaluate(self, trial: Trial) -> Outcome:
        """Build and assess one candidate."""
        if OUTSIDE in trial.user_attrs:
            tried = self.named[trial.user_attrs[OUTSIDE]]
        else:
            with warnings.catch_warnings():
                # A named sequence is tried whether or not the ranges hold it.
                warnings.filterwarnings("ignore", message="Fixed parameter", category=UserWarning)
                tried = self.space.build(self.space.suggest(trial))
        name = next((name for name, each in self.named.items() if each.is_like(tried)), "")
        assessed = assess(
            tried,
            self.objective,
            limits=self.settings.space.limits,
            pruning=self.settings.pruning,
            rivals=lambda: [
                rival
                for rival in map(read_assessed, finished_trials(self.study))
                if not self.settings.trade_off or rival.time <= tried.duration
            ],
            name=name,
        )
        return Outcome(
            assessed.value,
            {ASSESSED: assessed.to_dict()},
            assessed.time if self.settings.trade_off else None,
            metrics=assessed.metrics,
            tags=assessed.tags,
            pruned=not assessed.is_complete,
        )

    def _values_of(self, tried: SequenceSet) -> dict[str, Any] | None:
        """The values at which the space holds a named set; None if it does not."""
        return self.space.values_of(tried.first) if len(tried.sequences) == 1 else None

    def require_baseline(self) -> None:
        """Raise `PulseSearchError` unless the 90/180 echo was judged on all curves."""
        wanted = self._values_of(self.named[BASELINE])
        reason = "it was not tried."
        for trial in settled_trials(self.study):
            if trial.user_attrs.get(OUTSIDE) == BASELINE or (wanted is not None and trial.params == wanted):
                if not error_of(trial) and read_assessed(trial).is_complete:
                    return
                reason = f"it failed with {error_of(trial) or read_assessed(trial).refused}"
        message = f"Study `{self.study.study_name}` must judge the 90/180 echo, but {reason}"
        raise PulseSearchError(message)

    def result(self) -> PulseSearch:
        """What was found: the candidates that came to an end, in the order and under the numbers of the plan."""
        trials = [trial for trial in first_trials(self.study, self.n_trials) if trial.state is not TrialState.FAIL]
        candidates = [
            Candidate(trial.number, {} if OUTSIDE in trial.user_attrs else dict(trial.params), read_assessed(trial))
            for trial in trials
        ]
        within = PlannedStudy(self.study, [trial for trial in trials if OUTSIDE not in trial.user_attrs])
        return PulseSearch(kept_run(self.study), self.objective.label, candidates, self.importances(within))

    def importances(self, study: PlannedStudy) -> dict[str, float]:
        """Importance of every searched parameter by PED-ANOVA, most important first; even shares if it has none."""
        trials = study.get_trials(deepcopy=False)
        # Of a free structure, not every sequence has every pulse.
        names = [name for name in self.space.searched if all(name in trial.params for trial in trials)]
        even = {name: 1 / len(names) for name in names}
        scores = {trial.values[0] for trial in trials if not is_pruned(trial)}
        if len(names) < 2 or len(scores) < 4:
            return even
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                shares: dict[str, Any] = optuna.importance.get_param_importances(
                    study, evaluator=evaluator, params=names, target=lambda trial: trial.values[0]
                )
            except (ValueError, RuntimeError):
                return even
        return {name: float(shares[name]) for name in sorted(shares, key=lambda name: (-shares[name], name))}
