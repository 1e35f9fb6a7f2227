"""Experiment tracking: a small protocol, an implementation that shows runs in MLflow, and one that does nothing."""

from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.factory import make_tracker
from nmr_platform.tracking.null import NullTracker
from nmr_platform.tracking.protocol import (
    FOLDER,
    DatasetEntry,
    ModelEntry,
    RunEntry,
    Series,
    Tracker,
    TrackingWarning,
    TrialEntry,
    closing_run,
)
from nmr_platform.tracking.provenance import UNKNOWN, Session, pinned_requirements, uncommitted_changes

__all__ = [
    "FOLDER",
    "UNKNOWN",
    "DatasetEntry",
    "ModelEntry",
    "NullTracker",
    "RunEntry",
    "Series",
    "Session",
    "Tracker",
    "TrackingWarning",
    "TrialEntry",
    "closing_run",
    "make_tracker",
    "pinned_requirements",
    "resolve_store",
    "uncommitted_changes",
]
