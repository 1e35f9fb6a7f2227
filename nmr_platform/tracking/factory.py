"""Choose a tracker by name, importing MLflow only when it is asked for."""

from pathlib import Path

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking.null import NullTracker
from nmr_platform.tracking.protocol import Tracker

__all__ = ["make_tracker"]


def make_tracker(
    kind: str, *, tracking_uri: str | None = None, root: Path | None = None, strict: bool = False
) -> Tracker:
    """Make the tracker called ``kind``.

    Args:
        kind: ``mlflow``, or ``none`` to record nothing.
        tracking_uri: Where MLflow records; by default ``MLFLOW_TRACKING_URI``, else ``<root>/mlflow.db``.
        root: The repository; found from the working directory by default.
        strict: Raise `TrackingError` where the store fails, instead of warning once and going on without it.

    Raises:
        ConfigurationError: There is no such kind.
    """
    match kind:
        case "none":
            return NullTracker(root)
        case "mlflow":
            # Two seconds of import that `nmr --help` and every worker without a tracker would pay for.
            from nmr_platform.tracking.mlflow import MlflowTracker  # noqa: PLC0415

            return MlflowTracker(tracking_uri, root, strict=strict)
        case _:
            message = f"Argument `kind` must be mlflow or none, but is {kind!r}."
            raise ConfigurationError(message, key="kind", value=kind)
