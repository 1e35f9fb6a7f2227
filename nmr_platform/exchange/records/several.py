"""Several records of one file: what they are called, and which sequence of a measurement each belongs to."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.format import Option
from nmr_platform.exchange.records.record import Record
from nmr_platform.exchange.records.sweep import Sweep, names_of
from nmr_platform.physics import Experiment, Measurement
from nmr_platform.schema import validate

__all__ = ["SWEEP", "EchoHeight", "as_one_measurement", "as_said", "echo_heights", "paired", "told_apart"]

SWEEP = Option(
    "what tells several records apart: tau=20,40,80 in us, or tau for the values of the file; by default what it says",
    name="sweep",
)


class EchoHeight(NamedTuple):
    """The last echo of a record.

    Attributes:
        time: When it is, us after the first pulse.
        height: |M| there, dimensionless.
    """

    time: float
    height: float


def as_said(sweep: Sweep, text: str | None, source: Path) -> Sweep:
    """What tells the records of a file apart, if the user says it instead of the file.

    Args:
        sweep: What the file says.
        text: A key, or a key and values, as `SWEEP` has it; None to believe the file.
        source: The file.

    Raises:
        ConfigurationError: The text is something else.
        DataError: There are not as many values as records, or the file has none for the key.

    Example:
        >>> as_said(Sweep(2), "tau=20,40", Path("ser"))
        Sweep(count=2, key='tau', values=(20.0, 40.0), labels=())
    """
    if text is None:
        return sweep
    key, equals, listed = text.partition("=")
    try:
        values = tuple(float(value) for value in listed.split(",")) if equals else sweep.values
    except ValueError as error:
        message = f"Option `--sweep` must be a key and numbers, such as tau=20,40,80, but is {text!r}."
        raise ConfigurationError(message, key="sweep", value=text) from error
    if len(values) != sweep.count:
        message = (
            f"Option `--sweep` must have a value for each of the {sweep.count} records of `{source}`, but has "
            f"{len(values)}."
        )
        raise DataError(message, path=source)
    return Sweep(sweep.count, key, values)


def told_apart(record: Record, sweep: Sweep, index: int) -> Record:
    """A record that tells what it has of its own."""
    return replace(record, told=replace(record.told, swept=sweep.of(index)))


def paired(
    records: Mapping[str, Record], measurement: Measurement, source: Path
) -> dict[str, tuple[Record, Experiment]]:
    """The sequence of each record.

    As many sequences as records are taken in their order. One sequence for several records stands for the sweep of
    which they tell.

    Args:
        records: The records by name.
        measurement: One sequence, or one for each record.
        source: Their file.

    Returns:
        By the name that the measurement gives it, each record and its experiment.

    Raises:
        ConfigurationError: The sequence has no such key as the records are told apart by.
        DataError: There are not as many sequences as records, or nothing tells the records apart.
    """
    swept = measurement
    if len(measurement.experiments) == 1 < len(records):
        swept = _swept(records, measurement.first, source)
    if len(swept.experiments) != len(records):
        message = (
            f"`{source}` holds {len(records)} {'records' if len(records) > 1 else 'record'}, but `--experiment` has "
            f"the sequences {', '.join(swept.experiments)}."
        )
        raise DataError(message, path=source)
    pairs = zip(swept.experiments.items(), records.values(), strict=True)
    return {name: (record, experiment) for (name, experiment), record in pairs}


def as_one_measurement(records: Mapping[str, xr.Dataset], measurement: Measurement) -> dict[str, xr.Dataset]:
    """Records of one measurement with the attributes of all together; an only one is left as it is.

    Args:
        records: A data set for each record.
        measurement: Their sequences.
    """
    if "" in records:
        return dict(records)
    digests = "".join(str(dataset.attrs["digest"]) for dataset in records.values())
    whole = {
        "whole_digest": hashlib.sha256(digests.encode()).hexdigest()[:16],
        "whole_experiment": measurement.model_dump_json(),
    }
    return {name: dataset.assign_attrs(whole) for name, dataset in records.items()}


def echo_heights(records: Mapping[str, xr.Dataset]) -> dict[str, EchoHeight]:
    """The last echo of the first curve of each record; nothing of sequences without echoes.

    Args:
        records: A data set for each record.
    """
    echoes = {name: int(dataset.attrs.get("echo_index", -1)) for name, dataset in records.items()}
    return {
        name: EchoHeight(float(records[name]["time"][at]), float(abs(records[name]["m"][0, at])))
        for name, at in echoes.items()
        if at >= 0
    }


def _swept(records: Mapping[str, Record], experiment: Experiment, source: Path) -> Measurement:
    """One sequence at all the values of which the records tell."""
    told = [record.told.swept for record in records.values()]
    if not all(told):
        message = (
            f"`{source}` holds {len(records)} records and does not say what tells them apart: `--sweep tau=20,40,80` "
            "does (us), and `--index` chooses one."
        )
        raise DataError(message, path=source)
    key = next(iter(told[0]))
    sequence = experiment.sequence.model_dump(mode="json")
    if key not in sequence:
        numbers = [name for name, value in sequence.items() if isinstance(value, float)]
        message = (
            f"Records of `{source}` differ by `{key}`, which is no key of a sequence of kind {sequence['kind']}: say "
            f"by `--sweep` which of {', '.join(numbers) or 'its keys'} differs, and how, or choose one by `--index`."
        )
        raise ConfigurationError(message, key="sweep", value=key)
    rest = {name: value for name, value in sequence.items() if name != key}
    values = [swept[key] for swept in told]
    names_of(key, values)
    return validate(Measurement, {**experiment.model_dump(mode="json"), "sequence": rest | {"sweep": {key: values}}})
