"""The records of a measurement: which of them a feature set looks at, and how its columns tell them apart."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.needs import Needs
from nmr_platform.schema import Name, Schema

__all__ = ["RecordFeatures", "by_record", "column_of", "naming_record"]

T = TypeVar("T")


class RecordFeatures(Schema, ABC):
    """One way to turn the records of a measurement into columns.

    A measurement of one sequence has one record, whose name is the empty text. Columns of a named record begin with
    its name: ``s1.abs_-150``.

    Attributes:
        kind: Tag of the subclass.
        records: Names of the records that are looked at; empty for all.
    """

    kind: str
    # What is not said is not dumped either: sets of one record stay what they were.
    records: Annotated[tuple[Name, ...], Field(strict=False)] = Field(default=(), exclude_if=lambda names: not names)

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name, which files can bear, for instance ``pointwise-magnitude``."""

    @abstractmethod
    def needs_by_record(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Needs]:
        """What the set needs of each record that it looks at.

        Args:
            acquisitions: How each record of the measurement was taken, by its name.

        Raises:
            ConfigurationError: A window does not fit a record, or there is no record of a name in ``records``.
        """

    @abstractmethod
    def table(self, m: Mapping[str, NDArray[np.inexact]], acquisitions: Mapping[str, Acquisition]) -> pd.DataFrame:
        """One row a curve, float32 columns.

        Args:
            m: The records M(t) by name, each of shape (n_curves, n_samples), dimensionless.
            acquisitions: How each was taken, by the same names.

        Raises:
            ConfigurationError: A window does not fit a record, or there is no record of a name in ``records``.
            DataError: A value inside a window is not finite.
        """

    @abstractmethod
    def intervals(self, acquisition: Acquisition | Mapping[str, Acquisition]) -> pd.DataFrame:
        """Where every feature lies, so that its importance can be drawn over the echo.

        Args:
            acquisition: How the record was taken, or each of several by its name.

        Returns:
            One row a column of the feature table, in its order: ``name``; ``component``, what M(t) was read as
            (``abs``, ``re``, ``im``, ``inphase``, ``quadrature``, ``log``, ``cos``, ``sin``, ``freq`` or, for shapes,
            ``phase``); ``start`` and ``stop``, in us from the first sample where ``axis`` is ``time`` and in MHz where
            it is ``frequency``; ``power`` of a polynomial's coefficient, missing for other features; ``record``, the
            name of the record.

        Raises:
            ConfigurationError: A window does not fit a record, or there is no record of a name in ``records``.
        """

    @property
    def parts(self) -> tuple["RecordFeatures", ...]:
        """The set itself; several for a combined one."""
        return (self,)

    def needs(self, acquisition: Acquisition) -> Needs:
        """What the set needs of the record of a measurement of one sequence.

        Args:
            acquisition: How the record was taken.

        Raises:
            ConfigurationError: The window reaches outside the record.

        Example:
            >>> from nmr_platform.features import PolynomialFeatures
            >>> shapes = PolynomialFeatures(signal="magnitude", rescale=True)
            >>> needs = shapes.needs(Acquisition(echo_index=1256, step=0.159155, n_samples=1884))
            >>> sorted(needs.required), needs.samples
            ([], ((1106, 1406),))
        """
        return self.needs_by_record({"": acquisition})[""]

    def longest_dwell(self, acquisition: Acquisition) -> float | None:
        """Longest time between the points that a record may be resampled from, us; None if any may be.

        Signals in time are recovered from samples at twice their largest frequency.
        """
        return None if acquisition.bandwidth is None else max(1 / acquisition.bandwidth, acquisition.step)

    def looked_at(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Acquisition]:
        """The records that the set looks at, in its order.

        Args:
            acquisitions: How each record of the measurement was taken, by its name.

        Raises:
            ConfigurationError: There is no record of a name in ``records``.
        """
        for name in self.records:
            if name not in acquisitions:
                known = ", ".join(filter(None, acquisitions)) or "none, for it is of one sequence"
                message = f"Argument `records` must name records of the measurement ({known}), but names `{name}`."
                raise ConfigurationError(message, key="records", value=name)
        return {name: acquisitions[name] for name in self.records or acquisitions}

    @property
    def _of_records(self) -> list[str]:
        """The part of the name that says which records are looked at."""
        return [f"of-{'+'.join(self.records)}"] if self.records else []

    @model_validator(mode="after")
    def _records_differ(self) -> Self:
        twice = [name for name in self.records if self.records.count(name) > 1]
        if twice:
            message = f"Key `records` must not name a record twice, but holds `{twice[0]}` more than once."
            raise ValueError(message)
        return self


def by_record(values: T | Mapping[str, T]) -> Mapping[str, T]:
    """Values by the name of the record, which is the empty text where there is one record."""
    return values if isinstance(values, Mapping) else {"": values}


def column_of(record: str, column: str) -> str:
    """Name of a record's column in the table of a measurement."""
    return f"{record}.{column}" if record else column


@contextmanager
def naming_record(record: str) -> Iterator[None]:
    """Name the record in a refusal, if it has a name."""
    try:
        yield
    except (ConfigurationError, DataError) as error:
        if record:
            error.args = (f"Record `{record}`: {error}",)
        raise
