"""Experiment tracking: a small protocol, an implementation that shows runs in MLflow, and one that does nothing."""

from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.changes import PATCH, Changes, LineageWarning, patch_bytes, uncommitted_changes
from nmr_platform.tracking.database import database_owner
from nmr_platform.tracking.factory import make_tracker
from nmr_platform.tracking.git import git_environment
from nmr_platform.tracking.masking import masked_address, without_secrets
from nmr_platform.tracking.null import NullTracker
from nmr_platform.tracking.protocol import (
    FOLDER,
    HELD_OUT,
    DatasetEntry,
    ModelEntry,
    RunEntry,
    Series,
    Tracker,
    TrackingWarning,
    TrialEntry,
    closing_run,
)
from nmr_platform.tracking.provenance import COMMIT, UNKNOWN, Session, pinned_requirements

__all__ = [
    "COMMIT",
    "FOLDER",
    "HELD_OUT",
    "PATCH",
    "UNKNOWN",
    "Changes",
    "DatasetEntry",
    "LineageWarning",
    "ModelEntry",
    "NullTracker",
    "RunEntry",
    "Series",
    "Session",
    "Tracker",
    "TrackingWarning",
    "TrialEntry",
    "closing_run",
    "database_owner",
    "git_environment",
    "make_tracker",
    "masked_address",
    "patch_bytes",
    "pinned_requirements",
    "resolve_store",
    "uncommitted_changes",
    "without_secrets",
]
