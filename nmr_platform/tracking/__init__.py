"""Experiment tracking: a small protocol, an MLflow implementation, and one that records nothing."""

import os

from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.deployable import FOLDER
from nmr_platform.tracking.factory import make_tracker
from nmr_platform.tracking.null import NullTracker
from nmr_platform.tracking.protocol import DatasetEntry, ModelEntry, RunEntry, Tracker, TrialEntry, closing_run

__all__ = [
    "FOLDER",
    "DatasetEntry",
    "ModelEntry",
    "NullTracker",
    "RunEntry",
    "Tracker",
    "TrialEntry",
    "closing_run",
    "make_tracker",
    "resolve_store",
]


# MLflow reads these when it is first imported, which happens in a module below this package: here is the last place
# that is certain to come before it. Whoever sets them outside keeps what was set.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A thread of ours asks again; a request that fails must say so within seconds rather than minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
