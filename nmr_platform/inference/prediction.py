"""From files to answers: every format that can be imported, read by models of the registry or of a folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe, Recorded, Reference
from nmr_platform.errors import ConfigurationError, DataError, UnmetNeedError
from nmr_platform.exchange import (
    CORRECTIONS,
    FORMATS,
    MAGNITUDE_ONLY,
    Format,
    Method,
    Record,
    guess_format,
    measured_curve,
    options_for_reading,
    read_records,
    refuse_ignored,
)
from nmr_platform.features import by_record, naming_record
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.predictor import Predictor
from nmr_platform.physics import Experiment
from nmr_platform.schema import validate

__all__ = ["load_models", "predict_files"]

# What a record needs no sequence for.
_SEQUENCE_FREE = {"scale", "conjugate"}
# |M| is 1/2 at most; a little more with noise.
_HIGHEST = 0.6


File = Path | Mapping[str, Path]


@dataclass(frozen=True)
class _Read:
    """A record as its file gives it, or those of many curves.

    Attributes:
        content: The record, or a data set of curves.
        format: What the file is.
        begins: Whether the file says when the record begins.
    """

    content: xr.Dataset | Record
    format: Format
    begins: bool


class _Curves(NamedTuple):
    """Records on one time axis.

    Attributes:
        m: M(t), complex, shape (n, n_samples).
        time: Time of every sample after the end of the first pulse, us, shape (n_samples,).
        recorded: What is known of them.
        conditions: How they were recorded, where the file says so.
        has_phase: Whether there is more than |M|.
    """

    m: NDArray[np.complexfloating[Any, Any]]
    time: NDArray[np.float64]
    recorded: Recorded
    conditions: Conditions | None = None
    has_phase: bool = True


def predict_files(
    files: Sequence[File],
    models: Sequence[Predictor],
    *,
    format: str | None = None,
    resample: Method | None = None,
    coverage: float | None = None,
    every: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Predict every curve of every file by every model.

    Args:
        files: Files and folders of any format that can be imported, each with the records of one or many measurements;
            or, for a measurement whose records are in files of their own, these by the names of the records.
        models: The models.
        format: Format of all files, a key of `nmr_platform.exchange.FORMATS`; by their names if None.
        resample: Bring measured records onto the model's time axis by this method, see
            `nmr_platform.exchange.resample`, and take out the phase and frequency offset that are read off the echo;
            None to refuse a record of another sampling.
        coverage: Nominal coverage of the intervals, between 0 and 1; the models' own by default.
        every: Whether every model must read every file; else models that learnt from another measurement are passed
            over where one reads it.
        options: What the formats' readers take (`nmr_platform.exchange.predict_options`), and the corrections of
            `nmr_platform.exchange.measured_curve`; ``scale`` (onto the simulation's unit, where 1/2 is full
            polarisation) is taken for 1 where a text file holds no |M| above 1/2; else it is not known, and with
            ``resample`` the echo becomes 1/2 high. Times that were not recorded do not matter to models that do not
            look at them.

    Returns:
        One row for each curve and model: ``file`` (``s1=echo1.csv s2=echo2.csv`` for several), ``curve``, ``task``, and
        what `Predictor.predict` gives.

    Raises:
        DataError: A file cannot be read, or a model refuses it.
        UnmetNeedError: A model needs what a file does not give.
        ConfigurationError: An option is out of range, or has no meaning for any of the files.

    See Also:
        `Predictor.predict`, which takes arrays; `nmr_platform.exchange.import_file`, which makes a data set of a file.
    """
    formats = {path: format or guess_format(path) for file in files for path in by_record(file).values()}
    corrections = _corrections(options, [*formats.values()], resample)
    parts: list[pd.DataFrame] = []
    for file in files:
        records, before = _read(file, formats, options), len(parts)
        refusals: list[DataError] = []
        for model in models:
            try:
                with _naming(file, model):
                    answer = _answer(model, records, resample, corrections, coverage)
            except UnmetNeedError:
                raise
            except DataError as refusal:
                refusals.append(refusal)
                continue
            known = {"file": _shown(file), "curve": range(len(answer)), "task": model.facts.task_name}
            parts.append(pd.concat([pd.DataFrame(known), answer], axis=1))
        if refusals and (every or len(parts) == before):
            raise refusals[0]
    return pd.concat(parts, ignore_index=True)


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


def _corrections(options: Mapping[str, Any], formats: Sequence[str], resample: Method | None) -> dict[str, Any]:
    """The options that correct measured echoes; one that would be ignored is refused."""
    measured = any(FORMATS[name].measured for name in formats)
    readers = {key for name in formats for key in options_for_reading(FORMATS[name])}
    taken = readers | (CORRECTIONS.keys() if measured else set())
    given = options if resample is None else {**options, "resample": resample}
    refuse_ignored(given, taken | ({"resample"} if measured else set()), dict.fromkeys(formats))
    corrections = {key: value for key, value in options.items() if key in CORRECTIONS}
    idle = sorted(corrections.keys() - _SEQUENCE_FREE)
    if resample is None and idle:
        message = f"Option `--{idle[0]}` has no meaning without `--resample`."
        raise ConfigurationError(message, key=idle[0], value=corrections[idle[0]])
    return corrections


def _answer(
    model: Predictor,
    records: Mapping[str, _Read],
    resample: Method | None,
    corrections: Mapping[str, Any],
    coverage: float | None,
) -> pd.DataFrame:
    """What a model reads from the records of a file."""
    model.require_records(records)
    curves: dict[str, _Curves] = {}
    for record, needs in model.needs.items():
        with naming_record(record):
            curves[record] = _curves(records[record], model.facts.records[record], resample, corrections)
            if not curves[record].has_phase and (needs.required | needs.advised) & {"phase", "offset"}:
                message = (
                    f"Feature set `{model.facts.feature_set.name}` looks at the phase of M, but magnitudes are all "
                    "that there is: only a model of features that are of |M| can read them, see `--model`."
                )
                raise UnmetNeedError(message, need="phase", value="lost")
    return model.predict(
        {record: each.m for record, each in curves.items()},
        {record: each.time for record, each in curves.items()},
        acquisition={record: each.conditions for record, each in curves.items() if each.conditions is not None},
        recorded={record: each.recorded for record, each in curves.items()},
        # The intervals' coverage means nothing to a classifier.
        coverage=coverage if model.has_intervals else None,
    )


def _read(file: File, formats: Mapping[Path, str], options: Mapping[str, Any]) -> dict[str, _Read]:
    """The records of a measurement by name, from one file that holds all or from one for each."""
    if isinstance(file, Path):
        return _records_in(file, FORMATS[formats[file]], options)
    read: dict[str, _Read] = {}
    for record, path in file.items():
        held = _records_in(path, FORMATS[formats[path]], options)
        if "" not in held:
            message = f"`{path}` must hold one record to be read as `{record}`, but holds {', '.join(held)}."
            raise DataError(message, path=path)
        read[record] = held[""]
    return read


def _records_in(path: Path, source: Format, options: Mapping[str, Any]) -> dict[str, _Read]:
    own = {key: value for key, value in options.items() if key in options_for_reading(source)}
    held = read_records(path, format=source.name, **own)
    # Only a record of the whole length begins where it must.
    begins = source.simulated or "start" in own
    return {record: _Read(content, source, begins) for record, content in held.items()}


def _curves(read: _Read, wanted: Conditions, resample: Method | None, corrections: Mapping[str, Any]) -> _Curves:
    """What was read, a measured record corrected and on the model's time axis if that is asked for."""
    content = read.content
    if isinstance(content, xr.Dataset):
        recorded, conditions = Recorded.of_attributes(content.attrs), _conditions(content.attrs)
        has_phase = not content.attrs.get(MAGNITUDE_ONLY, False)
        return _Curves(content["m"].to_numpy(), content["time"].to_numpy(), recorded, conditions, has_phase)
    if resample is not None:
        made = measured_curve(content, wanted.experiment, method=resample, **{"outside": "zero", **corrections})
        recorded = Recorded.of_attributes(made.attrs)
        return _Curves(made["m"].to_numpy(), made["time"].to_numpy(), recorded, has_phase=content.has_phase)
    if not read.begins:
        wanted.require_time(content.time)
    recorded = _as_it_stands(content, read.format, scaled="scale" in corrections)
    signal = content.signal.conj() if corrections.get("conjugate") else content.signal
    scaled = corrections.get("scale", 1.0) * signal[None]
    return _Curves(scaled, content.time, recorded, has_phase=content.has_phase)


def _as_it_stands(record: Record, source: Format, *, scaled: bool) -> Recorded:
    """What is known of a measured record that is not corrected."""
    guessed: list[Reference] = []
    if not scaled and not (source.simulated and np.abs(record.signal).max() <= _HIGHEST):
        guessed.append("height")
    if not (source.simulated and record.has_phase):
        guessed += ["phase", "offset"]
    return Recorded(guessed=tuple(guessed))


def _conditions(attributes: Mapping[str, Any]) -> Conditions | None:
    """How a data set was recorded; None if it was imported from a format that does not say."""
    if "recipe" in attributes:
        return Conditions.of_recipe(validate(Recipe, json.loads(attributes["recipe"])))
    try:
        return Conditions.of(validate(Experiment, json.loads(attributes["experiment"])))
    except (ConfigurationError, KeyError):
        return None


def _shown(file: File) -> str:
    """A file, or those of the records, as they are written on the command line."""
    return str(file) if isinstance(file, Path) else " ".join(f"{name}={path}" for name, path in file.items())


@contextmanager
def _naming(file: File, model: Predictor) -> Iterator[None]:
    """Name the file and the model in a refusal."""
    try:
        yield
    except DataError as error:
        message = (
            f"`{_shown(file)}` cannot be read by the model of task `{model.facts.task_name}`: {error} "
            "(`nmr infer` makes a model for the measurement.)"
        )
        if isinstance(error, UnmetNeedError):
            raise UnmetNeedError(message, need=error.need, value=error.value, path=file) from error
        raise DataError(message, path=file) from error
