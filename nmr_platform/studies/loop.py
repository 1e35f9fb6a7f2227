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
from nmr_platform.processes import peak_memory, this_process
from nmr_platform.studies.attempts import (
    ERROR,
    OWNER,
    SUPERFLUOUS,
    abandon_own,
    given_up,
    is_abandoned,
    is_last_attempt,
    is_needless,
    line_up,
    owner_is_alive,
    recover,
    try_again,
)
from nmr_platform.studies.planned import as_planned
from nmr_platform.studies.sampler import SamplerKind, SteadySampler
from nmr_platform.studies.storage import is_away, keeps_heartbeats, retrying
from nmr_platform.studies.trials import PRUNED, SPENT, settled_trials, trial_limit, trials_since_best
from nmr_platform.tracking import Series

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
        metrics: What to show of the trial, numbers or numbers by step: what the tracker can be rebuilt from, too.
        params: What to show as tried if it is more than was searched, for instance fixed parameters.
        tags: What else to show of the trial.
        pruned: Whether the trial was stopped early: its value guides the sampler, but is no result.
    """

    value: float
    attributes: Mapping[str, object] = field(default_factory=dict)
    cost: float | None = None
    metrics: Mapping[str, float | Series] = field(default_factory=dict)
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
    # Failed trials are told of by whoever runs the search, once, and not by a log with a traceback.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = retrying(
        optuna.create_study,
        study_name=name,
        storage=storage,
        directions=["maximize", "minimize"] if with_cost else ["maximize"],
        sampler=SteadySampler(seed, sampler, startup_trials, space),
        pruner=pruner or NopPruner(),
        load_if_exists=True,
    )
    kept, asked = retrying(lambda: study.user_attrs).get("identity"), json.loads(json.dumps(dict(identity)))
    if kept is None:
        retrying(study.set_user_attr, "identity", asked)
    elif kept != asked:
        changed = sorted(key for key in kept.keys() | asked.keys() if kept.get(key) != asked.get(key))
        message = f"Study `{name}` must be continued with what it began with, but {', '.join(changed)} changed."
        raise ConfigurationError(message, key="study", value=name)
    retrying(recover, study, beats=keeps_heartbeats())
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
        total: Trials that the study shall have, those that failed by themselves included; no more are run, however
            many workers there are, and however often the study is continued. If all of them failed, a later call
            tries as many more.
        evaluate: Draws its parameters from the trial and scores them.
        on_settled: Called with every trial that this call ran; before that, and at the end, with those of earlier
            calls and dead workers.
        timeout: No trial is started after so many seconds; None for no limit.
        patience: No trial is started once so many have brought nothing better; None for no limit.
        helping: Leave when there is nothing to start, instead of waiting for the trials of others.
    """
    told: set[int] = set()

    def tell_about(trial: FrozenTrial) -> None:
        told.add(trial.number)
        on_settled(trial)

    def tell_about_the_rest() -> None:
        # A process killed between telling the study and telling others left them behind; one that lives does it itself.
        for trial in retrying(settled_trials, study):
            ours = trial.user_attrs.get(OWNER) == this_process()
            if trial.number not in told and (ours or not owner_is_alive(trial)):
                tell_about(trial)

    if not helping:
        tell_about_the_rest()
    deadline = time.monotonic() + (timeout or math.inf)
    limit = retrying(trial_limit, study, total)
    while time.monotonic() <= deadline and not retrying(_has_converged, study, patience):
        over, running = retrying(_taken, study)
        if over >= limit:
            break
        if over + running < limit:
            settled = _run_trial(study, evaluate, limit)
            if settled is not None:
                tell_about(retrying(as_planned, study, settled))
        elif helping:
            break
        elif not retrying(recover, study, beats=keeps_heartbeats()):
            time.sleep(_POLL_SECONDS)
    # One that bears our name while we run none was taken up by another worker, which its database left before it could
    # write its own name.
    retrying(abandon_own, study)
    if not helping:
        tell_about_the_rest()


def _taken(study: Study, before: int | None = None) -> tuple[int, int]:
    """Number of settled trials and of those that others run; of the latter those ``before`` a number."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    others = (trial.number for trial in running if trial.user_attrs.get(OWNER) != this_process())
    return len(settled_trials(study)), sum(before is None or number < before for number in others)


def _has_converged(study: Study, patience: int | None) -> bool:
    return patience is not None and trials_since_best(study) >= patience


class _Interrupted(Exception):
    """Ctrl-C or the like, on its way through Optuna."""


class _Superfluous(Exception):
    """Several workers saw room for one more trial, and this is one too many; or its point is done already."""


class _Attempt:
    """One trial, as the objective that Optuna calls; it remembers what Optuna does not tell.

    Attributes:
        number: Of the trial; None before it has begun.
        values: What came out; None if nothing did.
        interruption: What ended it from outside.
    """

    def __init__(self, evaluate: Callable[[Trial], Outcome], limit: int) -> None:
        self._evaluate = evaluate
        self._limit = limit
        self.number: int | None = None
        self.values: list[float] | None = None
        self.interruption: BaseException | None = None

    def __call__(self, trial: Trial) -> list[float]:
        self.number = trial.number
        try:
            return self._run(trial)
        except Exception:
            raise
        except BaseException as error:
            # Optuna would fail the trial at some of these and leave it running at others.
            self.interruption = error
            raise _Interrupted from error

    def _run(self, trial: Trial) -> list[float]:
        retrying(trial.set_user_attr, OWNER, this_process())
        done_before = retrying(is_needless, trial.study, _kept(trial.study, trial.number))
        if done_before or sum(retrying(_taken, trial.study, before=trial.number)) >= self._limit:
            retrying(trial.set_user_attr, SUPERFLUOUS, True)
            raise _Superfluous
        began = time.process_time()
        try:
            outcome = self._evaluate(trial)
            _require_numbers(outcome)
        except TrialPruned:
            retrying(trial.set_user_attr, SPENT, _spent_since(began))
            raise
        except UpdateFinishedTrialError:
            raise
        except Exception as error:
            self._note(trial, error)
            raise
        for name, value in {**outcome.attributes, **_shown(outcome), SPENT: _spent_since(began)}.items():
            retrying(trial.set_user_attr, name, value)
        self.values = outcome.values
        return self.values

    def _note(self, trial: Trial, error: Exception) -> None:
        """Keep the error with the trial if it fails for good, else have its point tried again."""
        reason = f"{type(error).__name__}: {error}"[:500]
        if isinstance(error, MemoryError | OSError) or is_away(error):
            # About the machine rather than about the point that was tried.
            kept = _kept(trial.study, trial.number)
            if not is_last_attempt(kept):
                # Before the trial fails: in between, another worker would find its place free and try the same point.
                retrying(try_again, trial.study, kept)
                return
            reason = given_up(reason)
        retrying(trial.set_user_attr, ERROR, reason)


def _run_trial(study: Study, evaluate: Callable[[Trial], Outcome], limit: int) -> FrozenTrial | None:
    """Run a trial; None if it was one too many, or came to nothing and is tried again."""
    attempt = _Attempt(evaluate, limit)
    told: list[FrozenTrial] = []
    try:
        if not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            # Optuna makes a trial before it calls the objective. A process that dies in between must not leave one
            # that is nobody's, for nobody could tell that it is dead.
            line_up(study, {})
        _optimise(study, attempt, told)
    except (ValueError, UpdateFinishedTrialError):
        # We were silent for so long that others took us for dead; the point is tried again, or has been.
        if attempt.number is not None and _kept(study, attempt.number).state is TrialState.FAIL:
            return None
        retrying(abandon_own, study)
        raise
    except Exception as error:
        trial = retrying(_told_again, study, attempt)
        retrying(abandon_own, study)
        if not is_away(error):
            raise
        return trial
    except BaseException:
        retrying(abandon_own, study)
        raise
    (trial,) = told
    if attempt.interruption is not None:
        retrying(try_again, study, trial)
        raise attempt.interruption
    return None if is_abandoned(trial) else trial


def _optimise(study: Study, attempt: _Attempt, told: list[FrozenTrial]) -> None:
    """Have Optuna run the attempt; ``told`` gets the trial that it told."""
    try:
        study.optimize(attempt, n_trials=1, catch=(Exception,), callbacks=[lambda _, trial: told.append(trial)])
    except Exception as error:
        reason = _behind(error)
        if reason is error:
            raise
    else:
        return
    raise reason


def _behind(error: Exception) -> BaseException:
    """The interruption or the absence of the database that Optuna stumbled over at its own book-keeping."""
    stumbled = isinstance(error, AssertionError | UnboundLocalError)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt) or (stumbled and is_away(cause)):
            return cause
        cause = cause.__context__
    return error


def _told_again(study: Study, attempt: _Attempt) -> FrozenTrial | None:
    """Tell a score that the database did not acknowledge; None if there is none."""
    if attempt.number is None or attempt.values is None:
        return None
    trial = _kept(study, attempt.number)
    if trial.state is TrialState.RUNNING:
        trial = study.tell(attempt.number, attempt.values)
    return trial if trial.state is TrialState.COMPLETE else None


def _kept(study: Study, number: int) -> FrozenTrial:
    trial: FrozenTrial = retrying(study.get_trials, deepcopy=False)[number]
    return trial


def _spent_since(began: float) -> dict[str, float]:
    return {"processor_seconds": time.process_time() - began, "peak_memory_mb": peak_memory()}


def _shown(outcome: Outcome) -> dict[str, object]:
    shown = {name: dict(getattr(outcome, name)) for name in ("metrics", "params", "tags")} | {PRUNED: outcome.pruned}
    return {name: values for name, values in shown.items() if values}


def _require_numbers(outcome: Outcome) -> None:
    # Optuna would fail the trial without an error, as if its process had died, and the point would be tried again.
    for value in outcome.values:
        if not math.isfinite(value):
            message = f"The score must be finite, but is {value}."
            raise ValueError(message)
