"""The loop of every search: ask, evaluate, tell; stop and continue at any point, alone or with other workers."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import TrialPruned, UpdateFinishedTrialError
from optuna.pruners import BasePruner, NopPruner
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from nmr_platform.errors import ConfigurationError
from nmr_platform.processes import this_process
from nmr_platform.studies.abandoned import (
    ERROR,
    OWNER,
    abandon,
    abandon_own,
    ask,
    beating,
    owner_is_alive,
    recover,
    withdraw,
)
from nmr_platform.studies.patient import is_away
from nmr_platform.studies.sampler import SamplerKind, SteadySampler
from nmr_platform.studies.trials import PRUNED, over_trials, settled_trials, trials_since_best

__all__ = ["Outcome", "open_study", "run_trials"]

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """What came out of a trial.

    Attributes:
        value: The score, larger is better.
        attributes: What else to keep with the trial; plain data.
        cost: What the score was paid with, for instance the size of the model; smaller is better. Only a study with
            two objectives has it.
        metrics: What to show of the trial; this is also what the tracker can be rebuilt from.
        params: What to show as tried if it is more than was searched, for instance fixed parameters.
        tags: What else to show of the trial.
        pruned: Whether the trial was stopped early: its value guides the sampler, but is no result.
    """

    value: float
    attributes: Mapping[str, object] = field(default_factory=dict)
    cost: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    pruned: bool = False

    @property
    def values(self) -> list[float]:
        """The objectives."""
        return [self.value] if self.cost is None else [self.value, self.cost]


def open_study(
    storage: BaseStorage,
    name: str,
    identity: Mapping[str, object],
    *,
    seed: int,
    sampler: SamplerKind = "tpe",
    startup_trials: int = 10,
    space: Mapping[str, BaseDistribution] | None = None,
    with_cost: bool = False,
    pruner: BasePruner | None = None,
) -> Study:
    """Open or make a study that maximises, and line up again the trials that a dead process left behind.

    Args:
        storage: Where studies are remembered.
        name: The study's name; it must carry a digest of ``identity``, so that a changed search is another study.
        identity: What makes trials comparable, kept with the study: search space, data digests, seed.
        seed: Seed of the sampler.
        sampler: See `SteadySampler`.
        startup_trials: Random trials before the sampler models the search space.
        space: The search space, which a grid needs.
        with_cost: Whether there is a second objective, to be made small.
        pruner: Decides from intermediate values which trials are stopped early; none are without one.

    Raises:
        ConfigurationError: The study of this name is another one, or the sampler cannot be had.
    """
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        directions=["maximize", "minimize"] if with_cost else ["maximize"],
        sampler=SteadySampler(seed, sampler, startup_trials, space),
        pruner=pruner or NopPruner(),
        load_if_exists=True,
    )
    kept, asked = study.user_attrs.get("identity"), json.loads(json.dumps(dict(identity)))
    if kept is None:
        study.set_user_attr("identity", asked)
    elif kept != asked:
        changed = sorted(key for key in kept.keys() | asked.keys() if kept.get(key) != asked.get(key))
        message = f"Study `{name}` must be continued with what it began with, but {', '.join(changed)} changed."
        raise ConfigurationError(message, key="study", value=name)
    recover(study)
    return study


def run_trials(
    study: Study,
    total: int,
    evaluate: Callable[[Trial], Outcome],
    *,
    on_settled: Callable[[FrozenTrial], None],
    timeout: float | None = None,
    patience: int | None = None,
    helping: bool = False,
) -> None:
    """Run the trials that a study still lacks, one after the other, beside whoever else works on it.

    A trial that prunes itself counts: it has told that its point is not worth more. One whose evaluation raises is
    recorded as failed, with its error, and the search goes on: one bad corner of the search space must not end it.
    What fails for want of memory, disk or connection says nothing about its point, which is tried again up to twice, as
    are the trials of killed processes. Ctrl-C or a kill loses at most the trial in progress.

    Args:
        study: From `open_study`.
        total: Finished and pruned trials that the study shall have; no more are run, however many workers there are.
        evaluate: Draws its parameters from the trial and scores them.
        on_settled: Called with every trial that this call ran; before that, and at the end, with those of earlier
            calls and dead workers.
        timeout: No trial is started after so many seconds.
        patience: No trial is started once so many have brought nothing better.
        helping: Leave when there is nothing to start, instead of waiting for the trials of others.
    """
    told: set[int] = set()

    def tell_about(trial: FrozenTrial) -> None:
        told.add(trial.number)
        on_settled(trial)

    def tell_about_the_rest() -> None:
        # A process killed between telling the study and telling others left them behind; one that lives does it itself.
        for trial in settled_trials(study):
            ours = trial.user_attrs.get(OWNER) == this_process()
            if trial.number not in told and (ours or not owner_is_alive(trial)):
                tell_about(trial)

    if not helping:
        tell_about_the_rest()
    deadline = time.monotonic() + (timeout or math.inf)
    limit = _limit(study, total)
    while time.monotonic() <= deadline and not _has_converged(study, patience):
        over, running = _taken(study)
        if over >= limit:
            break
        if over + running < limit:
            settled = _run_trial(study, evaluate, limit)
            if settled is not None:
                tell_about(settled)
        elif helping:
            break
        elif not recover(study):
            time.sleep(_POLL_SECONDS)
    if not helping:
        tell_about_the_rest()


def _limit(study: Study, total: int) -> int:
    """Trials that may be taken in this call: failures of earlier calls do not count, those of this one do."""
    points = getattr(study.sampler, "n_points", None)
    failed = len(settled_trials(study)) - len(over_trials(study))
    return (total if points is None else min(total, points)) + failed


def _taken(study: Study, before: int | None = None) -> tuple[int, int]:
    """Number of settled trials and of those that others run; of the latter those ``before`` a number."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    others = (trial.number for trial in running if trial.user_attrs.get(OWNER) != this_process())
    return len(settled_trials(study)), sum(before is None or number < before for number in others)


def _has_converged(study: Study, patience: int | None) -> bool:
    return patience is not None and trials_since_best(study) >= patience


def _run_trial(study: Study, evaluate: Callable[[Trial], Outcome], limit: int) -> FrozenTrial | None:
    """Run a trial; None if it was one too many, or came to nothing and is tried again."""
    try:
        trial = ask(study)
        if sum(_taken(study, before=trial.number)) >= limit:
            # Several workers saw room for one more. All but the first of them find out here.
            withdraw(study, _frozen(study, trial))
            return None
        with beating(study, trial):
            return _settled(study, trial, evaluate)
    except BaseException:
        abandon_own(study)
        raise


def _settled(study: Study, trial: Trial, evaluate: Callable[[Trial], Outcome]) -> FrozenTrial | None:
    try:
        try:
            outcome = evaluate(trial)
            _require_numbers(outcome)
        except TrialPruned:
            return _tell(study, trial, state=TrialState.PRUNED)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:500]
            if _is_circumstance(error):
                abandon(study, _frozen(study, trial), reason)
                return _frozen(study, trial) if ERROR in _frozen(study, trial).user_attrs else None
            trial.set_user_attr(ERROR, reason)
            return _tell(study, trial, state=TrialState.FAIL)
        for name, value in {**outcome.attributes, **_shown(outcome)}.items():
            trial.set_user_attr(name, value)
        return _tell(study, trial, outcome.values)
    except UpdateFinishedTrialError:
        # We were silent for so long that others took us for dead; the point is tried again, or has been.
        return None


def _tell(
    study: Study, trial: Trial, values: list[float] | None = None, *, state: TrialState | None = None
) -> FrozenTrial:
    if _frozen(study, trial).state is not TrialState.RUNNING:
        raise UpdateFinishedTrialError
    told: FrozenTrial = study.tell(trial, values, state=state)
    return told


def _shown(outcome: Outcome) -> dict[str, object]:
    shown = {name: dict(getattr(outcome, name)) for name in ("metrics", "params", "tags")} | {PRUNED: outcome.pruned}
    return {name: values for name, values in shown.items() if values}


def _is_circumstance(error: Exception) -> bool:
    """Whether an error is about the machine rather than about the point that was tried."""
    return isinstance(error, MemoryError | OSError) or is_away(error)


def _frozen(study: Study, trial: Trial) -> FrozenTrial:
    found: FrozenTrial = study._storage.get_trial(trial._trial_id)
    return found


def _require_numbers(outcome: Outcome) -> None:
    # Optuna would fail the trial without an error, as if its process had died, and the point would be tried again.
    for value in outcome.values:
        if not math.isfinite(value):
            message = f"The score must be finite, but is {value}."
            raise ValueError(message)
