"""Rebuild what MLflow shows from what the studies remember."""

from dataclasses import dataclass

from optuna.study import Study

from nmr_platform.errors import TrackingError
from nmr_platform.studies import (
    best_trial,
    closing_storage,
    kept_run,
    load_studies,
    settled_trials,
    study_metrics,
    trial_entry,
)
from nmr_platform.tracking import Tracker, closing_run, make_tracker
from nmr_platform.workspace import Workspace

__all__ = ["Synced", "sync_tracking"]


@dataclass(frozen=True)
class Synced:
    """What was sent.

    Attributes:
        store: The tracking store, its password masked.
        messages: Messages of dead processes that waited on this disk.
        studies: Studies in the study storage.
        trials: Their trials, all of which the store now has.
    """

    store: str
    messages: int
    studies: int
    trials: int


def sync_tracking(workspace: Workspace) -> Synced:
    """Send what waits on this disk, then every study with its trials; what is there already is not doubled.

    Raises:
        TrackingError: The store is away, or refuses something.
    """
    from nmr_platform.tracking.mlflow import SpoolingTracker  # noqa: PLC0415

    spooling = make_tracker("mlflow", root=workspace.root)
    if not isinstance(spooling, SpoolingTracker):
        message = "Only MLflow can be rebuilt."
        raise TrackingError(message)
    messages = spooling.send_left()
    with closing_storage(workspace.studies) as storage:
        studies = load_studies(storage)
        trials = sum(_send(study, spooling.inner) for study in studies)
    return Synced(str(spooling.address), messages, len(studies), trials)


def _send(study: Study, tracker: Tracker) -> int:
    """Show a study with its trials; return how many there are."""
    settled, best = settled_trials(study), best_trial(study)
    run_id = tracker.open_run(kept_run(study))
    with closing_run(tracker, run_id):
        for trial in settled:
            tracker.log_trial(run_id, trial_entry(trial))
        tracker.log_metrics(run_id, study_metrics(study))
        if best is not None:
            shown = trial_entry(best)
            tracker.log_params(run_id, {f"best_{name}": value for name, value in shown.params.items()})
            tracker.log_metrics(run_id, {name: value for name, value in shown.metrics.items() if name[:3] == "cv_"})
    return len(settled)
