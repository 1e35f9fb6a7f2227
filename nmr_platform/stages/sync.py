"""Rebuild everything that MLflow shows from what studies remember and stages left."""

from dataclasses import dataclass

from nmr_platform.stages.display import find_shown, show_folder
from nmr_platform.studies import closing_storage, load_studies, show_study
from nmr_platform.tracking import make_tracker, resolve_store
from nmr_platform.workspace import Workspace

__all__ = ["Synced", "sync_tracking"]


@dataclass(frozen=True)
class Synced:
    """What the tracking store has now.

    Attributes:
        store: The tracking store, its password masked.
        studies: Studies in the study storage.
        trials: Their trials.
        results: Evaluated models and pulse searches among the outputs.
    """

    store: str
    studies: int
    trials: int
    results: int


def sync_tracking(workspace: Workspace) -> Synced:
    """Show every study with its trials, then every result that stages left; what is there already is not doubled.

    Raises:
        TrackingError: The store is away, or refuses something.
    """
    tracker = make_tracker("mlflow", root=workspace.root, strict=True)
    with closing_storage(workspace.studies) as storage:
        studies = load_studies(storage)
        trials = sum(show_study(study, tracker) for study in studies)
        folders = find_shown(workspace.results)
        for folder in folders:
            show_folder(folder, tracker, storage)
    return Synced(str(resolve_store(root=workspace.root)), len(studies), trials, len(folders))
