"""The tracker that records nothing: for tests, and for when tracking is off."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nmr_platform.tracking.protocol import ModelEntry, RunEntry, TrialEntry

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for tables and figures.
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["NullTracker"]


class NullTracker:
    """A tracker whose every method does nothing."""

    def open_run(self, run: RunEntry) -> str:
        """Return an identifier made from the run's experiment and name, the same each time."""
        return hashlib.sha256(f"{run.experiment}\n{run.name}".encode()).hexdigest()[:32]

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Do nothing."""

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Do nothing."""

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Do nothing."""

    def log_figure(self, run_id: str, name: str, figure: "Figure") -> None:
        """Do nothing."""

    def log_table(self, run_id: str, name: str, table: "pd.DataFrame") -> None:
        """Do nothing."""

    def log_dict(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Do nothing."""

    def log_model(self, run_id: str, record: ModelEntry) -> str:  # noqa: ARG002 the protocol's signature
        """Return an address that names the run; nothing can be loaded from it."""
        return f"runs:/{run_id}/model"

    def close_run(self, run_id: str, *, failed: bool = False) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    @property
    def seconds(self) -> float:
        """Time spent inside the tracker, in seconds: always 0."""
        return 0.0
