"""A Zarr store that checks every chunk as it is read, and says in a sentence which one is damaged."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import google_crc32c
from zarr.storage import LocalStore, WrapperStore

from nmr_platform.errors import DataError

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

__all__ = ["CheckedStore", "damage_of"]

_CHECKSUM_SIZE = 4


class CheckedStore(WrapperStore[LocalStore]):
    """The files of one data set, read-only.

    Zarr takes a missing chunk for one full of zeros; here, where every chunk is written, it is an error like a
    damaged one.
    """

    @classmethod
    def at(cls, path: Path) -> "CheckedStore":
        """The store in folder ``path``."""
        return cls(LocalStore(path, read_only=True))

    async def get(
        self, key: str, prototype: "BufferPrototype", byte_range: "ByteRequest | None" = None
    ) -> "Buffer | None":
        """Read a file; see `zarr.abc.store.Store.get`.

        Raises:
            DataError: It is a chunk, and damaged or missing.
        """
        value = await super().get(key, prototype, byte_range)
        if "/c/" in key:
            fault = "is missing" if value is None else _fault_of(value.to_bytes())
            if fault:
                raise DataError(_sentence(self._store.root, key, fault), path=self._store.root / key)
        return value


def damage_of(path: Path) -> list[str]:
    """Check every chunk of the data set in folder ``path``; one sentence for each that is damaged or missing.

    Args:
        path: A data set that `load` opens, so that its metadata is known to be sound.
    """
    sentences = []
    for metadata in sorted(path.glob("*/zarr.json")):
        name = metadata.parent.name
        size, chunk, n_dims = _first_dimension(path, name)
        for number in range(-(-size // chunk)):
            key = f"{name}/c/{number}" + "/0" * (n_dims - 1)
            file = path / key
            fault = _fault_of(file.read_bytes()) if file.exists() else "is missing"
            if fault:
                sentences.append(_sentence(path, key, fault))
    return sentences


def _first_dimension(path: Path, name: str) -> tuple[int, int, int]:
    """Length of an array along its first dimension, of its chunks, and the number of its dimensions."""
    described = json.loads((path / name / "zarr.json").read_text(encoding="utf-8"))
    shape = described["shape"]
    return shape[0], described["chunk_grid"]["configuration"]["chunk_shape"][0], len(shape)


def _fault_of(content: bytes) -> str:
    """What is wrong with the bytes of a chunk, which end in their CRC32C; empty if nothing is."""
    body, checksum = content[:-_CHECKSUM_SIZE], content[-_CHECKSUM_SIZE:]
    if len(content) > _CHECKSUM_SIZE and google_crc32c.value(body) == int.from_bytes(checksum, "little"):
        return ""
    return "is damaged (checksum)"


def _sentence(root: Path, key: str, fault: str) -> str:
    name, _, number, *_ = key.split("/")
    size, chunk, _ = _first_dimension(root, name)
    first = int(number) * chunk
    return (
        f"Chunk `{key}` (rows {first} to {min(first + chunk, size) - 1}) of data set `{root}` {fault}; "
        f"`nmr generate --repair --out {root}` makes it anew, and only it."
    )
