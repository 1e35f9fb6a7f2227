"""What the rest of the package may say to an experiment tracker, and the plain entries it says it with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for tables.
    import pandas as pd

__all__ = [
    "FOLDER",
    "HELD_OUT",
    "DatasetEntry",
    "ModelEntry",
    "RunEntry",
    "Series",
    "Tracker",
    "TrackingWarning",
    "TrialEntry",
    "closing_run",
]

FOLDER = "predictor"
"""Name of the folder that holds a model's files, inside MLflow's own too."""

HELD_OUT = "test"
"""Context of a data set whose held-out part was looked at, which no trial may do."""

Series = Mapping[int, float]
"""A metric by step, for instance the best score so far by trial."""


class TrackingWarning(UserWarning):
    """Something is not shown in the tracking store, where `nmr track sync` puts it."""


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
        tags: Further tags.
        datasets: What it reads.
        provenance: Tags of the code and surroundings that it comes from, see `Tracker.provenance`; empty for those of
            this process.
        start: When it began, seconds since the epoch; None for now.
        question: What is asked of the experiment, in words; empty where another run says it.
        about: What the study does, in Markdown; likewise.
    """

    experiment: str
    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[DatasetEntry] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    start: float | None = None
    question: str = ""
    about: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "datasets": [asdict(dataset) for dataset in self.datasets]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The entry that `to_dict` gave."""
        return cls(**{**values, "datasets": tuple(DatasetEntry(**each) for each in values.get("datasets", ()))})


@dataclass(frozen=True)
class TrialEntry:
    """A child run: one trial of a study.

    Attributes:
        number: The trial's place in the plan of the study, counted from 0.
        params: What was tried.
        metrics: What came out, values or values by step; empty for a failed trial.
        start: Start, seconds since the epoch.
        end: End, seconds since the epoch.
        state: ``finished``, ``pruned`` or ``failed``.
        tags: Further tags; they win over those of the study, whose provenance it has otherwise.
    """

    number: int
    params: Mapping[str, object]
    metrics: Mapping[str, float | Series]
    start: float
    end: float
    state: str = "finished"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEntry:
    """A model to keep with a run: a folder of files without pickles, and what must be known to load and serve them.

    Attributes:
        files: Folder of the model's files, called what it shall be called inside MLflow's own.
        loader_module: Module with a function ``_load_pyfunc(path)`` that reads them and returns a `PyfuncModel`.
        example: A few rows of its input, columns named.
        answer: What it predicts for them.
        requirements: All projects that loading and predicting need; one without a version gets the one installed here.
        optional_columns: Columns of the input that a request may leave out.
        options: What a caller may choose beside the input, with its defaults.
        registered_name: Stable name in the model registry; empty to leave it unregistered.
        score: Held-out score, larger is better; the champion alias moves only when it improves beyond doubt.
        metric: What ``score`` is, for instance ``test_r2``.
        lower: Lower end of the score's confidence interval.
        upper: Upper end of the score's confidence interval.
        tags: What else traces the version, for instance the task and the trial.
        patch: Changes that were not committed when it was made, see `uncommitted_changes`: the version keeps them.
        question: What the model answers, in words.
        card: What whoever meets it must know, in Markdown.
    """

    files: Path
    loader_module: str
    example: "pd.DataFrame"
    answer: "pd.DataFrame"
    requirements: Sequence[str] = ()
    optional_columns: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    registered_name: str = ""
    score: float = float("nan")
    metric: str = ""
    lower: float = float("nan")
    upper: float = float("nan")
    tags: Mapping[str, str] = field(default_factory=dict)
    patch: str = ""
    question: str = ""
    card: str = ""


class Tracker(Protocol):
    """Where runs are shown. A run is named by the identifier that `open_run` returns.

    Saying the same twice changes nothing: everything shown can be shown again from what studies and outputs keep.
    """

    @property
    def provenance(self) -> Mapping[str, str]:
        """Tags that say which code, by whom and with which versions this process runs."""

    @property
    def seconds(self) -> float:
        """Time spent inside the tracker so far, in seconds."""

    def open_run(self, run: RunEntry) -> str:
        """Start the parent run, or reopen the one of the same experiment and name; return its identifier."""

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Record one trial as a child of the run, in one batch; a trial number already there is not recorded twice.

        Args:
            run_id: The run.
            trial: The trial.
        """

    def log_metrics(self, run_id: str, metrics: Mapping[str, "float | Series"], *, time: float | None = None) -> None:
        """Record scalars, and series of scalars by step, in one batch.

        Args:
            run_id: The run.
            metrics: Value, or values by step, by name.
            time: When they were found, seconds since the epoch; None for now.
        """

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Record parameters of the run, for instance the best ones found.

        Args:
            run_id: The run.
            params: Value by name; values are shown as text.
        """

    def log_files(self, run_id: str, source: Path, folder: str = "") -> None:
        """Keep a file, or what a folder holds, in ``folder`` of the run's artifacts, over what has the same name.

        Args:
            run_id: The run.
            source: The file or folder.
            folder: Path below the run's artifacts; empty for their top.
        """

    def log_model(self, run_id: str, model: ModelEntry) -> str:
        """Keep a model with signature and input example; return the address it can be loaded from.

        Args:
            run_id: The run that made the model.
            model: The model.
        """

    def close_run(self, run_id: str, *, failed: bool = False, end: float | None = None) -> None:
        """Mark the run as finished or failed.

        Args:
            run_id: The run.
            failed: Whether it failed.
            end: When it ended, seconds since the epoch; None for now, or for a run that had ended before: as it did.
        """


@contextmanager
def closing_run(tracker: Tracker, run_id: str, *, end: float | None = None) -> Iterator[None]:
    """Close the run when the block ends: finished if it ends well, else failed.

    Args:
        tracker: The tracker.
        run_id: The run.
        end: When it ended, seconds since the epoch; None for now.
    """
    try:
        yield
    except BaseException:
        tracker.close_run(run_id, failed=True)
        raise
    tracker.close_run(run_id, end=end)
