"""A tracker that never makes a trial fail or wait: it writes to disk at once, and sends from a thread of its own."""

import dataclasses
import io
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from nmr_platform.errors import StoreAwayError, TrackingError
from nmr_platform.tracking.mlflow.spool import Spool, adopt_spools, read_model, read_trial, spool_folder
from nmr_platform.tracking.mlflow.tracker import MlflowTracker
from nmr_platform.tracking.protocol import ModelEntry, RunEntry, TrialEntry

__all__ = ["SpoolingTracker", "TrackingWarning"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_ATTEMPTS = 3
_LONGEST_FLUSH = 120.0


class TrackingWarning(UserWarning):
    """Something recorded has not reached the tracking store yet."""


class SpoolingTracker:
    """Puts a spool on disk between a study and MLflow.

    Every call but `open_run` and `log_model` returns as soon as its message is on disk; a thread sends the messages in
    order. While the store is away, they wait: nothing is lost, not even if this process is killed, for the next one
    sends what it left. Nothing is doubled either, for a trial number is recorded once a run.

    Args:
        inner: The tracker that writes to the store.
        home: Folder of the spools; below the repository by default.
    """

    def __init__(self, inner: MlflowTracker, home: Path | None = None) -> None:
        self.inner = inner
        self.home = home or spool_folder(inner.lasting_root, inner.address)
        self._spool = Spool(self.home)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._known: dict[str, str] = {}
        self._seconds = 0.0
        self._away = ""
        self._refused: list[str] = []
        self._warned = False

    def __reduce__(self) -> tuple[type["SpoolingTracker"], tuple[MlflowTracker, Path]]:
        return type(self), (self.inner, self.home)

    @property
    def address(self) -> object:
        """The store."""
        return self.inner.address

    def open_run(self, run: RunEntry) -> str:
        """Start or reopen the parent run; while the store is away, return a name that stands for it."""
        begin = time.perf_counter()
        try:
            return self.inner.open_run(run)
        except StoreAwayError as error:
            self._away = str(error)
            name = self._spool.keep_run(run)
            self._put("open_run", name, {})
            return name
        finally:
            self._seconds += time.perf_counter() - begin

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Record one trial; a trial number already there is not recorded twice."""
        self._put("log_trial", run_id, dataclasses.asdict(trial))

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Record scalars."""
        self._put("log_metrics", run_id, {name: float(value) for name, value in metrics.items()})

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Record parameters."""
        self._put("log_params", run_id, dict(params))

    def log_figure(self, run_id: str, name: str, figure: Figure) -> None:
        """Keep a figure; it is drawn before this returns, so that it may change or be closed."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format=Path(name).suffix.lstrip(".") or "png", dpi=120, bbox_inches="tight")
        self._put("log_bytes", run_id, {"name": name}, buffer.getvalue())

    def log_table(self, run_id: str, name: str, table: pd.DataFrame) -> None:
        """Keep a table as CSV."""
        text = table.to_csv(index=not isinstance(table.index, pd.RangeIndex))
        self._put("log_bytes", run_id, {"name": name}, text.encode())

    def log_dict(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Keep a nested record."""
        self._put("log_dict", run_id, {"name": name, "content": content})

    def log_model(self, run_id: str, record: ModelEntry) -> str:
        """Keep a model after everything that was recorded before; while the store is away, on disk."""
        self.flush()
        if not self._spool_has_something():
            begin = time.perf_counter()
            try:
                return self.inner.log_model(self._real(run_id), record)
            except StoreAwayError as error:
                self._away = str(error)
            finally:
                self._seconds += time.perf_counter() - begin
        self._put("log_model", run_id, {}, record)
        return f"spooled:/{run_id}/model"

    def close_run(self, run_id: str, *, failed: bool = False) -> None:
        """Mark the run as finished or failed after everything before; wait for that if the store is there."""
        self._put("close_run", run_id, {"failed": failed})
        self.flush()

    def flush(self) -> None:
        """Wait until everything has been sent, or the store is away; say so once."""
        begin = time.monotonic()
        with self._changed:
            while self._spool_has_something() and not self._away and time.monotonic() - begin < _LONGEST_FLUSH:
                self._changed.wait(1.0)
        self._warn()

    @property
    def seconds(self) -> float:
        """Time that callers spent in the tracker, and processor time of the thread that sends, in seconds."""
        return self._seconds

    def _put(self, kind: str, run: str, content: Mapping[str, Any], payload: bytes | ModelEntry | None = None) -> None:
        begin = time.perf_counter()
        try:
            with self._changed:
                self._spool.put(kind, run, content, payload)
                self._start()
                self._changed.notify_all()
        except OSError as error:
            # Not even the disk here takes it: a trial must not fail for that.
            warnings.warn(
                f"`{kind}` of run {run} is lost, for it cannot be kept: {error}", TrackingWarning, stacklevel=3
            )
        self._seconds += time.perf_counter() - begin

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send_all, name="tracking", daemon=True)
            self._thread.start()

    def _spool_has_something(self) -> bool:
        return len(self._spool) > 0

    def _send_all(self) -> None:
        """The thread: send what dead processes left, then our own messages as they come."""
        pause, adopted = _FIRST_PAUSE, False
        while True:
            begin = time.thread_time()
            try:
                if not adopted:
                    for spool in adopt_spools(self.home):
                        self._send(spool)
                    adopted = True
                self._send(self._spool)
                self._away, pause = "", _FIRST_PAUSE
            except StoreAwayError as error:
                self._away = str(error)
            with self._changed:
                self._seconds += time.thread_time() - begin
                self._changed.notify_all()
                if self._away:
                    # Not woken by new messages: a store that is away is asked less and less often.
                    deadline = time.monotonic() + pause
                    while (left := deadline - time.monotonic()) > 0:
                        self._changed.wait(left)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                elif not self._spool_has_something() and not self._changed.wait(timeout=5.0):
                    self._thread = None
                    self._spool.leave()
                    return

    def send_left(self) -> int:
        """Send what dead processes left on this machine's disk; return how many messages.

        Raises:
            StoreAwayError: The store is away.
        """
        return sum(self._send(spool) for spool in adopt_spools(self.home))

    def _send(self, spool: Spool) -> int:
        sent = attempts = 0
        while (found := spool.first()) is not None:
            message, record = found
            try:
                self._deliver(spool, message, record)
                spool.drop(message)
                sent, attempts = sent + 1, 0
            except StoreAwayError:
                if not self.inner.is_there():
                    raise
                attempts += 1
                if attempts < _ATTEMPTS:
                    time.sleep(_FIRST_PAUSE)
                else:
                    # A store that answers but does not take this one, for want of space perhaps, may take the next.
                    self._lay_aside(spool, message, record, "the store failed")
                    attempts = 0
            except (TrackingError, OSError, ValueError, TypeError, KeyError) as error:
                self._lay_aside(spool, message, record, str(error))
        return sent

    def _lay_aside(self, spool: Spool, message: Path, record: Mapping[str, Any], reason: str) -> None:
        spool.put_aside(message)
        self._refused.append(f"{record['kind']}: {reason}")

    def _deliver(self, spool: Spool, message: Path, record: Mapping[str, Any]) -> None:
        kind, content = record["kind"], record["content"]
        run_id = self._real(record["run"], spool)
        match kind:
            case "open_run":
                pass
            case "log_trial":
                self.inner.log_trial(run_id, read_trial(content))
            case "log_bytes":
                self.inner.log_bytes(run_id, content["name"], (message / "payload").read_bytes())
            case "log_dict":
                self.inner.log_dict(run_id, content["name"], content["content"])
            case "log_model":
                self.inner.log_model(run_id, read_model(message, content))
            case "close_run":
                self.inner.close_run(run_id, failed=content["failed"])
            case "log_metrics":
                self.inner.log_metrics(run_id, content)
            case "log_params":
                self.inner.log_params(run_id, content)

    def _real(self, run: str, spool: Spool | None = None) -> str:
        """The identifier in the store of a run that was opened while it was away."""
        if not run.startswith("spooled-"):
            return run
        if run not in self._known:
            self._known[run] = self.inner.open_run((spool or self._spool).kept_run(run))
        return self._known[run]

    def _warn(self) -> None:
        waiting = len(self._spool)
        if waiting and self._away and not self._warned:
            self._warned = True
            message = (
                f"{self._away.rstrip('.')}. {waiting} messages wait in {self.home}; the next run of any command, "
                "or `nmr track sync`, sends them."
            )
            warnings.warn(message, TrackingWarning, stacklevel=3)
        if self._refused:
            what, self._refused = "; ".join(self._refused[:3]), []
            message = f"The tracking store {self.address} did not take everything; it is kept in {self.home} ({what})."
            warnings.warn(message, TrackingWarning, stacklevel=3)
