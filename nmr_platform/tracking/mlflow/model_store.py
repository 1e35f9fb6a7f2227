"""Find models in the registry and bring their files here; nothing is executed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from nmr_platform.errors import TrackingError
from nmr_platform.tracking.address import StoreAddress, resolve_store
from nmr_platform.tracking.masking import masked_uri
from nmr_platform.tracking.mlflow.refusals import explaining
from nmr_platform.tracking.mlflow.registry import CHAMPION, MISSING
from nmr_platform.tracking.mlflow.relocation import local_path
from nmr_platform.tracking.mlflow.store import open_client

__all__ = ["ModelStore"]

_PREFIX = "nmr-"
_NAME = re.compile(r"(?:models:/)?(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))?")
_MADE_BY = "`nmr evaluate --task <task>` or `dvc repro` makes one"


class ModelStore:
    """The registered models of an MLflow store.

    Args:
        tracking_uri: The store; by default ``MLFLOW_TRACKING_URI``, else the SQLite file ``<root>/mlflow.db``.
        root: The repository; by default the one around the working directory.
    """

    def __init__(self, tracking_uri: str | None = None, root: Path | None = None) -> None:
        self.address: StoreAddress = resolve_store(tracking_uri, root)
        file = self.address.sqlite_file
        if file is not None and not file.exists():
            message = f"File `{file}` does not exist, so no model is registered yet: {_MADE_BY}."
            raise TrackingError(message)
        self._client: MlflowClient = open_client(self.address, reading=True)

    def champions(self) -> list[str]:
        """Names of the models that have a champion, in alphabetical order.

        Raises:
            TrackingError: There is none.
        """
        with explaining(self.address):
            models = self._client.search_registered_models()
        names = [m.name for m in models if m.name.startswith(_PREFIX) and CHAMPION in m.aliases]
        if not names:
            message = f"The registry at {self.address} has no champion yet: {_MADE_BY}."
            raise TrackingError(message)
        return sorted(names)

    @contextmanager
    def files(self, model: str) -> Iterator[Path]:
        """The folder of a model, for as long as the block lasts; a local store's own folder, else a copy.

        Args:
            model: ``nmr-W`` (its champion), ``nmr-W@<alias>``, ``nmr-W/3`` (a version) or ``<model id>``, each perhaps
                with ``models:/`` before it.

        Raises:
            TrackingError: There is no such model, or its files cannot be had.
        """
        source = self._source(model)
        if (path := local_path(source, self.address)) is not None:
            yield path
            return
        with TemporaryDirectory() as folder:
            yield self._downloaded(model, source, folder)

    def _source(self, model: str) -> str:
        found = _NAME.fullmatch(model)
        if found is None:
            message = f"A model must be called nmr-W@champion, nmr-W/3 or models:/<model id>, but is called `{model}`."
            raise TrackingError(message)
        name, alias, version = found["name"], found["alias"], found["version"]
        try:
            if version is not None:
                registered = self._client.get_model_version(name, version)
            elif alias is not None or name.startswith(_PREFIX):
                registered = self._client.get_model_version_by_alias(name, alias or CHAMPION)
            else:
                return str(self._client.get_logged_model(name).artifact_location)
        except MlflowException as error:
            with explaining(self.address):
                if error.error_code not in MISSING:
                    raise
            message = f"The registry at {self.address} has no model `{model}`: {_MADE_BY}."
            raise TrackingError(message) from error
        return str(registered.source)

    def _downloaded(self, model: str, source: str, folder: str) -> Path:
        try:
            return Path(download_artifacts(artifact_uri=source, dst_path=folder, tracking_uri=self.address.uri))
        except (MlflowException, OSError) as error:
            reason = self.address.masked(str(error)).strip().partition("\n")[0] or type(error).__name__
            message = f"The files of model `{model}` cannot be had from {masked_uri(source)}: {reason}"
            raise TrackingError(message) from None  # the cause may spell out the password
