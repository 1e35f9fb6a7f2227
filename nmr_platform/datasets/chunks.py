"""The chunks of a data set, each followed by its CRC32C, which is checked as the chunk is read."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import google_crc32c
from zarr.storage import LocalStore, WrapperStore

from nmr_platform.errors import DataError

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

__all__ = ["CheckedStore", "chunk_fault", "damaged_chunk"]

_CHECKSUM_SIZE = 4


def chunk_fault(content: bytes) -> str:
    """What is wrong with the bytes of a chunk, which end in their CRC32C; empty if nothing is."""
    body, checksum = content[:-_CHECKSUM_SIZE], content[-_CHECKSUM_SIZE:]
    if len(content) > _CHECKSUM_SIZE and google_crc32c.value(body) == int.from_bytes(checksum, "little"):
        return ""
    return "is damaged (checksum)"


def damaged_chunk(root: Path, key: str, fault: str) -> DataError:
    """The error for a chunk that cannot be used.

    Args:
        root: Folder of the data set.
        key: Of the chunk, for instance ``m/c/3/0``, or ``decay/m/c/3/0`` of a record that has a name.
        fault: What is wrong with it, see `chunk_fault`.
    """
    name, _, place = key.rpartition("/c/")
    number = place.split("/")[0]
    described = json.loads((root / name / "zarr.json").read_text(encoding="utf-8"))
    size, chunk = described["shape"][0], described["chunk_grid"]["configuration"]["chunk_shape"][0]
    first = int(number) * chunk
    message = (
        f"Chunk `{key}` (rows {first} to {min(first + chunk, size) - 1}) of data set `{root}` {fault}; "
        f"`nmr generate --repair --out {root}` makes it anew, and only it."
    )
    return DataError(message, path=root / key)


class CheckedStore(WrapperStore[LocalStore]):
    """The files of one data set, each checked as it is read.

    Zarr takes a missing chunk for one full of zeros; here, where every chunk is written, it is an error like a
    damaged one.
    """

    async def get(
        self, key: str, prototype: "BufferPrototype", byte_range: "ByteRequest | None" = None
    ) -> "Buffer | None":
        """Read a file, and check it if it is a chunk.

        Raises:
            DataError: The chunk is damaged or missing.
        """
        value = await super().get(key, prototype, byte_range)
        if "/c/" in key:
            fault = "is missing" if value is None else chunk_fault(value.to_bytes())
            if fault:
                raise damaged_chunk(self._store.root, key, fault)
        return value
