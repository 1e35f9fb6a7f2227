"""What a user says of a measurement: the file of its experiment, in which its sequences alone must stand."""

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.datasets import DataSettings, Distribution, Range, read_preset
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Delay, Measurement, PhaseStep, Sequence, with_sweeps_expanded
from nmr_platform.schema import Name, Schema, read_yaml, validate

__all__ = ["PRESET", "KernelPrior", "Setting", "priors_of"]

PRESET = "august2021"
"""The preset whose kernels, priors and constraints are those of a user who has none."""

# No spin may turn by more than a radian in a step: the band's edge, and couplings that add to it.
_COUPLINGS = 2.0
_BANDWIDTH = 1.0
_WITH_WIDTH = ("lorentzian", "gaussian")


class Setting(Schema):
    """A measurement of which all but the sequences may be left out.

    Attributes:
        sequence: Pulses and delays of the only record, whose name is the empty text.
        sequences: Instead of it, those of each record by its name, see `nmr_platform.physics.Measurement`.
        lattice: As in an experiment; rectangles of several sizes are drawn if it is left out.
        line: As in an experiment; its ``fwhm`` is drawn around what the echo shows if it is left out.
        drive: As in an experiment; the calibration is drawn if it is left out.
        field: As in an experiment; along the crystal's z axis if it is left out.
        initial: As in an experiment; fully polarised spins without fluctuations if it is left out.
        dissipation: As in an experiment; none if it is left out.
        phase_cycle: As in an experiment.
        step: Time step of the simulation, us; a fraction of the time between points if it is left out.
        kernel: Not looked at: it is what is asked for.
        coupling: Not looked at: it is what is asked for.
    """

    sequence: Sequence | None = None
    sequences: Annotated[dict[Name, Sequence], Field(min_length=1)] | None = None
    lattice: dict[str, Any] | None = None
    line: dict[str, Any] = Field(default_factory=dict)
    drive: dict[str, Any] | None = None
    field: dict[str, Any] = Field(default_factory=dict)
    initial: dict[str, Any] = Field(default_factory=dict)
    dissipation: dict[str, Any] = Field(default_factory=dict)
    phase_cycle: Annotated[tuple[PhaseStep, ...], Field(strict=False)] = ()
    step: PositiveFloat | None = None
    kernel: Any = None
    coupling: Any = None

    @model_validator(mode="before")
    @classmethod
    def _expand_sweeps(cls, values: Any) -> Any:
        return with_sweeps_expanded(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _has_sequences(self) -> Self:
        if (self.sequence is None) == (self.sequences is None):
            message = "Either key `sequence` or key `sequences`, of several records by name, must stand in it."
            raise ValueError(message)
        return self

    @property
    def by_record(self) -> dict[str, Sequence]:
        """The sequence of each record by its name."""
        return self.sequences or ({"": self.sequence} if self.sequence is not None else {})

    @property
    def line_kind(self) -> str:
        """Lorentzian, unless the file says otherwise."""
        return str(self.line.get("kind", "lorentzian"))

    @property
    def draws_line(self) -> bool:
        """Whether the width of the line is not said, but drawn."""
        return self.line_kind in _WITH_WIDTH and "fwhm" not in self.line

    def shared(self, dwell: float, fwhm: float) -> dict[str, Any]:
        """What all simulated curves share, as plain data of an experiment without kernel and coupling.

        Args:
            dwell: Time between the points of the records, us.
            fwhm: Width of the line where the file has none, MHz.
        """
        widths = {"fwhm": fwhm, "bandwidth": max(_BANDWIDTH, 4 * fwhm)}
        sequences = {name: each.model_dump(mode="json") for name, each in self.by_record.items()}
        line = {"kind": self.line_kind, **(widths if self.line_kind in _WITH_WIDTH else {}), **self.line}
        return {
            "lattice": self.lattice or {"shape": [64, 64]},
            "line": line,
            "drive": self.drive or {},
            **({"field": self.field} if self.field else {}),
            **({"initial": self.initial} if self.initial else {}),
            "dissipation": self.dissipation,
            "phase_cycle": [each.model_dump(mode="json") for each in self.phase_cycle],
            **({"sequence": sequences[""]} if "" in sequences else {"sequences": sequences}),
            "step": self.step or self._step(dwell, line.get("bandwidth", _BANDWIDTH)),
        }

    def of_free_spins(self, dwell: float) -> Measurement:
        """The measurement of spins without couplings: what a look at its records needs.

        Args:
            dwell: Time between the points of the records, us.

        Raises:
            ConfigurationError: A section of the file is not acceptable.
        """
        free = {"kernel": {"kind": "uniform"}, "coupling": dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), 0.0)}
        return validate(Measurement, {**self.shared(dwell, 0.05), **free})

    def _step(self, dwell: float, bandwidth: float) -> float:
        """The shortest delay in whole steps, as long as the time between points and the band allow."""
        longest = min(dwell, 1 / (3.15 * bandwidth + _COUPLINGS))
        parts = (part for sequence in self.by_record.values() for part in sequence.parts)
        delay = min(part.duration for part in parts if isinstance(part, Delay))
        return delay / ceil(delay / longest - 1e-9)


class KernelPrior(Schema):
    """What is possible where one kernel couples the spins.

    Attributes:
        kernel: Its fixed part, as plain data.
        prior: What is drawn, by dotted key of an experiment.
        constraints: Ranges of quantities, see `nmr_platform.datasets.Recipe`.
    """

    kernel: dict[str, Any]
    prior: dict[str, Distribution]
    constraints: dict[str, Range] = Field(default_factory=dict)


class _Prior(Schema):
    prior: dict[str, dict[str, Distribution]]


def priors_of(kernels: tuple[str, ...] = (), path: Path | None = None) -> dict[str, KernelPrior]:
    """The priors of the kernels that are asked for.

    Args:
        kernels: Their kinds; those of the file, or of the preset, if there are none.
        path: YAML of distributions by dotted key, of one kernel, or of each by its kind; those of the preset, with
            its constraints, if None.

    Raises:
        ConfigurationError: A kernel has no prior.

    Example:
        >>> [*priors_of()], [*priors_of(("power",))["power"].prior][:2]
        (['gaussian', 'power', 'rkky'], ['kernel.exponent', 'coupling.alpha_x'])
    """
    preset = read_preset(PRESET)
    if path is None:
        known = {name: _of_preset(preset, name) for name in preset.kernels}
    else:
        fixed = {name: dict(each.kernel) for name, each in preset.kernels.items()}
        known = {
            name: KernelPrior(kernel={"kind": name} | fixed.get(name, {}), prior=dict(prior))
            for name, prior in _read(path, kernels).items()
        }
    for name in kernels:
        if name not in known:
            message = (
                f"Option `--kernels` must name kernels with a prior ({', '.join(known)}), but names {name!r}: give "
                "one by `--prior`."
            )
            raise ConfigurationError(message, key="kernels", value=name)
    return {name: known[name] for name in kernels or known}


def _of_preset(preset: DataSettings, name: str) -> KernelPrior:
    own = preset.kernels[name]
    constraints = {**preset.constraints, **own.constraints}
    return KernelPrior(kernel={"kind": name} | own.kernel, prior=own.prior, constraints=constraints)


def _read(path: Path, kernels: tuple[str, ...]) -> Mapping[str, Mapping[str, Distribution]]:
    """The distributions in a file, by kernel."""
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        message = f"File `{path}` must hold distributions by dotted key, but is {type(values).__name__}."
        raise ConfigurationError(message, key=str(path))
    if any("." in str(key) for key in values):
        if len(kernels) != 1:
            message = f"File `{path}` is the prior of one kernel: say of which by `--kernels`."
            raise ConfigurationError(message, key="kernels", value=kernels)
        values = {kernels[0]: values}
    return validate(_Prior, {"prior": values}).prior
