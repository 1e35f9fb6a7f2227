"""A tracker that only remembers, to see what learning told it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.tracking.protocol import ModelEntry, RunEntry, TrialEntry

__all__ = ["RecordedRun", "RecordingTracker"]


@dataclass
class RecordedRun:
    """Everything said about one run."""

    record: RunEntry
    trials: dict[int, TrialEntry] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    artefacts: dict[str, object] = field(default_factory=dict)
    state: str = "running"


class RecordingTracker:
    """Keeps runs in a dictionary, keyed by experiment and name like the real ones."""

    def __init__(self) -> None:
        self.runs: dict[str, RecordedRun] = {}

    def open_run(self, run: RunEntry) -> str:
        run_id = f"{run.experiment}|{run.name}"
        self.runs.setdefault(run_id, RecordedRun(run)).state = "running"
        return run_id

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        self.runs[run_id].trials.setdefault(trial.number, trial)

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        self.runs[run_id].metrics |= metrics

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        self.runs[run_id].params |= params

    def log_figure(self, run_id: str, name: str, figure: Figure) -> None:
        self.runs[run_id].artefacts[name] = figure

    def log_table(self, run_id: str, name: str, table: pd.DataFrame) -> None:
        self.runs[run_id].artefacts[name] = table

    def log_dict(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        self.runs[run_id].artefacts[name] = content

    def log_model(self, run_id: str, record: ModelEntry) -> str:
        self.runs[run_id].artefacts["model"] = record
        return f"{run_id}/model"

    def close_run(self, run_id: str, *, failed: bool = False) -> None:
        self.runs[run_id].state = "failed" if failed else "finished"

    def flush(self) -> None: ...

    @property
    def seconds(self) -> float:
        return 0.0
