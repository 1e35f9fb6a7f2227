"""Which trials of a study count for what; all under the number that their place in the plan gives them."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.studies.planned import planned_trials

__all__ = [
    "LAST_STEP",
    "PRUNED",
    "SPENT",
    "best_of",
    "best_trial",
    "finished_trials",
    "first_trials",
    "is_pruned",
    "last_step",
    "over_trials",
    "score_of",
    "settled_trials",
    "trial_limit",
    "trial_times",
    "trials_since_best",
]


PRUNED = "pruned"
"""Attribute of a trial that was stopped early, but has told the sampler a score: what it had reached by then."""

SPENT = "spent"
"""Attribute of a trial that says what it took: processor seconds, and the most memory that its process had by then."""

LAST_STEP = 500
"""Step of what a trial reports after its rounds: beyond the most rounds that any family searches."""


def is_pruned(trial: FrozenTrial) -> bool:
    """Whether a trial was stopped early, so that its score, if it has one, is not a whole trial's."""
    return trial.state is TrialState.PRUNED or bool(trial.user_attrs.get(PRUNED))


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Trials that went to their end and have a score, in order."""
    return [trial for trial in over_trials(study) if not is_pruned(trial)]


def over_trials(study: Study) -> list[FrozenTrial]:
    """Trials that did what they should: those that went to their end, and those that were pruned; in order."""
    return [trial for trial in planned_trials(study) if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def settled_trials(study: Study) -> list[FrozenTrial]:
    """Trials that finished, were pruned, or failed by themselves, in order."""
    return [trial for trial in planned_trials(study) if trial.state.is_finished()]


def trial_limit(study: Study, total: int) -> int:
    """How many trials may be settled in a study of ``total`` trials.

    Those that failed by themselves are among them, but a study that has begun with ``total`` failures may try as many
    more. Only what the history says matters, and not in how many calls it was made.

    Args:
        study: The study.
        total: Trials that it shall have.
    """
    points = getattr(study.sampler, "n_points", None)
    total = total if points is None else min(total, points)
    states = (trial.state for trial in settled_trials(study))
    vain = sum(1 for _ in takewhile(lambda state: state is TrialState.FAIL, states))
    return total * (1 + vain // total)


def first_trials(study: Study, total: int, patience: int | None = None) -> list[FrozenTrial]:
    """The settled trials of a study that had been made with ``total`` and ``patience`` from the beginning.

    A study may have more: those of longer searches before, and those of many workers that all found room.

    Args:
        study: The study.
        total: Trials that it shall have.
        patience: How many trials without anything better end it; None for no limit.
    """
    trials = settled_trials(study)[: trial_limit(study, total)]
    if patience is None:
        return trials
    ends = (end for end in range(len(trials)) if _since_best(trials[:end]) >= patience)
    return trials[: next(ends, len(trials))]


def last_step(trial: Trial) -> int:
    """Step at which a trial reports what it has come to, the same for all of a study, for a pruner compares like steps.

    It is `LAST_STEP` after rounds and 0 without any, or what the finished trials of the study have: it may have begun
    with another.

    Args:
        trial: The trial, still running.
    """
    trials = trial.study.get_trials(deepcopy=False)
    finished = (each for each in trials if each.state is TrialState.COMPLETE and each.intermediate_values)
    own = trials[trial.number].intermediate_values
    return next((max(each.intermediate_values) for each in finished), LAST_STEP if own else 0)


def score_of(trial: FrozenTrial) -> float:
    """The score of a trial that has one; of two objectives the first."""
    return float(trial.values[0])


def best_of(trials: Iterable[FrozenTrial]) -> FrozenTrial | None:
    """The finished trial of largest score among some, the earliest of equals; None if there is none."""
    finished = (trial for trial in trials if trial.state is TrialState.COMPLETE and not is_pruned(trial))
    return max(finished, key=lambda trial: (score_of(trial), -trial.number), default=None)


def best_trial(study: Study) -> FrozenTrial | None:
    """The finished trial of largest score, the earliest of equals; None if there is none."""
    return best_of(planned_trials(study))


def trials_since_best(study: Study) -> int:
    """How many trials after the best one have brought nothing better."""
    return _since_best(settled_trials(study))


def _since_best(trials: Sequence[FrozenTrial]) -> int:
    best = best_of(trials)
    over = (trial.number for trial in trials if trial.state is not TrialState.FAIL)
    return 0 if best is None else sum(number > best.number for number in over)


def trial_times(trial: FrozenTrial) -> tuple[float, float]:
    """Start and end of a trial, seconds since the epoch."""
    start, end = trial.datetime_start, trial.datetime_complete
    return (start.timestamp() if start else 0.0), (end.timestamp() if end else 0.0)
