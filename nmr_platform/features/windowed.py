"""What all kinds of features share: a window of the record, what its samples are read as, and a name."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator
from sklearn.pipeline import Pipeline

from nmr_platform.datasets import Reference, Stretch
from nmr_platform.errors import ConfigurationError
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.needs import Needs
from nmr_platform.features.records import RecordFeatures, by_record, column_of, naming_record
from nmr_platform.features.signals import COMPONENTS, HANGS_ON, NEEDS_FLOOR, SignalReader, disorder_floor
from nmr_platform.features.window import RecordWindow, WindowSpan, check_window
from nmr_platform.schema import Count

__all__ = ["DEFAULT_HALF_WIDTH", "WindowedFeatures"]

DEFAULT_HALF_WIDTH = 150


class WindowedFeatures(RecordFeatures):
    """One way to turn each record M(t) into columns.

    A kind is a subclass that gives ``kind`` a Literal and says in `steps` what is computed of the signals and in
    `places` where it lies. Nothing is learnt from data.

    The windows of several records have one half width; where an echo is nearer to an end of its record, the window
    is moved until it lies inside. The window of a single record may be chosen for it, and is refused instead.

    Attributes:
        readable: Signals that the kind can read.
        fewest_samples: Samples that the window must hold, after averaging.
        signal: What M(t) is read as: ``magnitude`` |M|; ``complex``, its real and imaginary part; ``aligned``, the
            same relative to the phase at the echo; ``log_magnitude``; ``phase``, its cosine and sine relative to the
            echo; ``instantaneous_frequency``.
        window: ``echo`` looks around the echo, ``record`` at the whole record with the free decay.
        decimate: Samples that are averaged into one, without aliasing.
        rescale: Divide each row by its own maximum of |M| in the window. This throws the amplitude away.
        half_width: Samples kept on each side of the echo.
    """

    readable: ClassVar[tuple[str, ...]] = tuple(COMPONENTS)
    fewest_samples: ClassVar[int] = 2

    signal: Literal["magnitude", "complex", "aligned", "log_magnitude", "phase", "instantaneous_frequency"]
    window: Literal["echo", "record"] = "echo"
    decimate: Count = 1
    rescale: bool = False
    half_width: Count = DEFAULT_HALF_WIDTH

    @abstractmethod
    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """What is done with the signals, shape (n_curves, n_components * n_bins), component after component.

        Args:
            span: The window.
            acquisition: How the record was taken.

        Returns:
            Named transformers, applied one after another; none gives the signals themselves.
        """

    @abstractmethod
    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """Where the columns lie, in tables as `intervals` describes them, one under another.

        Args:
            span: The window.
            acquisition: How the record was taken.
        """

    @property
    def name(self) -> str:
        """Short name, for instance ``pointwise-magnitude`` or ``polynomial-complex-rescaled-h100``."""
        parts: list[str] = [self.kind, self.signal]
        parts += ["record"] * (self.window == "record")
        parts += ["rescaled"] * self.rescale
        parts += [f"d{self.decimate}"] * (self.decimate != 1)
        parts += [f"h{self.half_width}"] * (self.half_width != DEFAULT_HALF_WIDTH)
        return "-".join(parts + self.own_name + self._of_records)

    @property
    def own_name(self) -> list[str]:
        """The part of the name that says what a kind has beyond the others, where it differs from the default."""
        return []

    @property
    def components(self) -> tuple[str, ...]:
        """The real signals that M(t) is read as, for instance ``("abs",)`` or ``("re", "im")``."""
        return COMPONENTS[self.signal]

    @property
    def looks_around_the_echo(self) -> bool:
        """Whether ``half_width`` matters."""
        return self.window == "echo"

    @property
    def needs_floor(self) -> bool:
        """Whether the set asks how many spins there are, whose disorder limits how small |M| can be."""
        return self.signal in NEEDS_FLOOR

    @property
    def hangs_on(self) -> frozenset[Reference]:
        """What of the receiver the columns change with: its amplification, phase or frequency.

        Dividing by the largest |M| takes the height out, but not where |M| is compared with the disorder's floor.
        """
        height: frozenset[Reference] = frozenset() if self.rescale and not self.needs_floor else frozenset(("height",))
        return height | HANGS_ON[self.signal]

    @property
    def hangs_weakly_on(self) -> frozenset[Reference]:
        """The part of `hangs_on` that may be guessed: it has a few columns of its own, which models use little."""
        return frozenset()

    def stretches(self, span: WindowSpan) -> tuple[Stretch, ...]:
        """The samples of the record that columns are computed of, each stretch from the first to behind the last."""
        return ((span.first, span.stop),)

    def looked_at(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Acquisition]:
        """The records with the places of their windows, see `RecordFeatures.looked_at`."""
        chosen = super().looked_at(acquisitions)
        if self.looks_around_the_echo:
            return {name: taken.with_room(self.half_width) if name else taken for name, taken in chosen.items()}
        return chosen

    def needs_by_record(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Needs]:
        """The same of each record but for its samples, see `RecordFeatures.needs_by_record`."""
        needs = {}
        for record, taken in self.looked_at(acquisitions).items():
            with naming_record(record):
                needs[record] = Needs(
                    self.hangs_on - self.hangs_weakly_on,
                    self.hangs_weakly_on,
                    self.stretches(self.span(taken)),
                    self.longest_dwell(taken),
                )
        return needs

    def floor(self, acquisition: Acquisition) -> float:
        """The magnitude that disorder leaves, in units of M; zero if the set does not ask for it.

        Raises:
            ConfigurationError: It does, and the number of spins is not known.
        """
        if not self.needs_floor:
            return 0.0
        if acquisition.n_sites is None:
            message = f"Argument `n_sites` must be given for `{self.name}`."
            raise ConfigurationError(message, key="n_sites")
        return disorder_floor(acquisition.n_sites)

    def span(self, acquisition: Acquisition) -> WindowSpan:
        """The part of the record that the set looks at.

        Raises:
            ConfigurationError: The window reaches outside the record, or holds too few samples.
        """
        echo, n_samples, width = acquisition.echo_index, acquisition.n_samples, self.decimate
        reach = self.half_width // width
        around = WindowSpan(echo, reach, reach, width)
        if self.looks_around_the_echo:
            check_window(around, n_samples)
        if self.window == "echo":
            return around
        span = WindowSpan(echo, echo // width, (n_samples - echo) // width, width)
        check_window(span, n_samples)
        if span.n_bins < self.fewest_samples:
            message = (
                f"Argument `decimate` must leave {self.fewest_samples} samples or more for {self.kind} "
                f"features, but {width} leaves {span.n_bins} of {n_samples}."
            )
            raise ConfigurationError(message, key="decimate", value=width)
        return span

    def transformer(self, acquisition: Acquisition) -> Pipeline:
        """From raw records, shape (n_curves, n_samples), real or complex, to (n_curves, n_features), float32.

        It learns nothing, so it may transform unfitted, and it is the first part of a model that predicts from records.

        Raises:
            ConfigurationError: The window reaches outside the record, or the number of spins is needed and not known.
        """
        span = self.span(acquisition)
        reader = SignalReader(self.components, span, self.rescale, self.floor(acquisition), acquisition.step)
        return Pipeline([("window", RecordWindow(span)), ("signal", reader), *self.steps(span, acquisition)])

    def table(self, m: Mapping[str, NDArray[np.inexact]], acquisitions: Mapping[str, Acquisition]) -> pd.DataFrame:
        """The columns of one record after the other, see `RecordFeatures.table`."""
        tables = []
        for record, taken in self.looked_at(acquisitions).items():
            with naming_record(record):
                transformer = self.transformer(taken)
                names = [column_of(record, name) for name in transformer.get_feature_names_out()]
                tables.append(pd.DataFrame(transformer.transform(m[record]), columns=names))
        return pd.concat(tables, axis=1)

    def intervals(self, acquisition: Acquisition | Mapping[str, Acquisition]) -> pd.DataFrame:
        """Those of one record after the other, see `RecordFeatures.intervals`."""
        tables = []
        for record, taken in self.looked_at(by_record(acquisition)).items():
            with naming_record(record):
                places = pd.concat(self.places(self.span(taken), taken), ignore_index=True)
            names = [column_of(record, name) for name in places["name"]]
            tables.append(places.assign(name=names, record=record))
        return pd.concat(tables, ignore_index=True)

    @model_validator(mode="after")
    def _kind_can_read_the_signal(self) -> Self:
        if self.signal not in self.readable:
            options = ", ".join(self.readable)
            message = f"Key `signal` must be one of {options} for {self.kind} features, but is {self.signal}."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Self:
        if not self.looks_around_the_echo and self.half_width != DEFAULT_HALF_WIDTH:
            message = f"Key `half_width` must not be given for the window record, but is {self.half_width}."
            raise ValueError(message)
        if self.rescale and self.signal in ("phase", "instantaneous_frequency"):
            message = f"Key `rescale` must not be given for the signal {self.signal}, which has no amplitude."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _window_holds_enough(self) -> Self:
        if self.looks_around_the_echo and 2 * (self.half_width // self.decimate) < self.fewest_samples:
            message = (
                f"Key `half_width` must be at least {self.decimate * (self.fewest_samples // 2)} for {self.kind} "
                f"features, but is {self.half_width}."
            )
            raise ValueError(message)
        return self
