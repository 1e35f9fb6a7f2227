"""The loop of every search: ask, evaluate, tell; stop and continue at any point."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import optuna
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.studies.abandoned import ERROR, abandon_own, ask, is_abandoned, recover
from nmr_platform.studies.sampler import SamplerKind, SteadySampler

__all__ = ["Outcome", "finished_trials", "open_study", "run_trials", "settled_trials", "trial_times"]


@dataclass(frozen=True)
class Outcome:
    """What came out of a trial.

    Attributes:
        value: The score, larger is better; several of them for a study of several directions.
        attributes: What else to keep with the trial; plain data.
    """

    value: float | tuple[float, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)


def open_study(
    storage: BaseStorage,
    name: str,
    identity: Mapping[str, object],
    *,
    seed: int,
    sampler: SamplerKind = "tpe",
    startup_trials: int = 10,
    n_values: int = 1,
) -> Study:
    """Open or make a study that maximises, and line up again the trials that a dead process left behind.

    Args:
        storage: Where studies are remembered.
        name: The study's name; it must carry a digest of ``identity``, so that a changed search is another study.
        identity: What makes trials comparable, kept with the study.
        seed: Seed of the sampler.
        sampler: See `SteadySampler`.
        startup_trials: See `SteadySampler`.
        n_values: How many scores a trial has, all to be maximised.
    """
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        directions=["maximize"] * n_values,
        sampler=SteadySampler(seed, sampler, startup_trials),
        load_if_exists=True,
    )
    if "identity" not in study.user_attrs:
        study.set_user_attr("identity", dict(identity))
    recover(study)
    return study


def run_trials(
    study: Study,
    total: int,
    evaluate: Callable[[Trial], Outcome],
    *,
    on_settled: Callable[[FrozenTrial], None],
    timeout: float | None = None,
) -> None:
    """Run the trials that a study still lacks, one after the other.

    A trial whose evaluation raises is recorded as failed, with its error, and the search goes on: one bad corner of
    the search space must not end it. Ctrl-C or a kill loses at most the trial in progress.

    Args:
        study: From `open_study`.
        total: Finished trials that the study shall have.
        evaluate: Draws its parameters from the trial and scores them.
        on_settled: Called with every trial that finished or failed, those of earlier calls first.
        timeout: No trial is started after so many seconds.
    """
    for trial in settled_trials(study):
        # A process killed between telling the study and telling others left them behind.
        on_settled(trial)
    deadline = time.monotonic() + (timeout or math.inf)
    for _ in range(total - len(finished_trials(study))):
        # Other workers on the same study may have finished some of them by now.
        if len(finished_trials(study)) >= total or time.monotonic() > deadline:
            break
        on_settled(_run_trial(study, evaluate))


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Trials that have a score, in order."""
    finished: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return finished


def settled_trials(study: Study) -> list[FrozenTrial]:
    """Trials that finished, or failed by themselves, in order."""
    settled = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
    return [trial for trial in settled if not is_abandoned(trial)]


def trial_times(trial: FrozenTrial) -> tuple[float, float]:
    """Start and end of a trial, seconds since the epoch."""
    start, end = trial.datetime_start, trial.datetime_complete
    return (start.timestamp() if start else 0.0), (end.timestamp() if end else 0.0)


def _run_trial(study: Study, evaluate: Callable[[Trial], Outcome]) -> FrozenTrial:
    try:
        trial = ask(study)
        return _settled(study, trial, evaluate)
    except BaseException:
        abandon_own(study)
        raise


def _settled(study: Study, trial: Trial, evaluate: Callable[[Trial], Outcome]) -> FrozenTrial:
    try:
        outcome = evaluate(trial)
        _require_number(outcome)
        for name, value in outcome.attributes.items():
            trial.set_user_attr(name, value)
    except Exception as error:
        trial.set_user_attr(ERROR, f"{type(error).__name__}: {error}"[:500])
        return study.tell(trial, state=TrialState.FAIL)
    return study.tell(trial, outcome.value)


def _require_number(outcome: Outcome) -> None:
    # Optuna would fail the trial without an error, as if its process had died, and the point would be tried again.
    values = outcome.value if isinstance(outcome.value, tuple) else (outcome.value,)
    if not all(math.isfinite(value) for value in values):
        message = f"The score must be finite, but is {outcome.value}."
        raise ValueError(message)
