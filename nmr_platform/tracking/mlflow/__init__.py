"""The part that imports MLflow: its tracker, its registry of models, its pages."""

from nmr_platform.tracking.environment import prepare_mlflow

# MLflow, which the next lines import, reads its environment once.
prepare_mlflow()

from nmr_platform.tracking.mlflow.model_store import ModelStore  # noqa: E402
from nmr_platform.tracking.mlflow.models import PyfuncModel  # noqa: E402
from nmr_platform.tracking.mlflow.registry import Origin, find_version, origin_of  # noqa: E402
from nmr_platform.tracking.mlflow.store import open_client  # noqa: E402
from nmr_platform.tracking.mlflow.tracker import MlflowTracker  # noqa: E402
from nmr_platform.tracking.mlflow.ui import serve_ui, view_links  # noqa: E402

__all__ = [
    "MlflowTracker",
    "ModelStore",
    "Origin",
    "PyfuncModel",
    "find_version",
    "open_client",
    "origin_of",
    "serve_ui",
    "view_links",
]
