"""The module that MLflow calls to load a predictor."""

from pathlib import Path
from typing import TYPE_CHECKING

from nmr_platform.inference.predictor import Predictor

if TYPE_CHECKING:
    from nmr_platform.tracking.mlflow import ServedModel

__all__: list[str] = []


def _load_pyfunc(data_path: str) -> "ServedModel":
    """Load a predictor for MLflow, which finds this function by its name."""
    # MLflow takes two seconds to import, and is there already when it calls.
    from nmr_platform.tracking.mlflow import ServedModel  # noqa: PLC0415

    return ServedModel(Predictor.load(Path(data_path)))
