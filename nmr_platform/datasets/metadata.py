"""What a data set says of itself: version, variables, and a checksum of all that its `zarr.json` files say.

Chunks carry checksums of their own; a shape or an attribute that was changed would give them another meaning.
"""

import json
import re
from hashlib import blake2b
from pathlib import Path

from nmr_platform.errors import DataError
from nmr_platform.files import read_text

__all__ = ["FORMAT_VERSION", "SEAL", "require_metadata", "seal", "unreadable"]

FORMAT_VERSION = 2
"""Raised whenever a reader of the previous layout would misread a new one."""

SEAL = "metadata_checksum"
"""The attribute that keeps the checksum; data sets that were written before there was one have none."""

_FILE = "zarr.json"
_NAME = re.compile(r"\w[\w.+-]*")


def seal(path: Path) -> None:
    """Add the checksum to a data set that is being written.

    Args:
        path: Its folder, in which nothing but chunks is written any more.
    """
    described = json.loads(read_text(path / _FILE))
    described["attributes"][SEAL] = _checksum(path)
    (path / _FILE).write_text(json.dumps(described, indent=2), encoding="utf-8")


def require_metadata(path: Path) -> None:
    """Refuse what is no data set of this version, and one that was changed, before Zarr stumbles over it.

    Args:
        path: Its folder.

    Raises:
        DataError: It is none, or damaged.
    """
    if not (path / _FILE).exists():
        older = (path / ".zmetadata").exists()
        what = "is of an older format version" if older else "does not exist or is not a data set"
        message = f"Data set `{path}` {what}; make it with `dvc repro simulate` or `nmr generate`."
        raise DataError(message, path=path)
    try:
        attributes = json.loads(read_text(path / _FILE))["attributes"]
        version, names = attributes.get("format_version"), attributes.get("variables")
        records = attributes.get("record_names", [])
        is_sound = attributes.get(SEAL, "") in {"", _checksum(path)}
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise unreadable(path, str(error)) from error
    if version != FORMAT_VERSION:
        message = (
            f"Data set `{path}` has format version {version}, but this version of nmr_platform reads version "
            f"{FORMAT_VERSION}; make it again with `dvc repro --force simulate` or `nmr generate`."
        )
        raise DataError(message, path=path)
    for what, held in (("variables", names), ("records", records)):
        if not isinstance(held, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in held):
            raise unreadable(path, f"its {what} are {held!r}")
    lost = [name for name in (*names, *records) if not (path / name / _FILE).exists()]
    if lost:
        raise unreadable(path, f"{', '.join(lost)} missing")
    if not is_sound:
        raise unreadable(path, "its checksum is another")


def unreadable(path: Path, reason: str) -> DataError:
    """The refusal of a data set whose metadata is damaged."""
    shown = " ".join(reason.split())[:200]
    message = f"Data set `{path}` has damaged metadata ({shown}); make it again with the command that made it."
    return DataError(message, path=path)


def _checksum(path: Path) -> str:
    """Of what all `zarr.json` files say, but for the checksum itself, however they are laid out."""
    described = {file.relative_to(path).as_posix(): json.loads(read_text(file)) for file in sorted(path.rglob(_FILE))}
    described[_FILE]["attributes"].pop(SEAL, None)
    return blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=8).hexdigest()
