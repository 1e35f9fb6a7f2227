"""Where runs are recorded: the address of the store, its artifacts, and how to show it without its password."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking.masking import masked_address, without_secrets
from nmr_platform.workspace import lasting_root, repository_root

__all__ = ["ARTIFACTS", "StoreAddress", "resolve_store"]

ARTIFACTS = "mlartifacts"
"""Name of the folder of artifacts, beside an SQLite database or in the repository."""

_SQLITE = "sqlite:///"
_VARIABLE = "MLFLOW_TRACKING_URI"
# Of the others that MLflow knows, some are its files of earlier versions, and none has been tried.
_SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https")


@dataclass(frozen=True)
class StoreAddress:
    """An MLflow store.

    Attributes:
        uri: Address of the tracking store; a path to a SQLite file is absolute.
        artifact_location: Where artifacts of new experiments go, as an absolute ``file://`` address; ``None`` leaves
            it to the tracking server.
    """

    uri: str
    artifact_location: str | None = None

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, or ``None`` for any other kind of store."""
        path = self.uri.removeprefix(_SQLITE).partition("?")[0]
        return Path(path) if self.uri.startswith(_SQLITE) and path not in {"", ":memory:"} else None

    @property
    def is_server(self) -> bool:
        """Whether an MLflow server answers at this address."""
        return self._scheme in {"http", "https"}

    @property
    def is_database(self) -> bool:
        """Whether this is a database server that we talk to ourselves."""
        return self._scheme in {"postgresql", "mysql", "mssql"}

    @property
    def _scheme(self) -> str:
        return self.uri.partition("://")[0].partition("+")[0].lower()

    def __str__(self) -> str:
        """Return the address with its password masked."""
        return masked_address(self.uri)

    def masked(self, text: str) -> str:
        """What a program said about the store, without passwords."""
        return without_secrets(text, self.uri)


def resolve_store(tracking_uri: str | None = None, root: Path | None = None) -> StoreAddress:
    """Find where to record.

    Args:
        tracking_uri: The store; by default ``MLFLOW_TRACKING_URI`` from the environment, else ``<root>/mlflow.db``.
        root: The repository; by default the one around the working directory.

    Returns:
        The address, independent of the working directory. Artifacts live beside a SQLite database, in ``mlartifacts``
        of the repository for any other database, and where the server says for a server.

    Raises:
        ConfigurationError: It is no address of a store that MLflow can keep runs in.
    """
    root = lasting_root((root or repository_root()).absolute())
    uri = tracking_uri or os.environ.get(_VARIABLE) or f"{_SQLITE}{root / 'mlflow.db'}"
    address = StoreAddress(uri)
    scheme, mark, _ = uri.partition("://")
    if not mark or scheme.partition("+")[0] not in _SCHEMES:
        message = (
            f"The tracking store (`{_VARIABLE}`) must be an MLflow server (http, https) or a database "
            f"(sqlite:///path/mlflow.db, postgresql, mysql, mssql), but is {address}; unset it to record in mlflow.db."
        )
        raise ConfigurationError(message, key=_VARIABLE)
    if (file := address.sqlite_file) is not None:
        file = root / file
        _, mark, query = uri.partition("?")
        return StoreAddress(f"{_SQLITE}{file}{mark}{query}", (file.parent / ARTIFACTS).as_uri())
    if address.is_server:
        _require_place(address)
        return address
    return StoreAddress(uri, (root / ARTIFACTS).as_uri())


def _require_place(server: StoreAddress) -> None:
    # A password that is not quoted ends at its first /, and what stands before that would be taken for the place.
    try:
        parts = urlsplit(server.uri)
        is_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_place = False
    if not is_place or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        message = (
            f"The tracking server (`{_VARIABLE}`) must be an address like http://user:***@host:5000, with %2F for "
            f"a / in the password (%23 for #, %3F for ?, %5B for [), but is {server}."
        )
        raise ConfigurationError(message, key=_VARIABLE)
