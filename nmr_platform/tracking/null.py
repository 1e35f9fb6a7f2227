"""The tracker that records nothing: where tracking is off, and for the rest of a command without its store."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from nmr_platform.tracking.protocol import ModelEntry, RunEntry, Series, TrialEntry
from nmr_platform.tracking.provenance import environment_tags
from nmr_platform.workspace import repository_root

__all__ = ["NullTracker"]


class NullTracker:
    """A tracker whose every method does nothing.

    Args:
        root: The repository, whose commit studies keep; by default the one around the working directory.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or repository_root()).absolute()

    @cached_property
    def provenance(self) -> Mapping[str, str]:
        """Tags for the code and surroundings of this process: a study keeps them though it is not shown."""
        return environment_tags(self.root)

    @property
    def seconds(self) -> float:
        """Time spent inside the tracker, in seconds: always 0."""
        return 0.0

    def open_run(self, run: RunEntry) -> str:
        """Return an identifier made from the run's experiment and name, the same each time."""
        return hashlib.sha256(f"{run.experiment}\n{run.name}".encode()).hexdigest()[:32]

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Do nothing. See `Tracker`."""

    def log_metrics(self, run_id: str, metrics: Mapping[str, float | Series], *, time: float | None = None) -> None:
        """Do nothing. See `Tracker`."""

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Do nothing. See `Tracker`."""

    def log_files(self, run_id: str, source: Path, folder: str = "") -> None:
        """Do nothing. See `Tracker`."""

    def log_model(self, run_id: str, model: ModelEntry) -> str:  # noqa: ARG002 the protocol's signature
        """Return an address that names the run; nothing can be loaded from it. See `Tracker`."""
        return f"runs:/{run_id}/model"

    def close_run(self, run_id: str, *, failed: bool = False, end: float | None = None) -> None:
        """Do nothing. See `Tracker`."""
