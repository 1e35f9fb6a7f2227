"""The tracker that records in MLflow: one parent run per study, one child per trial, in as few requests as it takes."""

import functools
import io
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pandas as pd
import yaml
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking.address import masked_uri, resolve_store
from nmr_platform.tracking.mlflow import models, registry
from nmr_platform.tracking.mlflow.runs import RunWriter, is_race
from nmr_platform.tracking.mlflow.store import open_client, require_contact, store_lock
from nmr_platform.tracking.protocol import ModelEntry, RunEntry, TrialEntry
from nmr_platform.tracking.provenance import environment_tags, uncommitted_changes
from nmr_platform.workspace import lasting_root, repository_root

__all__ = ["MlflowTracker"]

# MLflow says INTERNAL_ERROR of a server that cannot be reached, too.
_PASSING = {"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "ABORTED"}

# MLflow's pages then open on the list of runs rather than on those for chat models.
_KIND = {"mlflow.experimentKind": "custom_model_development"}

P = ParamSpec("P")
R = TypeVar("R")


def _recorded(
    method: Callable[Concatenate["MlflowTracker", P], R],
) -> Callable[Concatenate["MlflowTracker", P], R]:
    """Count the time a method takes, and turn what the store throws into one sentence without passwords."""

    @functools.wraps(method)
    def wrapper(self: "MlflowTracker", /, *args: P.args, **kwargs: P.kwargs) -> R:
        started = time.perf_counter()
        try:
            return method(self, *args, **kwargs)
        except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
            reason = masked_uri(str(error)).strip().partition("\n")[0] or type(error).__name__
            message = f"The tracking store {self.address} failed at `{method.__name__}`: {reason}"
            # The cause may spell out the password.
            raise (StoreAwayError if _may_pass(error) else TrackingError)(message) from None
        finally:
            self.add_seconds(time.perf_counter() - started)

    return wrapper


class MlflowTracker:
    """A tracker that writes to an MLflow store.

    It names every run and experiment itself, so that it records the same in a worker process, below `dvc repro` and
    inside `mlflow run`. The store is opened at the first call; a pickled tracker opens it again where it arrives.

    Args:
        tracking_uri: The store; by default ``MLFLOW_TRACKING_URI``, else the SQLite file ``<root>/mlflow.db``.
        root: The repository, whose commit is recorded; by default the one around the working directory.
    """

    def __init__(self, tracking_uri: str | None = None, root: Path | None = None) -> None:
        self.root = (root or repository_root()).absolute()
        self.address = resolve_store(tracking_uri, self.root)
        self._lock = threading.Lock()
        self._seconds = 0.0
        self._opened: tuple[MlflowClient, RunWriter] | None = None

    def __reduce__(self) -> tuple[type["MlflowTracker"], tuple[str, Path]]:
        return type(self), (self.address.uri, self.root)

    @_recorded
    def open_run(self, run: RunEntry) -> str:
        """Start the parent run, or reopen the one of the same experiment and name; return its identifier.

        Reopening marks children that a killed process left running as killed. Settings that changed since are kept
        as tags ``param.<name>``, because MLflow never changes a parameter.
        """
        client, runs = self._open()
        with store_lock(self.address, self.lasting_root):
            experiment = self._experiment(client, run.experiment)
            return runs.open(experiment, run, environment_tags(self.root))

    @_recorded
    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Record one trial as a child of the run, in one batch; a trial number already there is not recorded twice.

        The child carries the settings, tags and data sets of its study. Pruned trials are finished runs with the tag
        ``optuna.state`` set to ``pruned``: they did what they should.

        Raises:
            TrackingError: The store failed, or ``trial.state`` is unknown.
        """
        _, runs = self._open()
        runs.log_trial(run_id, trial)

    @_recorded
    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Record scalars of the run in one batch; one that is not finite becomes a tag ``metric.<name>``."""
        _, runs = self._open()
        runs.log_metrics(run_id, metrics)

    @_recorded
    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Record parameters of the run; a value other than the one already there becomes a tag ``param.<name>``."""
        _, runs = self._open()
        runs.log_params(run_id, params)

    @_recorded
    def log_figure(self, run_id: str, name: str, figure: Figure) -> None:
        """Keep a figure as ``name`` (with its extension, ``figures/parity.png``); the figure stays open."""
        client, _ = self._open()
        client.log_figure(run_id, figure, name, save_kwargs={"dpi": 120, "bbox_inches": "tight"})

    @_recorded
    def log_table(self, run_id: str, name: str, table: pd.DataFrame) -> None:
        """Keep a table as ``name`` (CSV); the index is written unless it only counts the rows."""
        client, _ = self._open()
        buffer = io.StringIO()
        table.to_csv(buffer, index=not isinstance(table.index, pd.RangeIndex))
        client.log_text(run_id, buffer.getvalue(), name)

    @_recorded
    def log_bytes(self, run_id: str, name: str, content: bytes) -> None:
        """Keep the bytes of a file as ``name``."""
        client, _ = self._open()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            path.write_bytes(content)
            client.log_artifact(run_id, str(path), str(Path(name).parent) if Path(name).parent.name else None)

    @_recorded
    def log_dict(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Keep a nested record as ``name`` (``.json`` or ``.yaml``), passwords in addresses masked."""
        client, _ = self._open()
        text = json.dumps(content, indent=2, default=_plain)
        if Path(name).suffix in {".yaml", ".yml"}:
            text = yaml.safe_dump(json.loads(text), sort_keys=False)
        client.log_text(run_id, masked_uri(text), name)

    @_recorded
    def log_model(self, run_id: str, record: ModelEntry) -> str:
        """Keep a fitted model with signature and input example; return the address it can be loaded from.

        With a registered name, the model also becomes a new version there. The alias ``champion`` moves to it only
        when its score is better beyond doubt; the tag ``champion.reason`` says why it did or did not.

        Returns:
            ``models:/<model id>``, whether registered or not.
        """
        client, runs = self._open()
        tags = runs.study(run_id).tags
        logged = models.log_model(client, run_id, record, tags)
        if record.registered_name:
            registry.register_model(client, run_id, logged, record, tags)
            if patch := uncommitted_changes(self.root):
                # Without it the commit alone would not make the model again.
                client.log_text(run_id, masked_uri(patch), "source/uncommitted.patch")
        return f"models:/{logged.model_id}"

    @_recorded
    def close_run(self, run_id: str, *, failed: bool = False) -> None:
        """Mark the run as finished or failed, with every trial number once among its children."""
        client, runs = self._open()
        with store_lock(self.address, self.lasting_root):
            runs.drop_doubles(run_id)
        client.set_terminated(run_id, "FAILED" if failed else "FINISHED")

    def is_there(self) -> bool:
        """Whether the store answers."""
        try:
            require_contact(self.address)
        except StoreAwayError:
            return False
        return True

    @property
    def lasting_root(self) -> Path:
        """The repository, even if this is the copy of it in which DVC runs an experiment."""
        return lasting_root(self.root)

    def flush(self) -> None:
        """Do nothing: every call has written before it returns."""

    @property
    def seconds(self) -> float:
        """Time spent inside the tracker so far, in seconds."""
        return self._seconds

    def add_seconds(self, seconds: float) -> None:
        """Count time, in seconds, as spent inside the tracker."""
        with self._lock:
            self._seconds += seconds

    def _open(self) -> tuple[MlflowClient, RunWriter]:
        with self._lock:
            if self._opened is None:
                client = open_client(self.address)
                self._opened = client, RunWriter(client)
            return self._opened

    def _experiment(self, client: MlflowClient, name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(client.create_experiment(name, self.address.artifact_location, dict(_KIND)))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = client.get_experiment_by_name(name)  # another machine was faster
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def _may_pass(error: Exception) -> bool:
    """Whether an error may be gone when the same is asked again: no connection, a lock, a full disk."""
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING or is_race(error)
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, OperationalError)
    return isinstance(error, OSError | sqlite3.OperationalError)


def _plain(value: object) -> object:
    """Give JSON what it knows instead of arrays, NumPy numbers and paths."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
