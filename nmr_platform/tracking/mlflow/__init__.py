"""The tracker that records in MLflow."""

from nmr_platform.tracking.mlflow.model_store import ModelStore
from nmr_platform.tracking.mlflow.registry import find_version, origin_of
from nmr_platform.tracking.mlflow.serving import ServedModel
from nmr_platform.tracking.mlflow.spooling import SpoolingTracker
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.ui import serve_ui

__all__ = ["ModelStore", "ServedModel", "SpoolingTracker", "find_version", "open_client", "origin_of", "serve_ui"]
