"""What the rest of the package may say to an experiment tracker, and the plain records it says it with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from nmr_platform.tracking.deployable import Deployable

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for tables and figures.
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["DatasetEntry", "ModelEntry", "RunEntry", "Tracker", "TrialEntry", "closing_run"]


@dataclass(frozen=True)
class DatasetEntry:
    """A data set as a run's input.

    Attributes:
        name: Short name, for instance ``gaussian``.
        digest: Identity of the data; for a data set that DVC versions, the digest that DVC records.
        source: Path or address of the data.
        context: What it was used for: ``training``, ``test`` or ``search``.
        profile: Facts worth reading beside it, for instance the number of curves.
    """

    name: str
    digest: str
    source: str
    context: str = "training"
    profile: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RunEntry:
    """A parent run: one study.

    Attributes:
        experiment: The question it belongs to: a task name or ``pulse-design``.
        name: The study's name, unique and stable, so that a resumed study continues its run.
        params: The study's settings, flat.
        tags: Further tags; git commit, dirty flag and DVC stage are added by the tracker.
        datasets: What it reads.
    """

    experiment: str
    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[DatasetEntry] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "datasets": [asdict(dataset) for dataset in self.datasets]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The entry that `to_dict` gave."""
        return cls(**{**values, "datasets": [DatasetEntry(**dataset) for dataset in values["datasets"]]})


@dataclass(frozen=True)
class TrialEntry:
    """A child run: one trial of a study.

    Attributes:
        number: The trial's number in the study, counted from 0.
        params: What was tried.
        metrics: What came out; empty for a failed trial.
        start: Start, seconds since the epoch.
        end: End, seconds since the epoch.
        state: ``finished``, ``pruned`` or ``failed``.
        tags: Further tags.
    """

    number: int
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    start: float
    end: float
    state: str = "finished"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEntry:
    """A model to keep with a run.

    Attributes:
        model: The model, which knows how to write itself.
        example: A few rows of its input, columns named.
        registered_name: Stable name in the model registry; empty to leave it unregistered.
        score: Held-out score, larger is better; the champion alias moves only when it improves beyond doubt.
        metric: What ``score`` is, for instance ``test_r2``.
        lower: Lower end of the score's confidence interval.
        upper: Upper end of the score's confidence interval.
        tags: What else traces the version, for instance the task and the trial.
    """

    model: Deployable
    example: "pd.DataFrame"
    registered_name: str = ""
    score: float = float("nan")
    metric: str = ""
    lower: float = float("nan")
    upper: float = float("nan")
    tags: Mapping[str, str] = field(default_factory=dict)


class Tracker(Protocol):
    """Where runs are recorded. A run is named by the identifier that `open_run` returns."""

    def open_run(self, run: RunEntry) -> str:
        """Start the parent run, or reopen the one of the same experiment and name; return its identifier."""

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Record one trial as a child of the run, in one batch; a trial number already there is not recorded twice."""

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Record scalars of the run in one batch."""

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Record parameters of the run, for instance the best ones found."""

    def log_figure(self, run_id: str, name: str, figure: "Figure") -> None:
        """Keep a figure as ``name`` (with its extension, ``figures/parity.png``)."""

    def log_table(self, run_id: str, name: str, table: "pd.DataFrame") -> None:
        """Keep a table as ``name`` (CSV, ``tables/importances.csv``)."""

    def log_dict(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Keep a nested record as ``name`` (``.json`` or ``.yaml``)."""

    def log_model(self, run_id: str, record: ModelEntry) -> str:
        """Keep a fitted model with signature and input example; return the address it can be loaded from."""

    def close_run(self, run_id: str, *, failed: bool = False) -> None:
        """Mark the run as finished or failed."""

    def flush(self) -> None:
        """Wait until what was recorded has arrived, or is known to wait on disk."""

    @property
    def seconds(self) -> float:
        """Time spent inside the tracker so far, in seconds."""


@contextmanager
def closing_run(tracker: Tracker, run_id: str) -> Iterator[None]:
    """Close the run when the block ends: finished if it ends well, else failed."""
    try:
        yield
    except BaseException:
        tracker.close_run(run_id, failed=True)
        raise
    tracker.close_run(run_id)
