"""Which trials of a study count for what."""

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nmr_platform.studies.attempts import is_abandoned

__all__ = [
    "PRUNED",
    "best_trial",
    "finished_trials",
    "is_pruned",
    "over_trials",
    "score_of",
    "settled_trials",
    "trial_times",
    "trials_since_best",
]


PRUNED = "pruned"
"""Attribute of a trial that was stopped early, but has told the sampler a score: what it had reached by then."""


def is_pruned(trial: FrozenTrial) -> bool:
    """Whether a trial was stopped early, so that its score, if it has one, is not a whole trial's."""
    return trial.state is TrialState.PRUNED or bool(trial.user_attrs.get(PRUNED))


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Trials that went to their end and have a score, in order."""
    scored = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [trial for trial in scored if not is_pruned(trial)]


def over_trials(study: Study) -> list[FrozenTrial]:
    """Trials that did what they should: those that went to their end, and those that were pruned; in order."""
    over: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return over


def settled_trials(study: Study) -> list[FrozenTrial]:
    """Trials that finished, were pruned, or failed by themselves, in order."""
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    return [trial for trial in study.get_trials(deepcopy=False, states=states) if not is_abandoned(trial)]


def score_of(trial: FrozenTrial) -> float:
    """The score of a trial that has one; of two objectives the first."""
    return float(trial.values[0])


def best_trial(study: Study) -> FrozenTrial | None:
    """The finished trial of largest score, the earliest of equals; None if there is none."""
    return max(finished_trials(study), key=lambda trial: (score_of(trial), -trial.number), default=None)


def trials_since_best(study: Study) -> int:
    """How many trials after the best one have brought nothing better."""
    best = best_trial(study)
    return 0 if best is None else sum(trial.number > best.number for trial in over_trials(study))


def trial_times(trial: FrozenTrial) -> tuple[float, float]:
    """Start and end of a trial, seconds since the epoch."""
    start, end = trial.datetime_start, trial.datetime_complete
    return (start.timestamp() if start else 0.0), (end.timestamp() if end else 0.0)
