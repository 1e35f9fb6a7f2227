"""Read all of an HDF5 file once, with bounds on time and memory: a damaged one may ask its library for any of both.

`try_to_read` runs this file by its path, in a process of its own, on files that do not carry our digest.
"""

import resource
import sys

__all__: list[str] = []

# A group may hold itself.
_DEEPEST = 5


def _bound(seconds: int, size: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(path: str, most: int) -> None:
    """Read what lies in the file itself; the readers refuse the rest, and arrays of more than ``most`` bytes."""
    import h5py  # noqa: PLC0415 (within the bounds)

    def inside(group: h5py.Group) -> list[h5py.HLObject]:
        return [group[name] for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]

    with h5py.File(path) as file:
        left: list[tuple[h5py.HLObject, int]] = [(file, 0)]
        while left:
            item, depth = left.pop()
            for name in item.attrs:
                item.attrs[name]
            if isinstance(item, h5py.Group) and depth < _DEEPEST:
                left += [(each, depth + 1) for each in inside(item)]
            if isinstance(item, h5py.Dataset) and not item.external and not item.is_virtual and item.nbytes <= most:
                item[()]


if __name__ == "__main__":
    _bound(seconds=int(sys.argv[2]), size=int(sys.argv[3]))
    _read(sys.argv[1], most=int(sys.argv[4]))
