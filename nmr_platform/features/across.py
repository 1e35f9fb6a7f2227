"""What kinds share that compare the echoes of several records: their values at the echo, and what the records are."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.datasets import Reference, Stretch
from nmr_platform.errors import ConfigurationError
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.needs import Needs
from nmr_platform.features.records import RecordFeatures, by_record, column_of, naming_record
from nmr_platform.features.window import cut_out, interval_table
from nmr_platform.physics import Sequence
from nmr_platform.schema import Count

__all__ = ["AcrossFeatures", "Column", "phase_columns", "unwrapped"]

Real = NDArray[np.float64]
Column = tuple[str, str, Real]


class AcrossFeatures(RecordFeatures):
    """Numbers of the echo of each record, and how they depend on the one thing that the records differ in.

    Attributes:
        compared: What the records must be, for the refusal of others.
        axis: What they differ in: ``echo_time`` (us) or ``flip_angle`` (degrees).
        decimate: Samples that are averaged into the value at the echo, with the triangular weights of `RecordWindow`.
    """

    compared: ClassVar[str]
    axis: ClassVar[Literal["echo_time", "flip_angle"]]

    decimate: Count = 1

    @abstractmethod
    def position(self, sequence: Sequence) -> float | None:
        """Where a record lies on the axis; None for a sequence that has no place there."""

    @abstractmethod
    def kin(self, sequence: Sequence) -> object:
        """What must be the same in the sequences of all records."""

    @abstractmethod
    def hangs_on(self) -> frozenset[Reference]:
        """What of the receiver the columns change with."""

    @abstractmethod
    def own_columns(self, values: Mapping[str, Real]) -> list[Column]:
        """Name, component and values of the columns of one record.

        Args:
            values: What `measured` gives.
        """

    @abstractmethod
    def common_columns(self, values: Mapping[str, Real], positions: Real) -> list[Column]:
        """Name, component and values of the columns that all records make together.

        Args:
            values: What `measured` gives, each of shape (n_curves, n_records).
            positions: Places of the records on the axis, increasing, shape (n_records,).
        """

    def measured(self, m: NDArray[np.complex128], record: NDArray[np.inexact], taken: Acquisition) -> dict[str, Real]:
        """What is read off one record: ``height`` and ``phase`` (radians) at its echo, each of shape (n_curves,).

        Args:
            m: M at its echo, shape (n_curves,).
            record: M(t), shape (n_curves, n_samples).
            taken: How it was taken.
        """
        del record, taken
        return {"height": portable.magnitude(m), "phase": portable.angle(m)}

    def stretch(self, taken: Acquisition) -> Stretch:
        """The samples of a record that columns are computed of, from the first to behind the last.

        Raises:
            ConfigurationError: They reach outside the record.
        """
        first, stop = taken.echo_index - self.decimate + 1, taken.echo_index + self.decimate
        if first < 0 or stop > taken.n_samples:
            message = (
                f"Argument `decimate` must keep the samples that are averaged inside the record, but {self.decimate} "
                f"on each side of echo index {taken.echo_index} reach outside a record of {taken.n_samples} samples."
            )
            raise ConfigurationError(message, key="decimate", value=self.decimate)
        return first, stop

    def looked_at(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Acquisition]:
        """The records, which must be comparable, see `RecordFeatures.looked_at`.

        Raises:
            ConfigurationError: They are not, or there is no record of a name in ``records``.
        """
        chosen = super().looked_at(acquisitions)
        known = [taken.sequence for taken in chosen.values() if taken.sequence is not None]
        places = {self.position(sequence) for sequence in known}
        kin = [self.kin(sequence) for sequence in known]
        if len(known) < len(chosen) or None in places or len(places) < 2 or any(each != kin[0] for each in kin):
            raise self._incomparable(chosen)
        return chosen

    def needs_by_record(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Needs]:
        """The echo of each record, see `RecordFeatures.needs_by_record`."""
        needs = {}
        for record, taken in self.looked_at(acquisitions).items():
            with naming_record(record):
                needs[record] = Needs(self.hangs_on(), frozenset(), (self.stretch(taken),), self.longest_dwell(taken))
        return needs

    def table(self, m: Mapping[str, NDArray[np.inexact]], acquisitions: Mapping[str, Acquisition]) -> pd.DataFrame:
        """The columns of one record after the other, then those of all, see `RecordFeatures.table`."""
        columns = {name: values for _, name, _, values in self._columns(m, self.looked_at(acquisitions))}
        return pd.DataFrame({name: values.astype(np.float32) for name, values in columns.items()})

    def intervals(self, acquisition: Acquisition | Mapping[str, Acquisition]) -> pd.DataFrame:
        """Those of a record lie around its echo, those of all on `axis`, see `RecordFeatures.intervals`."""
        chosen = self.looked_at(by_record(acquisition))
        nothing = {record: np.zeros((0, taken.n_samples), np.complex64) for record, taken in chosen.items()}
        places = list(self._positions(chosen).values())
        tables = []
        for record, name, component, _ in self._columns(nothing, chosen):
            if record:
                first, stop = self.stretch(chosen[record])
                edges = (first - 0.5) * chosen[record].step, (stop - 0.5) * chosen[record].step
                tables.append(interval_table([name], component, *edges).assign(record=record))
            else:
                common = interval_table([name], component, places[0], places[-1], self.axis)
                tables.append(common.assign(record=""))
        return pd.concat(tables, ignore_index=True)

    def transformer(self, acquisition: Acquisition) -> NoReturn:
        """Refused: a single record has none that it could be compared with."""
        raise self._incomparable({"": acquisition})

    def _incomparable(self, chosen: Mapping[str, Acquisition]) -> ConfigurationError:
        sequences = {name: taken.sequence or "of an unknown sequence" for name, taken in chosen.items()}
        shown = "; ".join(f"{name} {sequence}".strip() for name, sequence in sequences.items())
        message = f"Argument `records` must name {self.compared} for {self.kind} features, but they are {shown}."
        return ConfigurationError(message, key="records", value=tuple(chosen))

    def _positions(self, chosen: Mapping[str, Acquisition]) -> dict[str, float]:
        """Place of every record on the axis, increasing."""
        places = {name: self.position(taken.sequence) for name, taken in chosen.items() if taken.sequence is not None}
        known = {name: place for name, place in places.items() if place is not None}
        return dict(sorted(known.items(), key=lambda item: item[1]))

    def _columns(
        self, m: Mapping[str, NDArray[np.inexact]], chosen: Mapping[str, Acquisition]
    ) -> list[tuple[str, str, str, Real]]:
        """Record (empty for all), name, component and values of every column."""
        read, columns = {}, []
        for record, taken in chosen.items():
            with naming_record(record):
                read[record] = self.measured(self._at_the_echo(m[record], taken), m[record], taken)
            own = self.own_columns(read[record])
            columns += [(record, column_of(record, name), component, values) for name, component, values in own]
        positions = self._positions(chosen)
        stacked = {key: np.stack([read[name][key] for name in positions], axis=1) for key in next(iter(read.values()))}
        common = self.common_columns(stacked, np.array(list(positions.values())))
        return columns + [("", name, component, values) for name, component, values in common]

    def _at_the_echo(self, m: NDArray[np.inexact], taken: Acquisition) -> NDArray[np.complex128]:
        """M at the echo, or its mean over neighbouring samples, whose weights fall to zero on both sides."""
        if "phase" in self.hangs_on() and not np.iscomplexobj(m):
            message = f"Argument `m` must be complex for `{self.name}`, but is {m.dtype}."
            raise ConfigurationError(message, key="signal", value=str(m.dtype))
        width = self.decimate
        cut = cut_out(m, *AcrossFeatures.stretch(self, taken))
        weights = (width - np.abs(np.arange(1 - width, width))) / width**2
        mean = np.zeros(len(cut), np.complex128)
        mean.real, mean.imag = (cut.real * weights).sum(axis=1), (cut.imag * weights).sum(axis=1)
        return mean


def phase_columns(phase: Real) -> list[Column]:
    """A phase (radians) as columns that do not jump."""
    return [("phase_cos", "phase", portable.cos(phase)), ("phase_sin", "phase", portable.sin(phase))]


def unwrapped(phases: Real) -> Real:
    """Phases plus whole turns, so that neighbours differ by half a turn at most.

    Args:
        phases: Radians, shape (n_curves, n_records).

    Example:
        >>> unwrapped(np.array([[3.0, -3.0, -2.0]])).round(2).tolist()
        [[3.0, 3.28, 4.28]]
    """
    turn = 2 * np.pi
    differences = np.diff(phases, axis=1)
    steps = differences - turn * np.round(differences / turn)
    return np.concatenate([phases[:, :1], phases[:, :1] + steps.cumsum(axis=1)], axis=1)
