"""What a tracker shows of a study, kept in the study itself so that the tracker can be rebuilt from it."""

from collections.abc import Mapping
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nmr_platform.studies.abandoned import ERROR
from nmr_platform.studies.trials import best_trial, finished_trials, score_of, settled_trials, trial_times
from nmr_platform.tracking import RunEntry, TrialEntry

__all__ = ["keep_run", "kept_run", "study_metrics", "trial_entry"]

_RUN = "run"
_STATES = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def keep_run(study: Study, run: RunEntry) -> None:
    """Keep in the study how its parent run is shown."""
    plain = run.to_dict()
    if study.user_attrs.get(_RUN) != plain:
        study.set_user_attr(_RUN, plain)


def kept_run(study: Study) -> RunEntry:
    """The parent run as it was kept; for a study that kept none, made from its name and identity."""
    kept: Mapping[str, Any] | None = study.user_attrs.get(_RUN)
    if kept is not None:
        return RunEntry.from_dict(kept)
    experiment, _, name = study.study_name.partition("/")
    params = {key: value for key, value in study.user_attrs.get("identity", {}).items() if not isinstance(value, dict)}
    return RunEntry(experiment, name or experiment, params, {"study": study.study_name})


def trial_entry(trial: FrozenTrial, value_name: str = "score") -> TrialEntry:
    """A settled trial as its child run is shown.

    Args:
        trial: The trial.
        value_name: What its value is called, if it kept no metrics of its own.
    """
    start, end = trial_times(trial)
    attributes = trial.user_attrs
    metrics = attributes.get("metrics") or _numbers(trial, value_name)
    return TrialEntry(
        number=trial.number,
        params=attributes.get("params") or trial.params,
        metrics=metrics if trial.state is not TrialState.FAIL else {},
        start=start,
        end=end,
        state=_STATES[trial.state],
        # A finished trial may keep a number of this name: the standard error of its score.
        tags={ERROR: attributes[ERROR]} if trial.state is TrialState.FAIL and ERROR in attributes else {},
    )


def study_metrics(study: Study, value_name: str = "score") -> dict[str, float]:
    """What the parent run shows of its trials: their numbers, and the metrics of the best as they are called there."""
    finished, settled = finished_trials(study), settled_trials(study)
    numbers = {
        "n_trials": float(len(finished)),
        "n_failed": float(sum(trial.state is TrialState.FAIL for trial in settled)),
        "n_pruned": float(sum(trial.state is TrialState.PRUNED for trial in settled)),
    }
    best = best_trial(study)
    return numbers if best is None else {f"best_{value_name}": score_of(best), **numbers}


def _numbers(trial: FrozenTrial, value_name: str) -> dict[str, float]:
    """The value, and whatever else is a number among the attributes."""
    shown = {} if trial.values is None else {value_name: score_of(trial)}
    for name, value in trial.user_attrs.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in {"place", "attempt"}:
            shown[name] = float(value)
        elif isinstance(value, list) and all(isinstance(item, int | float) for item in value):
            shown |= {f"{name}_{index}": float(item) for index, item in enumerate(value)}
    return shown
