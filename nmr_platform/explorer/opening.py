"""What the page begins with: a measurement, models, and perhaps a measured record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nmr_platform.errors import NmrPlatformError
from nmr_platform.inference import Predictor
from nmr_platform.inference.prediction import load_models
from nmr_platform.physics import Measurement
from nmr_platform.schema import read_value, validate

__all__ = ["EXAMPLE", "Opening", "begin", "begun"]

EXAMPLE = validate(
    Measurement,
    {
        "lattice": {"shape": [64, 64]},
        "kernel": {"kind": "gaussian", "xi": 13.4},
        "coupling": {"alpha_x": 8.5e-5, "alpha_y": 8.5e-5, "alpha_z": 3.2e-5},
        "line": {"kind": "lorentzian", "fwhm": 0.05, "bandwidth": 1.0},
        "sequence": {"kind": "hahn", "tau": 100.0},
        "step": 0.15915494309189535,
    },
)
"""A Hahn echo with a Gaussian coupling, as in the 2021 data sets, on 64 x 64 sites; MHz, us and degrees."""


@dataclass(frozen=True)
class Opening:
    """What the page is asked to begin with, as plain data that a process can be told.

    Attributes:
        measurement: YAML of an experiment or a measurement; by default that of the project's models, else `EXAMPLE`.
        seed: Of the disorder.
        root: The project's folder, whose registry has the models.
        models: Their names, see `nmr_platform.inference.prediction.load_models`; all champions if there is none.
        measured: A file with a measured record to lay over the echo.
        options: What its reader and the corrections take.
    """

    measurement: str | None = None
    seed: int = 0
    root: str = "."
    models: Sequence[str] = ()
    measured: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """It as JSON takes it."""
        return asdict(self)

    @cached_property
    def predictors(self) -> list[Predictor]:
        """The models, none if there are none to be had.

        Raises:
            NmrPlatformError: Models that were asked for by name cannot be had.
        """
        try:
            return load_models(self.models, Path(self.root))
        except NmrPlatformError:
            if self.models:
                raise
            return []

    @cached_property
    def first(self) -> Measurement:
        """The measurement that the page begins with.

        Raises:
            ConfigurationError: The file is no measurement.
        """
        if self.measurement is not None:
            return read_value(Path(self.measurement), Measurement)
        for model in self.predictors:
            records = model.facts.records
            one = next(iter(records.values())).experiment
            if "" in records:
                return Measurement.of(one)
            shared = one.model_dump(mode="json", exclude={"sequence"}, exclude_none=True)
            sequences = {name: own.experiment.sequence.model_dump(mode="json") for name, own in records.items()}
            return validate(Measurement, {**shared, "sequences": sequences})
        return EXAMPLE


_begun: list[Opening] = []


def begin(opening: Opening) -> None:
    """Serve ``opening`` from now on; marimo runs the page of every visitor in a thread of this process."""
    _begun[:] = [opening]


def begun() -> Opening:
    """What this process serves; `EXAMPLE` without models where nothing was said, as in a notebook."""
    return _begun[0] if _begun else Opening()
