"""What studies are compared by, read from their runs."""

from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.entities import Run

__all__ = ["PARENT", "best_trial", "main_metric", "trials_of"]

PARENT = "mlflow.parentRunId"
"""Tag of a trial that names the run of its study."""


def main_metric(measured: Iterable[str]) -> str:
    """Which score a study maximises: what tuning calls `cv_<metric>`; empty for a pulse search.

    Args:
        measured: Names of the metrics of its run.
    """
    names = (name.removeprefix("cv_") for name in sorted(measured) if name.startswith("cv_"))
    return next((name for name in names if not name.endswith("_std")), "")


def trials_of(parent: Run) -> str:
    """The search that finds the trials of a study."""
    return f"tags.`{PARENT}` = '{parent.info.run_id}'"


def best_trial(client: MlflowClient, parent: Run) -> Run | None:
    """The best trial of a study, the earliest of equals; None if no trial came to its end.

    Args:
        client: The open store.
        parent: The run of the study.
    """
    metric = main_metric(parent.data.metrics)
    order = [f"metrics.`{f'cv_{metric}' if metric else 'score'}` DESC", "attributes.start_time ASC"]
    only = f"{trials_of(parent)} AND tags.`optuna.state` = 'finished'"
    return next(iter(client.search_runs([parent.info.experiment_id], only, max_results=1, order_by=order)), None)
