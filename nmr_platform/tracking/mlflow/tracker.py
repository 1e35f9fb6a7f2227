"""The tracker that records in MLflow: one parent run per study, one child per trial, in as few requests as it takes."""

import functools
import sqlite3
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow import artifacts, models, registry
from nmr_platform.tracking.mlflow.describing import describe_run
from nmr_platform.tracking.mlflow.runs import RunWriter, is_race
from nmr_platform.tracking.mlflow.store import open_client, require_contact, store_lock
from nmr_platform.tracking.mlflow.values import NOTE
from nmr_platform.tracking.mlflow.views import install_views
from nmr_platform.tracking.null import NullTracker
from nmr_platform.tracking.protocol import ModelEntry, RunEntry, Series, TrackingWarning, TrialEntry
from nmr_platform.tracking.provenance import environment_tags
from nmr_platform.workspace import lasting_root, repository_root

__all__ = ["MlflowTracker"]

# MLflow says INTERNAL_ERROR of a server that cannot be reached, too.
_PASSING = {"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "ABORTED"}

# A store that is there may refuse one thing, for want of space perhaps, and take the next; not for ever.
_MOST_FAILURES = 3

# MLflow's pages then open on the list of runs rather than on those for chat models.
_KIND = {"mlflow.experimentKind": "custom_model_development"}

P = ParamSpec("P")
R = TypeVar("R")


def _recorded(
    method: Callable[Concatenate["MlflowTracker", P], R],
) -> Callable[Concatenate["MlflowTracker", P], R]:
    """Count the time a method takes; without a store, do what `NullTracker` does."""

    @functools.wraps(method)
    def wrapper(self: "MlflowTracker", /, *args: P.args, **kwargs: P.kwargs) -> R:
        nothing: Callable[..., R] = getattr(self.without_store, method.__name__)
        if self.is_lost:
            return nothing(*args, **kwargs)
        started = time.perf_counter()
        try:
            return method(self, *args, **kwargs)
        except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, TrackingError) as error:
            self.note_failure(method.__name__, error)
            return nothing(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - started

    return wrapper


class MlflowTracker:
    """A tracker that writes to an MLflow store.

    It names every run and experiment itself, so that it records the same in a worker process, below `dvc repro` and
    inside `mlflow run`. The store is opened at the first call; a pickled tracker opens it again where it arrives.

    What it shows can be shown again by `nmr track sync`, so that a store that is away is no reason to stop or to wait:
    it warns once, and does nothing for the rest of this process.

    Args:
        tracking_uri: The store; by default ``MLFLOW_TRACKING_URI``, else the SQLite file ``<root>/mlflow.db``.
        root: The repository, whose commit is recorded; by default the one around the working directory.
        strict: Raise `TrackingError` where the store fails, instead of warning and going on without it.

    Attributes:
        seconds: Time spent inside the tracker so far, in seconds.
        is_lost: Whether the store was given up.
    """

    def __init__(self, tracking_uri: str | None = None, root: Path | None = None, strict: bool = True) -> None:
        self.root = (root or repository_root()).absolute()
        self.address = resolve_store(tracking_uri, self.root)
        self.strict = strict
        self.seconds = 0.0
        self.is_lost = False
        self.without_store = NullTracker(self.root)
        self._failures = 0

    def __reduce__(self) -> tuple[type["MlflowTracker"], tuple[str, Path, bool]]:
        return type(self), (self.address.uri, self.root, self.strict)

    @cached_property
    def provenance(self) -> Mapping[str, str]:
        """Tags for the code and surroundings of this process."""
        return environment_tags(self.root)

    @_recorded
    def open_run(self, run: RunEntry) -> str:
        """Start the parent run, or reopen the one of the same experiment and name; return its identifier.

        Reopening marks children that a killed process left running as killed. Settings that changed since are kept
        as tags ``param.<name>``, because MLflow never changes a parameter.
        """
        client, runs = self._opened
        with self._lock():
            return runs.open(self._experiment(client, run), run, run.provenance or self.provenance)

    @_recorded
    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """See `Tracker`.

        The child carries the settings, tags and data sets of its study, but for what is held out. A pruned trial looks
        like a killed run, and has the tag ``optuna.state`` set to ``pruned``.

        Raises:
            TrackingError: The store failed, or ``trial.state`` is unknown.
        """
        self._opened[1].log_trial(run_id, trial)

    @_recorded
    def log_metrics(self, run_id: str, metrics: Mapping[str, float | Series], *, time: float | None = None) -> None:
        """Record what the run does not have yet, in one batch; a scalar that is not finite is a tag ``metric.<name>``.

        See `Tracker`.
        """
        self._opened[1].log_metrics(run_id, metrics, time)

    @_recorded
    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """See `Tracker`; a value other than the one already there becomes a tag ``param.<name>``."""
        self._opened[1].log_params(run_id, params)

    @_recorded
    def log_files(self, run_id: str, source: Path, folder: str = "") -> None:
        """See `Tracker`; CSV tables become tables of MLflow, and pictures that are compared lie in its grid too."""
        client, runs = self._opened
        artifacts.log_files(client, runs.present(run_id), source, folder)

    @_recorded
    def log_model(self, run_id: str, model: ModelEntry) -> str:
        """Keep a model with signature and input example; return the address it can be loaded from. See `Tracker`.

        With a registered name, the model also becomes a new version there. The alias ``champion`` moves to it only
        when its score is better beyond doubt; the tag ``champion.reason`` says why it did or did not. The same model
        of the same run is kept and registered once: another evaluation of it changes its scores, its card and the
        code that they come from.

        Returns:
            ``models:/<model id>``, whether registered or not.
        """
        client, runs = self._opened
        runs.present(run_id)
        said = {models.DIGEST: models.digest_of(model), models.SAID: models.said_of(model)}
        tags = {**runs.study(run_id).tags, **said}
        with self._lock():
            logged = models.find_model(client, run_id, tags[models.DIGEST])
            if logged is None:
                logged = models.log_model(client, run_id, model, tags)
            elif logged.tags.get(models.SAID) != tags[models.SAID]:
                models.say_anew(client, run_id, logged, model, tags)
            if model.registered_name:
                registry.register_model(client, run_id, logged, model, tags)
        return f"models:/{logged.model_id}"

    @_recorded
    def close_run(self, run_id: str, *, failed: bool = False, end: float | None = None) -> None:
        """Mark the run as finished or failed, with every trial number once among its children. See `Tracker`.

        Its description is brought up to date, and so are the views of its experiment, which name its best study.
        """
        client, runs = self._opened
        with self._lock():
            runs.close(run_id, failed=failed, end=end)
            describe_run(client, run_id)
            install_views(client, runs.study(run_id).experiment)

    def note_failure(self, method: str, error: Exception) -> None:
        """Turn what the store threw into one sentence without passwords: a warning, or an error if we are strict.

        Without being strict, a run that cannot be opened is an error, too, unless the store is away.

        Args:
            method: Name of the method that failed.
            error: What it threw.

        Raises:
            TrackingError: The sentence, where it is an error.
        """
        if not isinstance(error, TrackingError):
            reason = self.address.masked(str(error)).strip().partition("\n")[0] or type(error).__name__
            message = f"The tracking store {self.address} failed at `{method}`: {reason}"
            error = StoreAwayError(message) if _may_pass(error) else TrackingError(message)
        if self.strict or (method == "open_run" and not isinstance(error, StoreAwayError)):
            # The cause may spell out the password.
            raise error from None
        self._failures += 1
        self.is_lost = self._failures >= _MOST_FAILURES or not self._is_there()
        if self._failures == 1:
            goes_on = "This command goes on without it" if self.is_lost else "The rest is recorded"
            message = f"{str(error).rstrip('.')}. {goes_on}; `nmr track sync` shows what is missing once it is back."
            warnings.warn(message, TrackingWarning, stacklevel=4)

    @cached_property
    def _opened(self) -> tuple[MlflowClient, RunWriter]:
        client = open_client(self.address)
        return client, RunWriter(client)

    def _lock(self) -> AbstractContextManager[None]:
        """Against other processes of this machine that write the same run or model."""
        return store_lock(self.address, lasting_root(self.root))

    def _is_there(self) -> bool:
        try:
            require_contact(self.address)
        except StoreAwayError:
            return False
        file = self.address.sqlite_file
        return file is None or file.exists()

    def _experiment(self, client: MlflowClient, run: RunEntry) -> str:
        name, note = run.experiment, {NOTE: run.question} if run.question else {}
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(client.create_experiment(name, self.address.artifact_location, {**_KIND, **note}))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = client.get_experiment_by_name(name)  # another machine was faster
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        if note and NOTE not in found.tags:
            client.set_experiment_tag(found.experiment_id, NOTE, run.question)
        return str(found.experiment_id)


def _may_pass(error: Exception) -> bool:
    """Whether an error may be gone when the same is asked again: no connection, a lock, a full disk."""
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING or is_race(error)
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, OperationalError)
    return isinstance(error, OSError | sqlite3.OperationalError)
