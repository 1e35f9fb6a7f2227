"""A model that waits on disk for its store: its own files, and what MLflow must know about it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from nmr_platform.tracking.deployable import Deployable

__all__ = ["KeptModel"]

_FILES, _ABOUT, _ANSWER = "files", "about.json", "answer.parquet"


@dataclass(frozen=True)
class KeptModel:
    """A `Deployable` that was written to a folder, with its answer to one example; its code is not needed to send it.

    Attributes:
        folder: What `write` made.
        loader_module: Module that reads the model's files.
        requirements: Projects that it needs.
        optional_columns: Columns that a request may leave out.
        options: What a caller may choose, with its defaults.
        answer: Its prediction for the example.
    """

    folder: Path
    loader_module: str
    requirements: Sequence[str]
    optional_columns: Sequence[str]
    options: Mapping[str, Any]
    answer: pd.DataFrame

    @staticmethod
    def write(model: Deployable, example: pd.DataFrame, folder: Path) -> None:
        """Write ``model`` into a new folder, without pickles."""
        (folder / _FILES).mkdir(parents=True)
        model.save(folder / _FILES)
        model.predict_table(example).to_parquet(folder / _ANSWER)
        about = {
            "loader_module": model.loader_module,
            "requirements": list(model.requirements),
            "optional_columns": list(model.optional_columns),
            "options": dict(model.options),
        }
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        return cls(folder, answer=pd.read_parquet(folder / _ANSWER), **about)

    def save(self, folder: Path) -> None:
        """Copy the model's files into an empty folder."""
        shutil.copytree(self.folder / _FILES, folder, dirs_exist_ok=True)

    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """The prediction for the example, whatever is asked."""
        return self.answer
