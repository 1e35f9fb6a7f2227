"""Rebuild what MLflow shows from what the studies remember."""

from dataclasses import dataclass

from nmr_platform.errors import TrackingError
from nmr_platform.studies import closing_storage, load_studies, show_study
from nmr_platform.tracking import make_tracker
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
        trials = sum(show_study(study, spooling.inner) for study in studies)
    return Synced(str(spooling.address), messages, len(studies), trials)
