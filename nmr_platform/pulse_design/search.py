"""The tracked search for a sequence that makes the coupling easier to infer."""

import json
import warnings
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pandas as pd
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from nmr_platform.datasets import Recipe
from nmr_platform.errors import NmrPlatformError
from nmr_platform.physics import Hahn
from nmr_platform.progress import Advance, no_progress
from nmr_platform.pulse_design.objective import TARGETS, Candidate, ScoreObjective, hahn_with
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.studies import (
    ERROR,
    Outcome,
    finished_trials,
    line_up,
    open_storage,
    open_study,
    run_trials,
    settled_trials,
    trial_times,
)
from nmr_platform.tracking import DatasetRecord, RunRecord, Tracker, TrialRecord, closing_run

__all__ = ["BASELINE", "EXPERIMENT", "PulseSearch", "PulseSearchError", "search_pulses"]

EXPERIMENT = "pulse-design"
ANGLES = ("theta1", "theta2")
BASELINE = (90.0, 180.0)
"""The textbook's flip angles, degrees: the first candidate of every search."""


class PulseSearchError(NmrPlatformError):
    """A search has nothing to compare its sequences with."""


@dataclass(frozen=True)
class PulseSearch:
    """What a search found.

    Attributes:
        run_id: Identifier of the parent run.
        target: What the sequences were to reveal.
        table: One row a sequence in the order tried: ``trial``, ``theta1``, ``theta2`` (degrees), ``score`` (R2 of
            the target), ``error`` (its standard error), ``r2_W``, ``r2_X``, ``r2_Z``, ``best`` (best score so far).
    """

    run_id: str
    target: str
    table: pd.DataFrame

    @property
    def baseline(self) -> pd.Series:
        """The row of the 90/180 echo."""
        is_baseline = (self.table["theta1"] == BASELINE[0]) & (self.table["theta2"] == BASELINE[1])
        return self.table.iloc[int(is_baseline.to_numpy().argmax())]

    @property
    def best(self) -> pd.Series:
        """The row of the best sequence."""
        return self.table.iloc[int(self.table["score"].to_numpy().argmax())]


def search_pulses(
    recipe: Recipe,
    sequence: Hahn,
    settings: PulseSearchSettings,
    *,
    storage: Path,
    tracker: Tracker,
    progress: Advance = no_progress,
) -> PulseSearch:
    """Run or continue a search over the flip angles of a Hahn echo.

    Args:
        recipe: The prior to draw curves from, on the lattice of the search.
        sequence: The echo whose flip angles are varied.
        settings: Target, ranges and length of the search.
        storage: Folder of the study journal, unless `NMR_STUDY_STORAGE` names a database.
        tracker: Where the search and its candidates are shown.
        progress: Called with the number of sequences finished.

    Raises:
        ConfigurationError: The prior hardly ever meets the constraints.
        PulseSearchError: The 90/180 echo could not be scored, so that nothing can be compared with it.
    """
    objective = ScoreObjective(recipe, settings)
    identity = _identity(recipe, sequence, settings)
    digest = blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
    name = f"theta1-theta2/{settings.target}-{settings.kernel}-{digest}"
    study = open_study(
        open_storage(storage),
        f"{EXPERIMENT}/{name}",
        identity,
        seed=settings.seed,
        startup_trials=settings.startup_trials,
    )
    if not study.get_trials(deepcopy=False):
        line_up(study, dict(zip(ANGLES, BASELINE, strict=True)))
    run_id = tracker.open_run(_run_record(name, study, recipe, settings))

    def evaluate(trial: Trial) -> Outcome:
        with warnings.catch_warnings():
            # The baseline is compared with, whether or not the ranges hold it.
            warnings.filterwarnings("ignore", message="Fixed parameter", category=UserWarning)
            theta1 = trial.suggest_float("theta1", settings.theta1.low, settings.theta1.high)
            theta2 = trial.suggest_float("theta2", settings.theta2.low, settings.theta2.high)
        candidate = objective.evaluate(hahn_with(sequence, theta1, theta2))
        return Outcome(candidate.scores[settings.target], _attributes(candidate))

    def show(trial: FrozenTrial) -> None:
        tracker.log_trial(run_id, _trial_record(trial, settings))
        progress(1)

    with closing_run(tracker, run_id):
        run_trials(study, settings.n_trials, evaluate, on_settled=show)
        _require_baseline(study)
        found = PulseSearch(run_id, settings.target, _table(study))
        tracker.log_metrics(run_id, _metrics(found))
        tracker.log_params(run_id, {"best_theta1": found.best["theta1"], "best_theta2": found.best["theta2"]})
        tracker.log_table(run_id, "tables/history.csv", found.table)
    return found


# What a longer search or another verdict may change without becoming another search.
_FREE = {"n_trials", "verdict_seed", "verdict_curves"}


def _identity(recipe: Recipe, sequence: Hahn, settings: PulseSearchSettings) -> dict[str, object]:
    """What makes candidates comparable; the number of trials does not."""
    return {
        "recipe": recipe.digest,
        "sequence": sequence.model_dump(mode="json"),
        "settings": settings.model_dump(mode="json", exclude=_FREE),
    }


def _run_record(name: str, study: Study, recipe: Recipe, settings: PulseSearchSettings) -> RunRecord:
    params = settings.model_dump(mode="json", exclude=_FREE) | {
        "features": settings.features.name,
        "theta1": f"{settings.theta1} deg",
        "theta2": f"{settings.theta2} deg",
    }
    prior = DatasetRecord(recipe.name, recipe.digest, "simulated for every candidate", context="search")
    return RunRecord(EXPERIMENT, name, params, {"study": study.study_name, "disorder": recipe.disorder}, [prior])


def _require_baseline(study: Study) -> None:
    baseline = dict(zip(ANGLES, BASELINE, strict=True))
    if any(trial.params == baseline for trial in finished_trials(study)):
        return
    errors = [trial.user_attrs[ERROR] for trial in settled_trials(study) if trial.params == baseline]
    reason = f"it failed with {errors[-1]}" if errors else "it was not tried."
    message = f"Study `{study.study_name}` must score the 90/180 echo, but {reason}"
    raise PulseSearchError(message)


def _attributes(candidate: Candidate) -> dict[str, object]:
    return {
        **{f"r2_{name}": score for name, score in candidate.scores.items()},
        "error": candidate.error,
        "folds": list(candidate.fold_scores),
        "simulated_us": candidate.simulated_time,
    }


def _trial_record(trial: FrozenTrial, settings: PulseSearchSettings) -> TrialRecord:
    start, end = trial_times(trial)
    if trial.value is None:
        return TrialRecord(trial.number, trial.params, {}, start, end, "failed")
    attributes = trial.user_attrs
    metrics = {
        "score": trial.value,
        "score_error": attributes["error"],
        "simulated_us": attributes["simulated_us"],
        **{f"r2_{name}": attributes[f"r2_{name}"] for name in TARGETS},
        **{f"fold_{number}_r2": score for number, score in enumerate(attributes["folds"])},
    }
    return TrialRecord(trial.number, trial.params, metrics, start, end, tags={"target": settings.target})


def _table(study: Study) -> pd.DataFrame:
    rows = [
        {
            "trial": trial.number,
            **trial.params,
            "score": trial.value,
            "error": trial.user_attrs["error"],
            **{f"r2_{name}": trial.user_attrs[f"r2_{name}"] for name in TARGETS},
        }
        for trial in finished_trials(study)
    ]
    table = pd.DataFrame(rows)
    return table.assign(best=table["score"].cummax())


def _metrics(found: PulseSearch) -> dict[str, float]:
    return {
        "best_score": float(found.best["score"]),
        "baseline_score": float(found.baseline["score"]),
        "n_trials": float(len(found.table)),
    }
