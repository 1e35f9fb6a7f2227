"""Keep models in MLflow: files, signature, requirements."""

import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import ColSpec, Schema

from nmr_platform.tracking.deployable import FOLDER
from nmr_platform.tracking.protocol import ModelEntry

__all__ = ["log_model"]


def log_model(client: MlflowClient, run_id: str, record: ModelEntry, tags: Mapping[str, str]) -> LoggedModel:
    """Keep a model as an output of a run.

    This goes through the client: MLflow's own `log_model` works on a process-wide active run and address, which
    parallel workers and `mlflow run` set differently.

    Args:
        client: The open store.
        run_id: The run that made the model.
        record: The model.
        tags: What to say about it.

    Raises:
        NmrPlatformError: The model cannot be written.
    """
    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id, name="model", source_run_id=run_id, tags=dict(tags), params=run.data.params
    )
    try:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        if record.metric and math.isfinite(record.score):
            score = Metric(record.metric, record.score, logged.creation_timestamp, 0, logged.model_id, run_id=run_id)
            client.log_batch(run_id, metrics=[score])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            about = Model(
                artifact_path=logged.artifact_location,
                run_id=run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            )
            _save(record, path, about)
            client.log_model_artifacts(logged.model_id, str(path))
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    return client.finalize_logged_model(logged.model_id, "READY")


def _save(record: ModelEntry, path: Path, about: Model) -> None:
    """Write MLflow's folder around the model's own files.

    The flavour is a loader module, not a Python model: that one is a pickle of the object, this one a name of a module
    that is installed, so that opening somebody's model runs no code of theirs.
    """
    model, example = record.model, record.example
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        import mlflow.pyfunc  # noqa: PLC0415 not worth its import time to who logs only numbers

        own = Path(folder) / FOLDER
        own.mkdir()
        model.save(own)
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=model.loader_module,
            data_path=str(own),
            mlflow_model=about,
            signature=_signature(record),
            input_example=(example, dict(model.options)) if model.options else example,
            pip_requirements=_requirements(model.requirements),
        )


def _signature(record: ModelEntry) -> ModelSignature:
    """Types of the columns by the example, without asking for those that may be left out."""
    model, example = record.model, record.example
    found = infer_signature(example, model.predict_table(example), params=dict(model.options) or None)
    columns = [
        ColSpec(column.type, column.name, required=column.name not in model.optional_columns)
        for column in found.inputs.inputs
    ]
    return ModelSignature(Schema(columns), found.outputs, found.params)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what MLflow says while it saves a model and nobody here can change."""
    log = logging.getLogger("mlflow.utils.environment")
    level = log.level
    log.setLevel(logging.ERROR)  # it misses pip, which an environment made by uv does not have
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
            log.setLevel(level)


def _requirements(projects: Sequence[str]) -> list[str]:
    """Pin the projects as installed here; MLflow would take seconds to guess, and name XGBoost twice."""
    names = {_xgboost_project() if project == "xgboost" else project for project in projects}
    return [f"{name}=={version(name)}" for name in sorted({"numpy", "pandas", *names})]


def _xgboost_project() -> str:
    """XGBoost comes as one of two projects with the same import name."""
    try:
        version("xgboost-cpu")
    except PackageNotFoundError:
        return "xgboost"
    return "xgboost-cpu"
