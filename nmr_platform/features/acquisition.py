"""What features need to know of how a record was taken."""

import json
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from nmr_platform.datasets import Recipe, Recorded, Reference, Stretch, stretches_of
from nmr_platform.errors import DataError
from nmr_platform.physics import Experiment, Sequence
from nmr_platform.schema import Schema, validate

__all__ = ["Acquisition"]


class Acquisition(Schema):
    """Where the echo is in a record, what its samples are, and what of it is known.

    Attributes:
        echo_index: Sample of the echo.
        step: Time from one sample to the next, us.
        n_samples: Length of the record.
        n_sites: Number of spins, whose disorder limits how small |M| can be, as many as there would be of transverse
            spins of length 1/2; None if no feature asks for it.
        bandwidth: Twice the largest frequency in the signal, MHz; None if it is not known.
        guessed: What the record does not give, but was guessed.
        recorded: The samples that were recorded, as stretches from the first one to that behind the last; None if
            all were.
        dwell: Time between the points that the record was resampled from, us; None if it was not.
        sequence: Pulses and delays, by which features of several records are compared; None if it is not known.
    """

    units: ClassVar[Mapping[str, str]] = {"step": "us", "bandwidth": "MHz", "dwell": "us"}

    echo_index: NonNegativeInt
    step: PositiveFloat
    n_samples: PositiveInt
    n_sites: PositiveInt | None = None
    bandwidth: PositiveFloat | None = None
    guessed: Annotated[tuple[Reference, ...], Field(strict=False)] = ()
    recorded: Annotated[tuple[Annotated[Stretch, Field(strict=False)], ...] | None, Field(strict=False)] = None
    dwell: PositiveFloat | None = None
    sequence: Sequence | None = None

    @model_validator(mode="after")
    def _record_holds_the_echo(self) -> Self:
        if self.echo_index >= self.n_samples:
            message = f"Key `echo_index` must be less than the {self.n_samples} samples, but is {self.echo_index}."
            raise ValueError(message)
        return self

    @classmethod
    def of(cls, experiment: Experiment, echo_index: int | None = None) -> Self:
        """The acquisition of a simulated record.

        Args:
            experiment: What was simulated.
            echo_index: Sample to look around; the last echo by default.

        Raises:
            DataError: The sequence has no echo.
        """
        if echo_index is None:
            if not experiment.echo_indices:
                message = f"The sequence must have an echo to learn from, but {experiment.sequence} expects none."
                raise DataError(message)
            echo_index = experiment.echo_indices[-1]
        return cls(
            echo_index=echo_index,
            step=experiment.step * experiment.receiver.every,
            n_samples=experiment.n_samples,
            n_sites=_n_sites(experiment),
            bandwidth=_bandwidth(experiment),
            sequence=experiment.sequence,
        )

    @classmethod
    def of_dataset(cls, dataset: xr.Dataset) -> Self:
        """The acquisition of a data set's curves, simulated or measured.

        Args:
            dataset: Attributes ``echo_index``, ``step`` (us), ``recipe`` or ``experiment`` for the number of spins, and
                of a measured echo what was guessed and when it was recorded.

        Raises:
            DataError: It does not say where the echo is, or has none.
        """
        attributes = dataset.attrs
        echo_index = int(attributes.get("echo_index", -1))
        if echo_index < 0:
            message = f"Data set `{attributes.get('name', 'without a name')}` must say where its echo is, but does not."
            raise DataError(message)
        experiment = None
        if "recipe" in attributes:
            experiment = validate(Recipe, json.loads(attributes["recipe"])).example
        elif "experiment" in attributes:
            experiment = validate(Experiment, json.loads(attributes["experiment"]))
        taken = cls(
            echo_index=echo_index,
            step=float(attributes["step"]),
            n_samples=dataset.sizes["time"],
            n_sites=None if experiment is None else _n_sites(experiment),
            bandwidth=None if experiment is None else _bandwidth(experiment),
            sequence=None if experiment is None else experiment.sequence,
        )
        recorded = Recorded.of_attributes(attributes)
        if recorded == Recorded():
            return taken
        return taken.of_record(recorded, recorded.covers(dataset["time"].to_numpy()))

    def of_record(self, recorded: Recorded, covered: NDArray[np.bool_]) -> Self:
        """The same sampling, of a record that may not give all that a simulated one gives.

        Args:
            recorded: What it gives.
            covered: Which samples were recorded, shape (n_samples,).
        """
        return self.replace(
            guessed=recorded.guessed,
            dwell=recorded.dwell,
            recorded=None if covered.all() else stretches_of(covered),
        )

    def with_room(self, half_width: int) -> Self:
        """The same, looked at as near to the echo as a window fits into the record.

        Args:
            half_width: Samples of the window on each side; the echo stays where it is in a record that cannot hold it.

        Example:
            >>> Acquisition(echo_index=40, step=0.5, n_samples=300).with_room(100).echo_index
            100
        """
        latest = self.n_samples - half_width
        centre = min(max(self.echo_index, half_width), latest)
        return self if half_width > latest or centre == self.echo_index else self.replace(echo_index=centre)


def _n_sites(experiment: Experiment) -> int:
    """Spins of length 1/2 that leave as much of |M| as those of the experiment once all are out of phase."""
    n_spins, relative = experiment.lattice.n_spins, 4 * experiment.initial.transverse_square
    return max(1, round(n_spins / relative)) if relative else n_spins


def _bandwidth(experiment: Experiment) -> float:
    return 2 * max(abs(edge) for edge in experiment.line.band)
