"""Predict from files: measured echoes as text, and data sets, by models of the registry or of a path."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, load
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Method, Record, TimeUnit, measured_curve, read_delimited
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.predictor import Predictor
from nmr_platform.physics import Experiment
from nmr_platform.schema import validate

__all__ = ["Curves", "Measured", "load_models", "predict_files", "read_curves"]


@dataclass(frozen=True)
class Measured:
    """How a measured record becomes one that the models know.

    Attributes:
        unit: Unit of the file's times.
        start: Time of the first point after the first pulse, us; by default the file's first time.
        scale: Factor onto the simulation's unit; by default 1, and with ``resample`` whatever makes the echo 1/2 high.
        resample: Bring the record onto the model's time axis by this method, see
            `nmr_platform.exchange.resample`, and take out the phase and frequency offset that are read off
            its echo; None to refuse a record of another sampling.
    """

    unit: TimeUnit = "us"
    start: float | None = None
    scale: float | None = None
    resample: Method | None = None


@dataclass(frozen=True)
class Curves:
    """Records of one file.

    Attributes:
        source: The file or data set.
        m: The records, complex, shape (n, n_samples).
        time: Time of every sample after the end of the first pulse, us, shape (n_samples,).
        acquisition: How they were recorded, where the file says so.
        measured: The record as the file has it, of a text file.
    """

    source: Path
    m: NDArray[np.complexfloating[Any, Any]]
    time: NDArray[np.float64]
    acquisition: Conditions | None = None
    measured: Record | None = None


def predict_files(
    files: Sequence[Path],
    models: Sequence[Predictor],
    *,
    measured: Measured | None = None,
    coverage: float | None = None,
) -> pd.DataFrame:
    """Predict every curve of every file by every model.

    Args:
        files: Text files of a measured echo, or data sets.
        models: The models.
        measured: How text files are read.
        coverage: Nominal coverage of the intervals; the models' own by default.

    Returns:
        One row for each curve and model: ``file``, ``curve``, ``task``, and what `Predictor.predict` gives.

    Raises:
        DataError: A file cannot be read, or a model refuses it.
        ConfigurationError: An option is out of range.
    """
    how = measured or Measured()
    parts = []
    for path in files:
        curves = read_curves(path, how)
        for model in models:
            with _naming(path, model):
                fitting = _brought_to(curves, model.facts.acquisition, how)
                # The intervals' coverage means nothing to a classifier.
                level = None if model.facts.residuals is None else coverage
                answer = model.predict(fitting.m, fitting.time, acquisition=fitting.acquisition, coverage=level)
            known = {"file": str(path), "curve": range(len(answer)), "task": model.facts.task_name}
            parts.append(pd.concat([pd.DataFrame(known), answer], axis=1))
    return pd.concat(parts, ignore_index=True)


def read_curves(path: Path, measured: Measured) -> Curves:
    """Read a data set, or a measured echo as text.

    Raises:
        DataError: There is no such file, or it is neither.
    """
    if path.is_dir():
        dataset = load(path)
        acquisition = _acquisition(dataset.attrs)
        return Curves(path, dataset["m"].to_numpy(), dataset["time"].to_numpy(), acquisition)
    record = read_delimited(path, unit=measured.unit, start=measured.start)
    factor = 1.0 if measured.scale is None else measured.scale
    return Curves(path, factor * record.signal[None], record.time, None, record)


def load_models(names: Sequence[str], root: Path) -> list[Predictor]:
    """Load models; a name is a path if there is one of that name, else looked up in the registry.

    Nothing else is ever opened, and nothing that comes with a model is executed.

    Args:
        names: For instance ``nmr-W@champion``, ``models:/nmr-W/3`` or a folder; empty for all champions.
        root: The project's folder.

    Raises:
        TrackingError: There is no such model.
        DataError: A model is damaged, or holds foreign types.
    """
    if names and all(Path(name).is_dir() for name in names):
        return [Predictor.load(Path(name)) for name in names]
    from nmr_platform.tracking.mlflow import ModelStore  # noqa: PLC0415 two seconds that a path does not need

    registry = ModelStore(root=root)
    loaded = []
    for name in names or registry.champions():
        with nullcontext(Path(name)) if Path(name).is_dir() else registry.files(name) as folder:
            loaded.append(Predictor.load(folder))
    return loaded


@contextmanager
def _naming(path: Path, model: Predictor) -> Iterator[None]:
    """Name the file and the model in a refusal."""
    try:
        yield
    except DataError as error:
        message = f"`{path}` cannot be read by the model of task `{model.facts.task_name}`: {error}"
        raise DataError(message, path=path) from error


def _brought_to(curves: Curves, acquisition: Conditions, how: Measured) -> Curves:
    """Resample a measured record onto the model's times, if that is asked for."""
    if curves.measured is None or how.resample is None:
        return curves
    made = measured_curve(curves.measured, acquisition.experiment, scale=how.scale, method=how.resample)
    return Curves(curves.source, made["m"].to_numpy(), made["time"].to_numpy())


def _acquisition(attributes: Mapping[str, Any]) -> Conditions | None:
    """How a data set was recorded; None if it was imported from a format that does not say."""
    if "recipe" in attributes:
        return Conditions.of_recipe(validate(Recipe, json.loads(attributes["recipe"])))
    try:
        return Conditions.of(validate(Experiment, json.loads(attributes["experiment"])))
    except (ConfigurationError, KeyError):
        return None
