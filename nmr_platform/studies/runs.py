"""One path from a study to what a tracker shows of it: the same while it runs and when the tracker is rebuilt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nmr_platform.studies.abandoned import ERROR
from nmr_platform.studies.figures import draw_study
from nmr_platform.studies.trials import (
    best_trial,
    finished_trials,
    is_pruned,
    score_of,
    settled_trials,
    trial_times,
)
from nmr_platform.tracking import NullTracker, RunEntry, Tracker, TrialEntry, closing_run

__all__ = ["StudyRun", "keep_run", "kept_run", "show_study", "study_metrics", "trial_entry"]

_RUN, _SCORE = "run", "score"


def keep_run(study: Study, run: RunEntry, score: str = "score") -> None:
    """Keep in the study how its parent run is shown.

    Args:
        study: The study.
        run: The run.
        score: What the score is called in pictures.
    """
    for name, value in ((_RUN, run.to_dict()), (_SCORE, score)):
        if study.user_attrs.get(name) != value:
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
    return TrialEntry(
        number=trial.number,
        params=kept.get("params") or trial.params,
        metrics={} if failed else kept.get("metrics") or scored,
        start=start,
        end=end,
        state="failed" if failed else "pruned" if is_pruned(trial) else "finished",
        # A finished trial may keep a number of this name: the standard error of its score.
        tags={**kept.get("tags", {}), **({ERROR: kept[ERROR]} if failed and ERROR in kept else {})},
    )


def study_metrics(study: Study) -> dict[str, float]:
    """What the parent run shows: how many trials there are, their time in seconds, and the metrics of the best."""
    finished, settled, best = finished_trials(study), settled_trials(study), best_trial(study)
    metrics = {
        "n_trials": float(len(finished)),
        "n_failed": float(sum(trial.state is TrialState.FAIL for trial in settled)),
        "n_pruned": float(sum(is_pruned(trial) for trial in settled)),
        "trial_seconds": sum(end - start for start, end in map(trial_times, finished)),
    }
    return metrics if best is None else {**trial_entry(best).metrics, "best_score": score_of(best), **metrics}


@dataclass(frozen=True)
class StudyRun:
    """The run of a study in a tracker.

    Attributes:
        study: The study, which kept how its run is shown.
        tracker: Where it is shown.
        run_id: Identifier of the parent run.
    """

    study: Study
    tracker: Tracker
    run_id: str

    @classmethod
    def open(cls, study: Study, tracker: Tracker) -> Self:
        """Open the parent run of a study, or go on with it."""
        return cls(study, tracker, tracker.open_run(kept_run(study)))

    def log_trial(self, trial: FrozenTrial) -> None:
        """Show a settled trial as a child."""
        self.tracker.log_trial(self.run_id, trial_entry(trial))

    def log_summary(self) -> None:
        """Show what became of all trials: numbers, the best parameters, and Optuna's pictures."""
        self.tracker.log_metrics(self.run_id, study_metrics(self.study))
        best = best_trial(self.study)
        if best is not None:
            params = trial_entry(best).params
            self.tracker.log_params(self.run_id, {f"best_{name}": value for name, value in params.items()})
        if isinstance(self.tracker, NullTracker):
            return  # pictures take seconds, which nobody would see
        for name, figure in draw_study(self.study, self.study.user_attrs.get(_SCORE, "score")).items():
            self.tracker.log_figure(self.run_id, f"study/{name}.png", figure)


def show_study(study: Study, tracker: Tracker) -> int:
    """Show a whole study from what it kept; return the number of its settled trials."""
    run, settled = StudyRun.open(study, tracker), settled_trials(study)
    with closing_run(tracker, run.run_id):
        for trial in settled:
            run.log_trial(trial)
        run.log_summary()
    return len(settled)
