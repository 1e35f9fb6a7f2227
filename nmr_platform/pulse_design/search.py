"""The tracked search for pulse sequences that make the coupling easier to infer."""

import json
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from nmr_platform.datasets import Recipe
from nmr_platform.errors import NmrPlatformError
from nmr_platform.physics import Sequence
from nmr_platform.progress import Advance, no_progress
from nmr_platform.pulse_design.assessing import Assessed, assess
from nmr_platform.pulse_design.bench import Bench
from nmr_platform.pulse_design.cache import RecordCache
from nmr_platform.pulse_design.candidates import Candidate, PulseSearch
from nmr_platform.pulse_design.objectives import Objective, make_objective
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.pulse_design.spaces import BASELINE, Measurement, SearchSpace, named_sequence
from nmr_platform.studies import (
    ERROR,
    Outcome,
    closing_storage,
    finished_trials,
    line_up,
    open_study,
    run_trials,
    settled_trials,
    trial_times,
)
from nmr_platform.tracking import DatasetEntry, RunEntry, Tracker, TrialEntry, closing_run

__all__ = ["EXPERIMENT", "PulseSearchError", "help_search", "search_pulses"]

EXPERIMENT = "pulse-design"
_ASSESSED = "assessed"
_OUTSIDE = "outside"
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
    with ExitStack() as stack:
        search = _Search.make(recipes, settings, cache, lambda: stack.enter_context(closing_storage(storage)))
        search.line_up_named()
        run = _run_entry(search)
        run_id = tracker.open_run(run)
        with closing_run(tracker, run_id):
            for number, name in enumerate(search.outside):
                tracker.log_trial(run_id, search.judge_outside(number, name))
            search.run(tracker, run_id, progress)
            candidates = search.candidates()
            _require_baseline(search, candidates)
            found = PulseSearch(run, search.objective.label, candidates, search.importances())
            tracker.log_metrics(run_id, _metrics(found))
            tracker.log_params(run_id, {f"best_{name}": value for name, value in found.best.params.items()})
    return found


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
    with ExitStack() as stack:
        search = _Search.make(recipes, settings, cache, lambda: stack.enter_context(closing_storage(storage)))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        # The named sequences come first, and are lined up by the process that others help.
        while not search.study.get_trials(deepcopy=False):
            if time.monotonic() > deadline:
                message = f"Study `{search.study.study_name}` must be begun by another process, but was not."
                raise PulseSearchError(message)
            time.sleep(_POLL_SECONDS)
        search.run(tracker, tracker.open_run(_run_entry(search)), helping=True)


@dataclass(frozen=True)
class _Search:
    """A search under way."""

    settings: PulseSearchSettings
    recipes: Mapping[str, Recipe]
    space: SearchSpace
    objective: Objective
    study: Study
    run_name: str
    named: dict[str, Sequence]
    outside: tuple[str, ...]

    @classmethod
    def make(
        cls,
        recipes: Mapping[str, Recipe],
        settings: PulseSearchSettings,
        cache: Path | None,
        open_: Callable[[], BaseStorage],
    ) -> "_Search":
        """Put a search together; the storage is opened last, when nothing can be refused any more."""
        base = recipes[settings.kernel].example.sequence
        space = settings.space.of(base.model_dump(mode="json"))
        records = RecordCache(cache, settings.cache_megabytes)
        benches = {name: Bench(recipes[name], records) for name in settings.kernels}
        objective = make_objective(settings.objective, benches, settings.kernel, settings.features, settings.seed)
        tau = float(getattr(base, "tau", 0.0)) or benches[settings.kernel].recipe.example.recording.end / 3
        named = {name: named_sequence(name, tau) for name in settings.starts}
        inside = {name: space.values_of(sequence) for name, sequence in named.items()}
        outside = tuple(name for name, values in inside.items() if values is None)
        if outside and BASELINE not in outside:
            outside = (BASELINE, *outside)  # it comes first, wherever it lies
        identity = _identity(recipes, settings, tau)
        digest = blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
        run_name = f"{settings.objective.kind}-{settings.kernel}-{digest}"
        study = open_study(
            open_(),
            f"{EXPERIMENT}/{run_name}",
            identity,
            seed=settings.seed,
            sampler=settings.sampler,
            startup_trials=settings.startup_trials,
            with_cost=settings.trade_off,
        )
        return cls(settings, recipes, space, objective, study, run_name, named, outside)

    def line_up_named(self) -> None:
        """Have the named sequences that the space holds tried first, in a study that has not begun."""
        if not self.study.get_trials(deepcopy=False):
            for name, sequence in self.named.items():
                values = self.space.values_of(sequence)
                if values is not None and name not in self.outside:
                    line_up(self.study, values)

    def run(self, tracker: Tracker, run_id: str, progress: Advance = no_progress, *, helping: bool = False) -> None:
        """Try candidates until there are enough, or, ``helping``, until there is none left to start."""
        shift = len(self.outside)

        def show(trial: FrozenTrial) -> None:
            tracker.log_trial(run_id, _trial_entry(trial, shift))
            progress(1)

        settings = self.settings
        run_trials(
            self.study,
            settings.n_trials,
            self.evaluate,
            on_settled=show,
            timeout=settings.timeout,
            helping=helping,
        )

    def evaluate(self, trial: Trial) -> Outcome:
        """Build, assess and keep one candidate."""
        with warnings.catch_warnings():
            # A named sequence is tried whether or not the ranges hold it.
            warnings.filterwarnings("ignore", message="Fixed parameter", category=UserWarning)
            values = self.space.suggest(trial)
        measurement = self.space.build(values)
        name = next((name for name, each in self.named.items() if measurement.sequences == (each,)), "")
        assessed = self._assess(measurement, name)
        cost = assessed.time if self.settings.trade_off else None
        return Outcome(assessed.value, {_ASSESSED: assessed.to_dict()}, cost)

    def judge_outside(self, number: int, name: str) -> TrialEntry:
        """Judge a named sequence that the space does not hold, once for all calls."""
        key = f"{_OUTSIDE}.{name}"
        if key not in self.study.user_attrs:
            start = time.time()
            assessed = self._assess(Measurement((self.named[name],)), name)
            kept = {"start": start, "end": time.time(), _ASSESSED: assessed.to_dict()}
            self.study.set_user_attr(key, kept)
        kept = self.study.user_attrs[key]
        assessed = Assessed.from_dict(kept[_ASSESSED])
        params = {"sequence": str(self.named[name])}
        return TrialEntry(number, params, _trial_metrics(assessed), kept["start"], kept["end"], tags=_tags(assessed))

    def candidates(self) -> list[Candidate]:
        """All finished candidates in the order tried."""
        outside = [
            Candidate(number, {}, Assessed.from_dict(self.study.user_attrs[f"{_OUTSIDE}.{name}"][_ASSESSED]))
            for number, name in enumerate(self.outside)
            if f"{_OUTSIDE}.{name}" in self.study.user_attrs
        ]
        return outside + [
            Candidate(trial.number + len(self.outside), dict(trial.params), _assessed(trial))
            for trial in finished_trials(self.study)
        ]

    def importances(self) -> dict[str, float]:
        """Importance of every searched parameter by PED-ANOVA, most important first; even shares if it has none."""
        names = list(self.space.searched)
        even = {name: 1 / len(names) for name in names}
        trials = [trial for trial in finished_trials(self.study) if _assessed(trial).is_complete]
        if len(names) < 2 or len({trial.values[0] for trial in trials}) < 4:
            return even
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = optuna.importance.get_param_importances(
                    self.study, evaluator=evaluator, params=names, target=lambda trial: trial.values[0]
                )
            except (ValueError, RuntimeError):
                return even
        return {name: float(found[name]) for name in sorted(found, key=lambda name: (-found[name], name))}

    def _assess(self, measurement: Measurement, name: str) -> Assessed:
        return assess(
            measurement,
            self.objective,
            limits=self.settings.space.limits,
            pruning=self.settings.pruning,
            rivals=lambda: [
                each.assessed
                for each in self.candidates()
                if not self.settings.trade_off or each.assessed.time <= measurement.duration
            ],
            name=name,
        )


# What a longer search or another verdict may change without becoming another search.
_FREE = {"n_trials", "timeout", "verdict", "cache_megabytes"}


def _identity(recipes: Mapping[str, Recipe], settings: PulseSearchSettings, tau: float) -> dict[str, Any]:
    """What makes candidates comparable; the number of trials does not."""
    return {
        "recipes": {name: recipes[name].digest for name in settings.kernels},
        "tau": tau,
        "settings": settings.model_dump(mode="json", exclude=_FREE),
    }


def _run_entry(search: _Search) -> RunEntry:
    settings = search.settings
    params = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in settings.model_dump(mode="json", exclude=_FREE).items()
    } | {"features": settings.features.name}
    priors = [
        DatasetEntry(name, search.recipes[name].digest, "simulated for every candidate", context="search")
        for name in settings.kernels
    ]
    disorder = search.recipes[settings.kernel].disorder
    tags = {"study": search.study.study_name, "disorder": disorder, "objective": settings.objective.kind}
    return RunEntry(EXPERIMENT, search.run_name, params, tags, priors)


def _require_baseline(search: _Search, candidates: list[Candidate]) -> None:
    if any(each.assessed.name == BASELINE and each.assessed.is_complete for each in candidates):
        return
    reasons = [each.assessed.refused for each in candidates if each.assessed.name == BASELINE]
    wanted = search.space.values_of(search.named[BASELINE])
    reasons += [trial.user_attrs[ERROR] for trial in settled_trials(search.study) if trial.params == wanted]
    reason = f"it failed with {reasons[-1]}" if reasons else "it was not tried."
    message = f"Study `{search.study.study_name}` must judge the 90/180 echo, but {reason}"
    raise PulseSearchError(message)


def _assessed(trial: FrozenTrial) -> Assessed:
    return Assessed.from_dict(trial.user_attrs[_ASSESSED])


def _trial_entry(trial: FrozenTrial, shift: int) -> TrialEntry:
    start, end = trial_times(trial)
    number = trial.number + shift
    if _ASSESSED not in trial.user_attrs:
        tags = {ERROR: trial.user_attrs[ERROR]} if ERROR in trial.user_attrs else {}
        return TrialEntry(number, trial.params, {}, start, end, "failed", tags)
    assessed = _assessed(trial)
    state = "finished" if assessed.is_complete else "pruned"
    return TrialEntry(number, trial.params, _trial_metrics(assessed), start, end, state, _tags(assessed))


def _trial_metrics(assessed: Assessed) -> dict[str, float]:
    metrics = {"simulated_us": assessed.time, "share_of_curves": assessed.share}
    if not assessed.refused:
        metrics |= {"score": assessed.value, "score_error": assessed.error, **assessed.details}
    return metrics


def _tags(assessed: Assessed) -> dict[str, str]:
    tags = {"sequence": json.dumps(assessed.sequences)}
    return tags | {name: text for name, text in (("name", assessed.name), ("refused", assessed.refused)) if text}


def _metrics(found: PulseSearch) -> dict[str, float]:
    best, baseline = found.best.assessed, found.baseline.assessed
    return {
        "best_score": best.value,
        "best_score_error": best.error,
        "baseline_score": baseline.value,
        "best_time_us": best.time,
        "n_trials": float(len(found.candidates)),
        "n_given_up": float(np.sum([0 < each.assessed.share < 1 for each in found.candidates])),
        "n_refused": float(np.sum([bool(each.assessed.refused) for each in found.candidates])),
        **{f"importance_{name}": value for name, value in found.importances.items()},
    }
