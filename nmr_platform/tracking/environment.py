"""How MLflow behaves in our processes, told through the environment variables that it reads."""

import os

__all__ = ["prepare_mlflow"]

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A request that fails must say so within seconds rather than minutes: a trial waits for it.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def prepare_mlflow() -> None:
    """Set what MLflow reads when it is first imported; whoever sets a variable outside keeps what was set."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
