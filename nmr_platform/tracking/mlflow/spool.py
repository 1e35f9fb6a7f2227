"""What could not be sent to the tracking store yet, on disk: written before it is sent, removed once it has arrived."""

import dataclasses
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
from filelock import FileLock, Timeout

from nmr_platform.tracking.address import masked_uri
from nmr_platform.tracking.mlflow.kept_model import KeptModel
from nmr_platform.tracking.protocol import DatasetEntry, ModelEntry, RunEntry, TrialEntry

__all__ = ["Spool", "adopt_spools", "spool_folder"]

_LOCK = "lock"
_RECORD = "record.json"
_ASIDE = "aside"
_RUNS = "runs"


class Spool:
    """An ordered queue of messages in a folder of its own, which no other process touches while this one lives.

    A message is a folder that appears by one rename: ``record.json``, and a file for what is not text. Addresses in
    it have their passwords masked.

    Args:
        home: Folder of all spools for one store.
        name: This spool; by default a new one of this process.
    """

    def __init__(self, home: Path, name: str = "") -> None:
        self.home = home
        self.folder = home / (name or f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}")
        self._count = 0
        self._lock: FileLock | None = None

    def __len__(self) -> int:
        """Messages that wait, those put aside not counted."""
        return len(self._messages())

    def hold(self) -> bool:
        """Make the spool this process's own; False if another process that lives has it."""
        if self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / _LOCK, thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return False
            self._lock = lock
        return True

    def put(self, kind: str, run: str, content: Mapping[str, Any], payload: bytes | ModelEntry | None = None) -> None:
        """Append a message."""
        self.hold()
        staging = self.folder / f".{uuid4().hex}"
        staging.mkdir()
        if isinstance(payload, ModelEntry):
            content = {**content, **_write_model(payload, staging)}
        elif payload is not None:
            (staging / "payload").write_bytes(payload)
        text = json.dumps({"kind": kind, "run": run, "content": content}, default=_plain)
        (staging / _RECORD).write_text(masked_uri(text), encoding="utf-8")
        self._count = max(self._count, self._last()) + 1
        staging.rename(self.folder / f"{self._count:09d}")

    def first(self) -> tuple[Path, dict[str, Any]] | None:
        """The oldest message and where it lies."""
        waiting = self._messages()
        if not waiting:
            return None
        return waiting[0], json.loads((waiting[0] / _RECORD).read_text(encoding="utf-8"))

    def drop(self, message: Path) -> None:
        """Remove a message that has arrived."""
        shutil.rmtree(message)

    def put_aside(self, message: Path) -> None:
        """Let the messages behind one pass that the store does not take."""
        aside = self.folder / _ASIDE
        aside.mkdir(exist_ok=True)
        message.rename(aside / message.name)

    def take_up(self) -> None:
        """Let what was put aside be sent again, before the rest."""
        for message in sorted((self.folder / _ASIDE).glob("[0-9]*")):
            message.rename(self.folder / message.name)

    def keep_run(self, run: RunEntry) -> str:
        """Keep how a run is to be opened, and return the name by which messages call it."""
        name = f"spooled-{hashlib.sha256(f'{run.experiment}{chr(10)}{run.name}'.encode()).hexdigest()[:24]}"
        folder = self.home / _RUNS
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f".{uuid4().hex}"
        staging.write_text(masked_uri(json.dumps(dataclasses.asdict(run), default=_plain)), encoding="utf-8")
        staging.replace(folder / f"{name}.json")
        return name

    def kept_run(self, name: str) -> RunEntry:
        """The run that messages call ``name``."""
        values = json.loads((self.home / _RUNS / f"{name}.json").read_text(encoding="utf-8"))
        return RunEntry(**{**values, "datasets": [DatasetEntry(**item) for item in values["datasets"]]})

    def leave(self) -> None:
        """Remove the folder if nothing waits in it."""
        empty = not self._messages() and not list((self.folder / _ASIDE).glob("*"))
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if empty and self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _messages(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*"))

    def _last(self) -> int:
        waiting = self._messages()
        return int(waiting[-1].name) if waiting else 0


def read_trial(content: Mapping[str, Any]) -> TrialEntry:
    """The trial of a message."""
    return TrialEntry(**content)


def read_model(message: Path, content: Mapping[str, Any]) -> ModelEntry:
    """The model of a message."""
    return ModelEntry(
        model=KeptModel.read(message / "model"), example=pd.read_parquet(message / "example.parquet"), **content
    )


def adopt_spools(home: Path) -> Iterator[Spool]:
    """The spools of processes that are gone, each held by this one until the next is asked for."""
    folders = sorted(path.parent for path in home.glob(f"*/{_LOCK}"))
    for folder in folders:
        spool = Spool(home, folder.name)
        if folder.exists() and spool.hold():
            spool.take_up()
            try:
                yield spool
            finally:
                spool.leave()


def spool_folder(root: Path, address: object) -> Path:
    """Folder of the spools for the store at ``address``: what is meant for one store is not sent to another."""
    return root / ".nmr" / "spool" / hashlib.sha256(str(address).encode()).hexdigest()[:12]


def _write_model(record: ModelEntry, folder: Path) -> dict[str, Any]:
    KeptModel.write(record.model, record.example, folder / "model")
    record.example.to_parquet(folder / "example.parquet")
    named = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {name: value for name, value in named.items() if name not in {"model", "example"}}


def _plain(value: object) -> object:
    """Give JSON what it knows instead of arrays, NumPy numbers and paths."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
