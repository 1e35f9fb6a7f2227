"""What tells the records of one file apart, and what they are called."""

from collections.abc import Iterable
from dataclasses import dataclass

from nmr_platform.errors import DataError
from nmr_platform.physics import with_sweeps_expanded

__all__ = ["Sweep", "names_of"]


@dataclass(frozen=True)
class Sweep:
    """The records of a file, and what tells them apart.

    Attributes:
        count: How many records there are.
        key: What differs, see `Told.swept`; empty if the file does not say.
        values: Its value in each record.
        labels: What the records are called instead, where the file has names for them.
    """

    count: int
    key: str = ""
    values: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the records: as `Measurement` calls them, or numbers from 0; the empty text of an only one.

        Example:
            >>> Sweep(2, "tau", (20.0, 40.0)).names, Sweep(2).names, Sweep(1).names
            (('tau20', 'tau40'), ('0', '1'), ('',))
        """
        if self.count == 1:
            return ("",)
        return names_of(self.key, self.values) if self.key else self.labels or tuple(map(str, range(self.count)))

    def of(self, index: int) -> dict[str, float]:
        """What one record has of its own, by its number from 0: nothing if the file does not say."""
        return {self.key: self.values[index]} if index < len(self.values) else {}


def names_of(key: str, values: Iterable[float]) -> tuple[str, ...]:
    """What the records of a sweep are called.

    Raises:
        DataError: A value comes twice.

    Example:
        >>> names_of("tau", [20, 40.5])
        ('tau20', 'tau40.5')
    """
    try:
        return tuple(with_sweeps_expanded({"sequence": {"sweep": {key: list(values)}}})["sequences"])
    except ValueError as error:
        message = f"Records are called by what tells them apart, but: {error} `--index` chooses one."
        raise DataError(message) from error
