"""One path from a study to what a tracker shows of it: the same while it runs and when the tracker is rebuilt."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nmr_platform.processes import this_process
from nmr_platform.studies.attempts import OWNER, error_of
from nmr_platform.studies.figures import draw_study
from nmr_platform.studies.trials import (
    LAST_STEP,
    SPENT,
    best_trial,
    finished_trials,
    is_pruned,
    score_of,
    settled_trials,
    trial_times,
)
from nmr_platform.tracking import UNKNOWN, NullTracker, RunEntry, Series, Tracker, TrialEntry

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for figures.
    from matplotlib.figure import Figure

__all__ = ["StudyRun", "beside", "keep_run", "kept_run", "show_study", "study_metrics", "trial_entry"]

Do = Callable[[Callable[[], None]], None]

# What a trial reported by round, of boosting for instance, while it could be pruned.
_ROUNDS = "score_by_round"
_RUN, _SCORE, _FURTHER = "run", "score", "summary"
# When the study began, which process opened it last, and which code each process ran.
_BEGUN, _LAST, _PROVENANCE = "begun", "last", "provenance."


def keep_run(study: Study, run: RunEntry, score: str = "score") -> None:
    """Keep in the study how its parent run is shown.

    Args:
        study: The study.
        run: The run.
        score: What the score is called in pictures.
    """
    _keep(study, {_RUN: run.to_dict(), _SCORE: score})


def _keep(study: Study, values: Mapping[str, object]) -> None:
    kept = study.user_attrs
    for name, value in values.items():
        if kept.get(name) != value:
            study.set_user_attr(name, value)


def kept_run(study: Study) -> RunEntry:
    """The parent run as it was kept; for a study that kept none, made from its name and identity."""
    kept: Mapping[str, Any] | None = study.user_attrs.get(_RUN)
    if kept is not None:
        return RunEntry.from_dict(kept)
    experiment, _, name = study.study_name.partition("/")
    params = {key: value for key, value in study.user_attrs.get("identity", {}).items() if not isinstance(value, dict)}
    return RunEntry(experiment, name or experiment, params, {"study": study.study_name})


def trial_entry(trial: FrozenTrial) -> TrialEntry:
    """A settled trial as its child run is shown: what its `Outcome` says, or its parameters and its score."""
    start, end = trial_times(trial)
    kept, failed = trial.user_attrs, trial.state is TrialState.FAIL
    scored = {} if trial.values is None else {"score": score_of(trial)}
    measured = {} if failed else {name: _by_step(value) for name, value in (kept.get("metrics") or scored).items()}
    rounds = {step: score for step, score in trial.intermediate_values.items() if 0 < step < LAST_STEP}
    return TrialEntry(
        number=trial.number,
        params=kept.get("params") or trial.params,
        metrics={**measured, **({_ROUNDS: rounds} if rounds else {})},
        start=start,
        end=end,
        state="failed" if failed else "pruned" if is_pruned(trial) else "finished",
        tags={**kept.get("tags", {}), **({"error": error_of(trial)} if failed else {})},
    )


def _by_step(value: float | Mapping[str, float]) -> float | Series:
    """A metric as it was before a study kept it: JSON has texts for steps."""
    return {int(step): number for step, number in value.items()} if isinstance(value, Mapping) else value


def study_metrics(study: Study) -> dict[str, float | Series]:
    """What the parent run shows: how many trials there are, their time in seconds, and the metrics of the best.

    ``search_seconds`` is the time in which trials ran, ``trial_seconds`` that of all trials together, those that ran
    beside each other included. Processor seconds are those of all trials, and the memory is the most of any.
    """
    finished, settled, best = finished_trials(study), settled_trials(study), best_trial(study)
    metrics: dict[str, float | Series] = {
        "n_trials": float(len(settled)),
        "n_finished": float(len(finished)),
        "n_failed": float(sum(trial.state is TrialState.FAIL for trial in settled)),
        "n_pruned": float(sum(is_pruned(trial) for trial in settled)),
        "trial_seconds": sum(end - start for start, end in map(trial_times, settled)),
        "search_seconds": _covered(map(trial_times, settled)),
    }
    spent = [trial.user_attrs[SPENT] for trial in settled if SPENT in trial.user_attrs]
    if spent:
        metrics["system/processor_seconds"] = sum(each["processor_seconds"] for each in spent)
        metrics["system/peak_memory_mb"] = max(each["peak_memory_mb"] for each in spent)
    return metrics if best is None else {**trial_entry(best).metrics, "best_score": score_of(best), **metrics}


def _covered(intervals: Iterable[tuple[float, float]]) -> float:
    """How much time some intervals cover together, in the unit of their ends."""
    covered, until = 0.0, -math.inf
    for start, end in sorted(intervals):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered


@dataclass(frozen=True)
class StudyRun:
    """The run of a study in a tracker.

    Attributes:
        study: The study, which kept how its run is shown.
        tracker: Where it is shown.
        run_id: Identifier of the parent run.
        do: Does what the search need not wait for, at once by default; see `beside`.
    """

    study: Study
    tracker: Tracker
    run_id: str
    do: Do = field(default=lambda job: job(), repr=False, compare=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, study: Study, tracker: Tracker, do: Do | None = None) -> Self:
        """Open the parent run of a study that this process works on; the study keeps when, and which code it runs.

        Args:
            study: The study, see `keep_run`.
            tracker: Where it is shown.
            do: From `beside`, to go on while pictures are written; None to wait for them.
        """
        name = this_process()
        begun = study.user_attrs.get(_BEGUN, time.time())
        _keep(study, {_BEGUN: begun, _LAST: name, f"{_PROVENANCE}{name}": dict(tracker.provenance)})
        run = cls.show(study, tracker)
        return run if do is None else replace(run, do=do)

    @classmethod
    def show(cls, study: Study, tracker: Tracker) -> Self:
        """Open the parent run of a study with the code and the time that the study kept.

        Args:
            study: The study, see `keep_run`.
            tracker: Where it is shown.
        """
        kept = study.user_attrs
        provenance = kept.get(f"{_PROVENANCE}{kept.get(_LAST)}", UNKNOWN)
        run = replace(kept_run(study), provenance=provenance, start=kept.get(_BEGUN))
        return cls(study, tracker, tracker.open_run(run), _known=kept)

    @property
    def end(self) -> float | None:
        """When the last trial ended, seconds since the epoch; None if none has."""
        return max((trial_times(trial)[1] for trial in settled_trials(self.study)), default=None)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Close the run when the block ends: finished if it ends well, else failed."""
        failed = True
        try:
            yield
            failed = False
        finally:
            end = self.end
            self.do(lambda: self.tracker.close_run(self.run_id, failed=failed, end=end))

    def log_trial(self, trial: FrozenTrial) -> None:
        """Show a settled trial as a child, with the code that it ran on."""
        entry = trial_entry(trial)
        self.tracker.log_trial(self.run_id, replace(entry, tags={**self._provenance(trial), **entry.tags}))

    def log_summary(self, further: Mapping[str, float] | None = None) -> None:
        """Show what became of all trials: numbers, the best so far, the best parameters, and Optuna's pictures.

        Args:
            further: More numbers of the study, which keeps them; None for those that it kept.
        """
        if further is not None:
            _keep(self.study, {_FURTHER: dict(further)})
        finished = sorted(finished_trials(self.study), key=lambda trial: int(trial.number))
        best_so_far = accumulate(map(score_of, finished), max)
        kept = self.study.user_attrs
        metrics: dict[str, float | Series] = {**kept.get(_FURTHER, {}), **study_metrics(self.study)}
        metrics["best_so_far"] = {trial.number: best for trial, best in zip(finished, best_so_far, strict=True)}
        self.tracker.log_metrics(self.run_id, metrics, time=self.end)
        best = best_trial(self.study)
        if best is not None:
            params = trial_entry(best).params
            self.tracker.log_params(self.run_id, {f"best_{name}": value for name, value in params.items()})
        if isinstance(self.tracker, NullTracker):
            return  # pictures take seconds, which nobody would see
        figures = draw_study(self.study, kept.get(_SCORE, "score"))
        self.do(lambda: self._log_pictures(figures))

    def _log_pictures(self, figures: "Mapping[str, Figure]") -> None:
        with TemporaryDirectory() as folder:
            for name, figure in figures.items():
                figure.savefig(Path(folder) / f"{name}.png", dpi=100)
            self.tracker.log_files(self.run_id, Path(folder), "study")

    def _provenance(self, trial: FrozenTrial) -> Mapping[str, str]:
        """The code that the process of a trial ran, as the study keeps it."""
        name = f"{_PROVENANCE}{trial.user_attrs.get(OWNER)}"
        if name not in self._known:
            self._known.update(self.study.user_attrs)
        return self._known.get(name, {})


@contextmanager
def beside() -> Iterator[Do]:
    """A thread that does jobs in order beside the block; the block's end waits for them, and raises what they raised.

    Writing the pictures of a study takes as long as some of its trials, which can use the other cores meanwhile.
    """
    with ThreadPoolExecutor(1) as thread:
        jobs: list[Future[None]] = []
        yield lambda job: jobs.append(thread.submit(job))
    for job in jobs:
        job.result()


def show_study(study: Study, tracker: Tracker) -> int:
    """Show a whole study from what it kept; return the number of its settled trials.

    Args:
        study: The study, see `keep_run`.
        tracker: Where it is shown.
    """
    run, settled = StudyRun.show(study, tracker), settled_trials(study)
    for trial in settled:
        run.log_trial(trial)
    run.log_summary()
    tracker.close_run(run.run_id, failed=best_trial(study) is None, end=run.end)
    return len(settled)
