"""What a model must offer to be kept, registered and served."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for tables and figures.
    import pandas as pd

__all__ = ["FOLDER", "Deployable"]

FOLDER = "predictor"
"""Name of the folder, inside MLflow's own, that the model writes its files into."""


class Deployable(Protocol):
    """A model that writes itself to files, without pickles, and is read again by a module of its own package."""

    @property
    def loader_module(self) -> str:
        """Module with a function ``_load_pyfunc(path)`` that reads the folder and returns what MLflow shall serve."""

    @property
    def requirements(self) -> Sequence[str]:
        """Names of the installed projects that loading and predicting need."""

    @property
    def optional_columns(self) -> Sequence[str]:
        """Columns of the input that a request may leave out."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What a caller may choose beside the input, with its defaults."""

    def save(self, folder: Path) -> None:
        """Write everything that prediction needs into an empty folder."""

    def predict_table(self, table: "pd.DataFrame", options: Mapping[str, Any] | None = None) -> "pd.DataFrame":
        """Predict every row of a table as it comes from a request."""
