"""Models in MLflow: kept as files with signature and requirements, and served through one method."""

import hashlib
import json
import logging
import math
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.types import ColSpec, Schema

from nmr_platform.errors import NmrPlatformError
from nmr_platform.files import folder_digest
from nmr_platform.tracking.changes import PATCH, patch_bytes
from nmr_platform.tracking.mlflow.values import LONGEST_NOTE, NOTE, is_held_out
from nmr_platform.tracking.protocol import ModelEntry
from nmr_platform.tracking.provenance import pinned_requirements

__all__ = ["DIGEST", "SAID", "PyfuncModel", "digest_of", "find_model", "log_model", "said_of", "say_anew"]

# What MLflow does not take in the name of a model.
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_ -]+")

DIGEST = "nmr.model"
"""Tag that says which model this is, so that the same one is not kept twice."""

SAID = "nmr.said"
"""Tag with a hash of what is said about a model, which an evaluation with other settings changes."""


class _Predicts(Protocol):
    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame: ...


class PyfuncModel:
    """A model as MLflow's pyfunc flavour wants it, its refusals as answers to the caller.

    Args:
        model: Has ``predict_table(table, options)``.
    """

    def __init__(self, model: _Predicts) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row.

        Args:
            model_input: Rows to predict, with the columns of the model's input example.
            params: What the caller chose of the model's options, by name; None for nothing.

        Returns:
            What the model's ``predict_table`` answers.

        Raises:
            MlflowException: The model refused a row. A server answers with status 400 and the sentence; any other
                exception would become a page of traceback.
        """
        try:
            return self.model.predict_table(model_input, params)
        except NmrPlatformError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error


def digest_of(model: ModelEntry) -> str:
    """Hash of a model: its files, how they are asked and its name; not of its scores, nor of what it requires."""
    return _hashed(model.loader_module, dict(model.options), model.registered_name, folder_digest(model.files))


def said_of(model: ModelEntry) -> str:
    """Hash of what is said about a model: its score and interval, its tags, its card."""
    scores = [repr(float(value)) for value in (model.score, model.lower, model.upper)]
    return _hashed(model.metric, scores, dict(model.tags), model.card)


def _hashed(*facts: object) -> str:
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def find_model(client: MlflowClient, run_id: str, digest: str) -> LoggedModel | None:
    """The model of that digest among the outputs of a run, if it is whole.

    Args:
        client: The open store.
        run_id: The run that made the model.
        digest: From `digest_of`.

    Returns:
        The model; None if there is none.
    """
    for output in client.get_run(run_id).outputs.model_outputs:
        logged = client.get_logged_model(output.model_id)
        if logged.tags.get(DIGEST) == digest and logged.status == "READY":
            return logged
    return None


def log_model(client: MlflowClient, run_id: str, model: ModelEntry, tags: Mapping[str, str]) -> LoggedModel:
    """Keep a model as an output of a run.

    This goes through the client: MLflow's own `log_model` works on a process-wide active run and address, which
    parallel workers and `mlflow run` set differently.

    Args:
        client: The open store.
        run_id: The run that made the model.
        model: The model.
        tags: What to say about it.
    """
    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id,
        name=_FORBIDDEN.sub("-", model.registered_name or str(run.info.run_name)),
        source_run_id=run_id,
        tags={**tags, NOTE: model.card[:LONGEST_NOTE]},
        params=run.data.params,
    )
    try:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        _log_scores(client, run, logged, model)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            about = Model(
                artifact_path=logged.artifact_location,
                run_id=run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            )
            _save(model, path, about)
            client.log_model_artifacts(logged.model_id, str(path))
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    return client.finalize_logged_model(logged.model_id, "READY")


def say_anew(
    client: MlflowClient, run_id: str, logged: LoggedModel, model: ModelEntry, tags: Mapping[str, str]
) -> None:
    """Say of a model that is kept what another evaluation found, and which code and settings give that.

    Args:
        client: The open store.
        run_id: The run that made the model.
        logged: The model as it is kept.
        model: The same model, and what is said of it now.
        tags: What to say about it.
    """
    with tempfile.TemporaryDirectory() as folder:
        # An empty one takes the place of what was not committed before.
        patch = Path(folder) / PATCH
        patch.write_bytes(patch_bytes(model.patch))
        client.log_model_artifact(logged.model_id, str(patch))
    _log_scores(client, client.get_run(run_id), logged, model)
    # Last, for this says that all was said.
    client.set_logged_model_tags(logged.model_id, {**tags, NOTE: model.card[:LONGEST_NOTE]})


def _log_scores(client: MlflowClient, run: Run, logged: LoggedModel, model: ModelEntry) -> None:
    """Keep a model's score as MLflow says it of a model: once for every data set whose held-out part it is about."""
    if not (model.metric and math.isfinite(model.score)):
        return
    held_out = [item.dataset for item in run.inputs.dataset_inputs if is_held_out(item)]
    named = [(each.name, each.digest) for each in held_out] or [(None, None)]
    known = {(each.key, each.value, each.dataset_name, each.dataset_digest) for each in logged.metrics or ()}
    new = [names for names in named if (model.metric, model.score, *names) not in known]
    # A model has one score of a name at a time.
    moment = logged.creation_timestamp + len(known)
    metrics = [
        Metric(model.metric, model.score, moment + place, 0, logged.model_id, *names, run.info.run_id)
        for place, names in enumerate(new)
    ]
    client.log_batch(run.info.run_id, metrics=metrics)


def _save(model: ModelEntry, path: Path, about: Model) -> None:
    """Write MLflow's folder around the model's own files.

    The flavour is a loader module, not a Python model: that one is a pickle of the object, this one a name of a module
    that is installed, so that opening somebody's model runs no code of theirs.
    """
    with _quiet():
        import mlflow.pyfunc  # noqa: PLC0415 not worth its import time to who logs only numbers

        mlflow.pyfunc.save_model(
            str(path),
            loader_module=model.loader_module,
            data_path=str(model.files),
            mlflow_model=about,
            signature=_signature(model),
            input_example=(model.example, dict(model.options)) if model.options else model.example,
            pip_requirements=pinned_requirements(model.requirements),
        )
    if model.patch:
        (path / PATCH).write_bytes(patch_bytes(model.patch))


def _signature(model: ModelEntry) -> ModelSignature:
    """Types of the columns by the example, without asking for those that may be left out."""
    found = infer_signature(model.example, model.answer, params=dict(model.options) or None)
    columns = [
        ColSpec(column.type, column.name, required=column.name not in model.optional_columns)
        for column in found.inputs.inputs
    ]
    return ModelSignature(Schema(columns), found.outputs, found.params)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what MLflow says while it saves a model and nobody here can change."""
    # One misses pip, which an environment made by uv does not have, the other libraries of models made elsewhere.
    logs = [logging.getLogger(f"mlflow.utils.{name}") for name in ("environment", "requirements_utils")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Importing a flavour checks MLflow's own chat types, and says that one of them is loose.
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning)
        # Advice about integer columns that may be missing at prediction time; ours never are.
        warnings.filterwarnings("ignore", message="(?s).*Inferred schema contains integer column", category=UserWarning)
        # MLflow 3.17 compares column names with a `range`, which pandas 3.1 deprecates.
        warnings.filterwarnings("ignore", message="Operation with range is deprecated", category=DeprecationWarning)
        try:
            yield
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)
