"""A tracker that only remembers, to see what learning told it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from nmr_platform.tracking.protocol import ModelEntry, RunEntry, Series, TrialEntry

__all__ = ["RecordedRun", "RecordingTracker"]


@dataclass
class RecordedRun:
    """Everything said about one run."""

    record: RunEntry
    trials: dict[int, TrialEntry] = field(default_factory=dict)
    metrics: dict[str, float | Series] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    artefacts: dict[str, object] = field(default_factory=dict)
    state: str = "running"


class RecordingTracker:
    """Keeps runs in a dictionary, keyed by experiment and name like the real ones."""

    def __init__(self) -> None:
        self.runs: dict[str, RecordedRun] = {}

    provenance: Mapping[str, str] = MappingProxyType({"mlflow.source.git.commit": "0" * 40})

    def open_run(self, run: RunEntry) -> str:
        run_id = f"{run.experiment}|{run.name}"
        self.runs.setdefault(run_id, RecordedRun(run)).state = "running"
        return run_id

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        self.runs[run_id].trials.setdefault(trial.number, trial)

    def log_metrics(self, run_id: str, metrics: Mapping[str, float | Series], *, time: float | None = None) -> None:
        self.runs[run_id].metrics |= metrics

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        self.runs[run_id].params |= params

    def log_files(self, run_id: str, source: Path, folder: str = "") -> None:
        files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
        base = source if source.is_dir() else source.parent
        for path in files:
            self.runs[run_id].artefacts[(Path(folder) / path.relative_to(base)).as_posix()] = path.read_bytes()

    def log_model(self, run_id: str, model: ModelEntry) -> str:
        self.runs[run_id].artefacts["model"] = model
        return f"{run_id}/model"

    def close_run(self, run_id: str, *, failed: bool = False, end: float | None = None) -> None:
        self.runs[run_id].state = "failed" if failed else "finished"

    def flush(self) -> None: ...

    @property
    def seconds(self) -> float:
        return 0.0
