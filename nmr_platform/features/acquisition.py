"""What features need to know of how a record was taken."""

import json
from collections.abc import Mapping
from typing import ClassVar, Self

import xarray as xr
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from nmr_platform.datasets import Recipe
from nmr_platform.errors import DataError
from nmr_platform.physics import Experiment
from nmr_platform.schema import Schema, validate

__all__ = ["Acquisition"]


class Acquisition(Schema):
    """Where the echo is in a record, and what its samples are.

    Attributes:
        echo_index: Sample of the echo.
        step: Time from one sample to the next, us.
        n_samples: Length of the record.
        n_sites: Number of spins, whose disorder limits how small |M| can be; None if no feature asks for it.
    """

    units: ClassVar[Mapping[str, str]] = {"step": "us"}

    echo_index: NonNegativeInt
    step: PositiveFloat
    n_samples: PositiveInt
    n_sites: PositiveInt | None = None

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
            n_sites=experiment.lattice.size,
        )

    @classmethod
    def of_dataset(cls, dataset: xr.Dataset) -> Self:
        """The acquisition of a data set's curves, simulated or measured.

        Args:
            dataset: Attributes ``echo_index``, ``step`` (us), and ``recipe`` or ``experiment`` for the number of spins.

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
        return cls(
            echo_index=echo_index,
            step=float(attributes["step"]),
            n_samples=dataset.sizes["time"],
            n_sites=None if experiment is None else experiment.lattice.size,
        )
