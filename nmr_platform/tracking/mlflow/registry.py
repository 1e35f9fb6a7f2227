"""The registry of models: numbered versions that can be traced and made again, and the alias of the champion."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.masking import masked_uri
from nmr_platform.tracking.mlflow.models import SAID
from nmr_platform.tracking.mlflow.values import LONGEST_NOTE
from nmr_platform.tracking.protocol import ModelEntry

__all__ = ["CHAMPION", "MISSING", "Origin", "compare", "find_version", "origin_of", "register_model"]

CHAMPION = "champion"
MISSING = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}
"""What MLflow answers about a model, version or alias that is not there."""

REASON = "champion.reason"
_VERSIONS = "mlflow.modelVersions"
_COMMIT, _DIRTY = "mlflow.source.git.commit", "git.dirty"


@dataclass(frozen=True)
class Origin:
    """Where a registered version comes from.

    Attributes:
        name: The registered model.
        version: Its number.
        run_id: The run that made it.
        commit: The git commit.
        dirty: ``true`` if code or settings differed from the commit, ``false``, or ``unknown``.
        data: Digest of every data set by name.
        study: The study.
        trial: The trial whose parameters it has.
        task: The task.
        metric: What the score is.
        score: Held-out score.
        lower: Lower end of its confidence interval.
        upper: Upper end of its confidence interval.
        command: The command that makes it again and compares.
    """

    name: str
    version: str
    run_id: str
    commit: str
    dirty: str
    data: Mapping[str, str]
    study: str
    trial: str
    task: str
    metric: str
    score: float
    lower: float
    upper: float
    command: str

    def __str__(self) -> str:
        """Return all of it in a few lines."""
        data = "".join(f"\n  data {name}: {digest}" for name, digest in self.data.items())
        return (
            f"{self.name} version {self.version}: {self.metric} {self.score:.4g} [{self.lower:.4g}, {self.upper:.4g}]"
            f"\n  commit: {self.commit} (uncommitted changes: {self.dirty}){data}"
            f"\n  study: {self.study}, trial {self.trial}\n  again: {self.command}"
        )


def register_model(
    client: MlflowClient, run_id: str, logged: LoggedModel, model: ModelEntry, tags: Mapping[str, str]
) -> ModelVersion:
    """Add a version, or say anew what is said of the one that is there; the champion is who is better beyond doubt.

    A version is a model: one that is evaluated with other settings stays the version that it is, and what made it
    champion stays the reason.

    Args:
        client: The open store.
        run_id: The run that made the model.
        logged: The model as `log_model` kept it.
        model: Its registered name, score and interval.
        tags: What to say about the version.
    """
    name, card = model.registered_name, model.card[:LONGEST_NOTE]
    try:
        client.create_registered_model(name, description=_described(model))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    versions = client.search_model_versions(f"name = '{name}'")
    found = next((version for version in versions if version.source == logged.artifact_location), None)
    if found is not None and found.tags.get(SAID) == tags.get(SAID):
        _say_registered(client, logged, found)
        return found
    champion = _champion(client, name)
    said, wins = {**tags, **model.tags, **_score_tags(model)}, False
    if found is None or champion is None or champion.source != found.source:
        wins, said[REASON] = compare(model, champion)
    if found is None:
        # Not `models:/<id>`: a local store would look that up in the process-wide address instead of its own.
        made = client.create_model_version(
            name, logged.artifact_location, run_id, said, description=card, model_id=logged.model_id
        )
        client.set_model_version_tag(name, made.version, "reproduce", _command(name, made.version))
    else:
        made = client.update_model_version(name, found.version, card)
        # What says that all was said comes last.
        for tag in sorted(said, key=SAID.__eq__):
            if found.tags.get(tag) != said[tag]:
                client.set_model_version_tag(name, made.version, tag, said[tag])
    _say_registered(client, logged, made)
    if wins:
        client.set_registered_model_alias(name, CHAMPION, made.version)
    return made


def _score_tags(model: ModelEntry) -> dict[str, str]:
    scores = {"score": model.score, "score.lower": model.lower, "score.upper": model.upper}
    return {"metric": model.metric, **{tag: repr(float(value)) for tag, value in scores.items()}}


def _described(model: ModelEntry) -> str:
    champion = f"`models:/{model.registered_name}@{CHAMPION}`"
    return (
        f"It answers: {model.question}. Every version has a card of its own; {champion} is the best so far beyond "
        "doubt, and what `nmr predict` takes."
    )


def _say_registered(client: MlflowClient, logged: LoggedModel, version: ModelVersion) -> None:
    """Say it to the model's own page: a server does so itself, a store that is written directly does not."""
    versions = json.dumps([{"name": version.name, "version": str(version.version)}])
    if client.get_logged_model(logged.model_id).tags.get(_VERSIONS) is None:
        client.set_logged_model_tags(logged.model_id, {_VERSIONS: versions})


def compare(model: ModelEntry, champion: ModelVersion | None) -> tuple[bool, str]:
    """Say whether ``model`` takes over from ``champion``, and why.

    It does if the lower end of its confidence interval lies above the upper end of the champion's: a score that is
    larger by less than both are uncertain is no reason to replace a model that people use.

    Args:
        model: Its score and interval, larger is better, in the unit of its metric.
        champion: The version that is champion now; None if there is none.

    Returns:
        Whether it takes over, and the reason as a sentence for the tag ``champion.reason``.
    """
    label = model.metric or "score"
    if not math.isfinite(model.score):
        return False, f"not champion: {label} is {model.score}"
    said = f"{label} {_shown(model.score, model.lower, model.upper)}"
    if champion is None:
        return True, f"champion: the first version with a score ({said})"
    metric, number = champion.tags.get("metric", ""), champion.version
    if metric != model.metric:
        return False, f"not champion: {label} cannot be compared with {metric or 'score'} of version {number}"
    score, lower, upper = (_number(champion, tag) for tag in ("score", "score.lower", "score.upper"))
    theirs = f"{_shown(score, lower, upper)} of version {number}"
    if model.score <= score:
        doubt = "is not above"
    elif not all(map(math.isfinite, (model.lower, model.upper, lower, upper))):
        theirs, doubt = f"{theirs}, but both must have a confidence interval", "is above"
    elif model.lower <= upper:
        theirs, doubt = f"{theirs}, but the intervals overlap", "is above"
    else:
        return True, f"champion: {said} lies above {theirs}"
    return False, f"not champion: {said} {doubt} {theirs}"


def find_version(client: MlflowClient, name: str, version: str = CHAMPION) -> ModelVersion:
    """The version of that number or alias.

    Args:
        client: The open store.
        name: The registered model.
        version: Its number or alias; the champion by default.

    Raises:
        TrackingError: There is none.
    """
    try:
        if version.isdigit():
            return client.get_model_version(name, version)
        return client.get_model_version_by_alias(name, version)
    except MlflowException as error:
        if error.error_code not in MISSING:
            message = f"The registry cannot be asked about `{name}`: {masked_uri(str(error)).partition(chr(10))[0]}"
            raise TrackingError(message) from None
        message = f"Model `{name}` has no version or alias `{version}` in the registry."
        raise TrackingError(message) from error


def origin_of(version: ModelVersion) -> Origin:
    """Trace a version to the commit, data, study and trial that it comes from."""
    tags = version.tags
    return Origin(
        name=version.name,
        version=str(version.version),
        run_id=version.run_id,
        commit=tags.get(_COMMIT, "unknown"),
        dirty=tags.get(_DIRTY, "unknown"),
        data={tag.removeprefix("data."): value for tag, value in tags.items() if tag.startswith("data.")},
        study=tags.get("study", "unknown"),
        trial=tags.get("trial", "unknown"),
        task=tags.get("task", version.name.removeprefix("nmr-")),
        metric=tags.get("metric", ""),
        score=_number(version, "score"),
        lower=_number(version, "score.lower"),
        upper=_number(version, "score.upper"),
        command=tags.get("reproduce", _command(version.name, version.version)),
    )


def _command(name: str, version: object) -> str:
    return f"nmr track reproduce {name} --version {version}"


def _champion(client: MlflowClient, name: str) -> ModelVersion | None:
    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise


def _number(version: ModelVersion, tag: str) -> float:
    return float(version.tags.get(tag, "nan"))


def _shown(score: float, lower: float, upper: float) -> str:
    return (
        f"{score:.6g} [{lower:.6g}, {upper:.6g}]" if math.isfinite(lower) and math.isfinite(upper) else f"{score:.6g}"
    )
