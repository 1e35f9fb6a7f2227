"""A worker on a study whose trials sleep: `python -m tests.integration.worker FOLDER NAME TOTAL SECONDS [mlflow]`."""

import sys
import time
from pathlib import Path

from optuna.study import Study

from nmr_platform.studies import Outcome, StudyRun, closing_storage, keep_run, open_study, run_trials
from nmr_platform.tracking import DatasetEntry, RunEntry, make_tracker

__all__ = ["RUN", "work"]


def record(name: str) -> RunEntry:
    """How the study is shown."""
    return RunEntry("sleeping", name, {"seed": 0}, {"study": name}, [DatasetEntry("none", "00ff", "nowhere")])


RUN = record


def work(folder: Path, name: str, total: int, seconds: float, tracker_kind: str) -> None:
    """Take part in the study until it is over."""
    with closing_storage(folder) as storage:
        _work(
            open_study(storage, name, {"of": name}, seed=0, sampler="random"),
            folder,
            name,
            total,
            seconds,
            tracker_kind,
        )


def _work(study: Study, folder: Path, name: str, total: int, seconds: float, tracker_kind: str) -> None:
    tracker = make_tracker(tracker_kind, root=folder)
    keep_run(study, record(name))
    run = StudyRun.open(study, tracker)

    def evaluate(trial):
        x = trial.suggest_float("x", -1.0, 1.0)
        time.sleep(seconds)
        return Outcome(-(x**2), metrics={"score": -(x**2)})

    with run.closing():
        run_trials(study, total, evaluate, on_settled=run.log_trial)
        run.log_summary()


if __name__ == "__main__":
    where, what, trials, pause, *kind = sys.argv[1:]
    work(Path(where), what, int(trials), float(pause), kind[0] if kind else "none")
