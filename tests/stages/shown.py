"""Everything that an MLflow store shows, without the identifiers that it gave: two stores can be compared."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import yaml
from mlflow import MlflowClient

__all__ = ["everything_shown", "identifiers"]

# Identifiers of runs and processes; the models' own are in MLmodel.
_LINK = re.compile(r"\(#/[^)]*\)")
_OWN = {"nmr.writer", "mlflow.parentRunId"}
_OF_ONE_SAVE = {"artifact_path", "model_id", "model_uuid", "run_id", "utc_time_created", "model_size_bytes"}


def everything_shown(client: MlflowClient) -> dict[str, Any]:
    """Runs by experiment, parent and name; registered models by name."""
    runs = {}
    for experiment in client.search_experiments():
        found = _all_runs(client, experiment.experiment_id)
        names = {run.info.run_id: run.info.run_name for run in found}
        for run in found:
            parent = names.get(run.data.tags.get("mlflow.parentRunId", ""), "")
            key = (experiment.name, parent, run.info.run_name)
            assert key not in runs, f"{key} is there twice"
            runs[key] = _shown(client, run)
    return {
        "runs": runs,
        "registry": {model.name: _registered(client, model) for model in _models(client)},
        "experiments": {each.name: _noted(each) for each in client.search_experiments()},
    }


def identifiers(client: MlflowClient) -> set[str]:
    """Identifiers of all runs, kept models and registered versions."""
    found = {f"{model.name}/{v.version}" for model in _models(client) for v in _versions(client, model.name)}
    for experiment in client.search_experiments():
        runs = _all_runs(client, experiment.experiment_id)
        found |= {run.info.run_id for run in runs}
        found |= {each.model_id for run in runs for each in run.outputs.model_outputs}
    return found


def _noted(experiment: Any) -> dict[str, str]:
    """What an experiment says; of its views, which name runs and times, that they are there."""
    views = "mlflow.sharedViewState."
    return {name: "" if name.startswith(views) else value for name, value in experiment.tags.items()}


def _all_runs(client: MlflowClient, experiment: str) -> list[Any]:
    return list(client.search_runs([experiment], max_results=10_000))


def _models(client: MlflowClient) -> list[Any]:
    return list(client.search_registered_models())


def _versions(client: MlflowClient, name: str) -> list[Any]:
    return sorted(client.search_model_versions(f"name = '{name}'"), key=lambda version: int(version.version))


def _shown(client: MlflowClient, run: Any) -> dict[str, Any]:
    return {
        "status": run.info.status,
        "times": (run.info.start_time, run.info.end_time),
        "params": run.data.params,
        "metrics": {
            name: sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))
            for name in run.data.metrics
        },
        "tags": {name: _LINK.sub("()", value) for name, value in run.data.tags.items() if name not in _OWN},
        "inputs": sorted(
            (each.dataset.name, each.dataset.digest, each.dataset.source, each.dataset.profile, each.tags[0].value)
            for each in run.inputs.dataset_inputs
        ),
        "artifacts": _contents(run.info.artifact_uri),
        "models": [_kept(client, output.model_id) for output in run.outputs.model_outputs],
    }


def _kept(client: MlflowClient, model_id: str) -> dict[str, Any]:
    model = client.get_logged_model(model_id)
    return {
        "status": model.status,
        "tags": {name: value for name, value in model.tags.items() if name not in _OWN},
        "params": model.params,
        "metrics": sorted((metric.key, metric.value) for metric in model.metrics),
        "files": _contents(model.artifact_location),
    }


def _registered(client: MlflowClient, model: Any) -> dict[str, Any]:
    return {
        "aliases": model.aliases,
        "description": model.description,
        "versions": {
            int(version.version): (
                client.get_run(version.run_id).info.run_name,
                version.status,
                version.tags,
                version.description,
            )
            for version in _versions(client, model.name)
        },
    }


def _contents(address: str) -> dict[str, str]:
    folder = Path(url2pathname(urlsplit(address).path))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _content(path) for path in files}


def _content(path: Path) -> str:
    """Hash of a file, of MLflow's description of a model without what is new in every copy."""
    if path.name != "MLmodel":
        return sha256(path.read_bytes()).hexdigest()
    about = yaml.safe_load(path.read_text())
    return json.dumps({name: value for name, value in about.items() if name not in _OF_ONE_SAVE}, sort_keys=True)
