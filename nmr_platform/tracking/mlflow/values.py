"""Plain values as MLflow takes them: times, texts, numbers that are finite, data sets."""

import json
import math
from collections.abc import Mapping, Sequence

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric

from nmr_platform.tracking.masking import masked_uri
from nmr_platform.tracking.protocol import HELD_OUT, DatasetEntry, Series

__all__ = [
    "LONGEST_NOTE",
    "NOTE",
    "as_texts",
    "dataset_input",
    "is_held_out",
    "metric_points",
    "milliseconds",
    "quoted",
    "split_finite",
]

NOTE = "mlflow.note.content"
"""Tag that pages show as a description, in Markdown."""

LONGEST_NOTE = 5000
"""Letters of a description that every store takes."""

_CONTEXT = "mlflow.data.context"
_LONGEST_PARAM = 6000
_LONGEST_DIGEST = 36


def dataset_input(dataset: DatasetEntry, known: Sequence[DatasetInput] = ()) -> DatasetInput:
    """Describe a data set as MLflow shows it; the digest is cut to what fits, the tag on the run has all of it.

    MLflow drops an input that the run has already, even in another context. The held-out part of a data set is
    another set than the part that was trained on, so it gets a name of its own.
    """
    used = {
        tag.value
        for item in known
        if (item.dataset.name, item.dataset.digest) == (dataset.name, dataset.digest[:_LONGEST_DIGEST])
        for tag in item.tags
    }
    name = f"{dataset.name} ({dataset.context})" if used - {dataset.context} else dataset.name
    source = masked_uri(dataset.source)
    scheme = source.partition("://")[0] if "://" in source else "local"
    described = Dataset(
        name=name,
        digest=dataset.digest[:_LONGEST_DIGEST],
        source_type=scheme,
        source=json.dumps({"url" if scheme in {"http", "https"} else "uri": source}),
        profile=json.dumps(dict(dataset.profile), default=str),
    )
    return DatasetInput(described, [InputTag(_CONTEXT, dataset.context)])


def is_held_out(item: DatasetInput) -> bool:
    """Whether a run looked at the held-out part of a data set."""
    return any(tag.key == _CONTEXT and tag.value == HELD_OUT for tag in item.tags)


def as_texts(params: Mapping[str, object]) -> dict[str, str]:
    """Parameters as MLflow keeps them: as text, of a length that fits, without passwords."""
    return {name: masked_uri(str(value))[:_LONGEST_PARAM] for name, value in params.items()}


def split_finite(metrics: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """Split off what MLflow would store as another number: infinity becomes 1.8e308 there."""
    finite = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
    rest = {f"metric.{name}": str(float(value)) for name, value in metrics.items() if not math.isfinite(value)}
    return finite, rest


def metric_points(metrics: Mapping[str, float | Series], moment: float) -> tuple[list[Metric], dict[str, str]]:
    """Scalars at step 0 and series at theirs, and what is not finite as tags.

    Args:
        metrics: Value, or values by step, by name.
        moment: When they were found, seconds since the epoch.
    """
    series = {name: value for name, value in metrics.items() if isinstance(value, Mapping)}
    finite, rest = split_finite({name: value for name, value in metrics.items() if not isinstance(value, Mapping)})
    at = milliseconds(moment)
    points = [Metric(name, value, at, 0) for name, value in finite.items()]
    for name, values in series.items():
        points += [Metric(name, float(value), at, step) for step, value in values.items() if math.isfinite(value)]
    return points, rest


def quoted(value: str) -> str:
    """A value as MLflow's searches take it."""
    return f'"{value}"' if "'" in value else f"'{value}'"


def milliseconds(seconds: float) -> int:
    """A time in seconds as MLflow counts it."""
    return round(seconds * 1000)
