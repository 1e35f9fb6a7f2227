"""Keep fitted models in MLflow: format, signature, requirements."""

import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import skops.io
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric
from mlflow.models import Model, infer_signature

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.tracker import ModelRecord

__all__ = ["log_model", "trusted_types"]

# XGBoost is here for pipelines that end in it. They stay one piece: MLflow's XGBoost format holds a bare booster only,
# and a model without its feature steps cannot predict from the columns of its own signature.
_OWN_TYPES = ("sklearn.", "numpy.", "scipy.", "nmr_platform.", "xgboost.")


def log_model(client: MlflowClient, run_id: str, record: ModelRecord, tags: Mapping[str, str]) -> LoggedModel:
    """Keep a model as an output of a run.

    This goes through the client: MLflow's own `log_model` works on a process-wide active run and address, which
    parallel workers and `mlflow run` set differently.

    Args:
        client: The open store.
        run_id: The run that made the model.
        record: The model.
        tags: What to say about it.

    Raises:
        TrackingError: The model holds types that may not be stored.
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


def trusted_types(model: object) -> list[str]:
    """Return the types in ``model`` that skops must be told to trust, all of them from libraries we fitted it with.

    Raises:
        TrackingError: A type comes from anywhere else.
    """
    found = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    foreign = sorted(name for name in found if not name.startswith(_OWN_TYPES))
    if foreign:
        message = (
            f"Argument `model` must be made of types from scikit-learn, NumPy, SciPy, XGBoost and this package, "
            f"but `{type(model).__name__}` holds {', '.join(foreign)}."
        )
        raise TrackingError(message)
    return sorted(found)


def _save(record: ModelRecord, path: Path, about: Model) -> None:
    """Write the model in the safest format that can hold it: UBJSON for XGBoost alone, else skops."""
    model, example = record.model, record.example
    with _quiet():
        signature = infer_signature(example, model.predict(example))
        if type(model).__module__.startswith("xgboost."):
            import mlflow.xgboost  # noqa: PLC0415 neither flavour is worth its import time to who logs only numbers

            mlflow.xgboost.save_model(
                model,
                str(path),
                mlflow_model=about,
                signature=signature,
                input_example=example,
                pip_requirements=_requirements("scikit-learn", _xgboost_project()),
            )
        else:
            import mlflow.sklearn  # noqa: PLC0415

            trusted = trusted_types(model)
            mlflow.sklearn.save_model(
                model,
                str(path),
                mlflow_model=about,
                signature=signature,
                input_example=example,
                pip_requirements=_requirements("scikit-learn", "skops", *_extra_projects(model, trusted)),
                serialization_format="skops",
                skops_trusted_types=trusted,
            )


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


def _requirements(*projects: str) -> list[str]:
    """Pin the projects as installed here; MLflow would take seconds to guess, and name XGBoost twice."""
    return [f"{project}=={version(project)}" for project in ("numpy", "pandas", *projects)]


def _extra_projects(model: object, trusted: list[str]) -> list[str]:
    names = [type(model).__module__, *trusted]
    own = ["nmr-platform"] if any(name.startswith("nmr_platform.") for name in names) else []
    boosted = [_xgboost_project()] if any(name.startswith("xgboost.") for name in names) else []
    return own + boosted


def _xgboost_project() -> str:
    """XGBoost comes as one of two projects with the same import name."""
    try:
        version("xgboost-cpu")
    except PackageNotFoundError:
        return "xgboost"
    return "xgboost-cpu"
