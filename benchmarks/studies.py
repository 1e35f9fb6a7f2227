"""How many trials a minute workers get from one study, what tracking costs, and how fast studies are listed.

Trials sleep, so that the cores of this machine do not decide. `NMR_STUDY_STORAGE` names the database; without it the
journal file is measured.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import print_table
from nmr_platform.studies import (
    Outcome,
    StudyRun,
    keep_run,
    list_studies,
    open_storage,
    open_study,
    run_trials,
)
from nmr_platform.tracking import RunEntry, make_tracker

__all__ = ["main"]

_TRIAL_SECONDS = 3.0
_TRIALS = 16
_TRACKED = 12
_WORKERS = (1, 4)
_LONG = 2000


def main() -> None:
    """Measure and print."""
    storage = "database" if os.environ.get("NMR_STUDY_STORAGE") else "journal file"
    with tempfile.TemporaryDirectory() as folder:
        rates = {workers: _rate(Path(folder), workers) for workers in _WORKERS}
        rows = [(str(workers), f"{rate:.1f}", f"{rate / rates[1]:.2f}") for workers, rate in rates.items()]
        title = f"{_TRIALS} trials of {_TRIAL_SECONDS:.0f} s on a {storage}"
        print_table(title, ("workers", "trials/min", "times one worker"), rows, note="First to last trial.")
        while_running, in_all = _tracking_share(Path(folder))
        made, listed = _listing(Path(folder))
        overheads = [
            ("tracking (MLflow, SQLite), share of a trial of 3 s", f"{while_running:.2%}"),
            (f"the same with summary, pictures and close of {_TRACKED} trials", f"{in_all:.2%}"),
            (f"making {_LONG} trials", f"{made:.1f} s"),
            (f"listing a study of {_LONG} trials", f"{listed:.2f} s"),
        ]
        print_table("Overheads", ("what", "measured"), overheads)


def _rate(folder: Path, workers: int) -> float:
    """Trials a minute, from the start of the first trial to the end of the last."""
    name = f"sleep-{workers}-{time.time_ns()}"
    command = [sys.executable, "-m", "benchmarks.studies", str(folder), name]
    processes = [subprocess.Popen(command) for _ in range(workers)]
    for process in processes:
        if process.wait():
            sys.exit(f"A worker ended with exit code {process.returncode}.")
    study = _study(folder, name)
    times = [(trial.datetime_start, trial.datetime_complete) for trial in study.trials if trial.values]
    begin, end = min(start for start, _ in times if start), max(stop for _, stop in times if stop)
    return 60 * len(times) / (end - begin).total_seconds()


def _study(folder: Path, name: str):  # type: ignore[no-untyped-def] # noqa: ANN202 Optuna has no types
    return open_study(open_storage(folder), name, {"of": name}, seed=0, sampler="random")


def _work(folder: Path, name: str) -> None:
    def evaluate(trial):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        x = trial.suggest_float("x", -1.0, 1.0)
        time.sleep(_TRIAL_SECONDS)
        return Outcome(-(x**2))

    run_trials(_study(folder, name), _TRIALS, evaluate, on_settled=lambda _: None)


def _tracking_share(folder: Path) -> tuple[float, float]:
    """Time in the tracker by the time of trials that sleep: while they run, and with summary, pictures and close."""
    tracker = make_tracker("mlflow", tracking_uri=f"sqlite:///{folder / 'mlflow.db'}", root=folder)
    study = _study(folder, f"tracked-{time.time_ns()}")
    keep_run(study, RunEntry("benchmark", "sleep", question="How long does it take?", about="Trials that sleep."))
    run = StudyRun.open(study, tracker)
    # Without what a new database takes, once.
    before, slept = tracker.seconds, _TRACKED * _TRIAL_SECONDS

    def evaluate(trial):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        x = trial.suggest_float("x", -1.0, 1.0)
        time.sleep(_TRIAL_SECONDS)
        curves = {"folds_r2": dict.fromkeys(range(5), x), "by_round": dict.fromkeys(range(25, 425, 25), x)}
        return Outcome(-(x**2), metrics={**{f"fold_{index}": x for index in range(20)}, **curves})

    with run.closing():
        run_trials(study, _TRACKED, evaluate, on_settled=run.log_trial)
        while_running = (tracker.seconds - before) / slept
        run.log_summary()
    return while_running, (tracker.seconds - before) / slept


def _listing(folder: Path) -> tuple[float, float]:
    name, begin = f"long-{time.time_ns()}", time.perf_counter()
    study = _study(folder, name)
    run_trials(study, _LONG, lambda trial: Outcome(trial.suggest_float("x", 0.0, 1.0)), on_settled=lambda _: None)
    made, begin = time.perf_counter() - begin, time.perf_counter()
    found = list_studies(open_storage(folder))
    listed = time.perf_counter() - begin
    if not any(each.name == name and each.finished == _LONG for each in found):
        sys.exit("The long study is not whole.")
    return made, listed


if __name__ == "__main__":
    _work(Path(sys.argv[1]), sys.argv[2])
