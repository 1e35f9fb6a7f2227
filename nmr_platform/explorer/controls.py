"""What can be moved on the page, and the measurement that its positions stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmr_platform.physics import Hahn, Measurement
from nmr_platform.pulse_design import plain_yaml
from nmr_platform.schema import laid_over, validate

__all__ = ["KERNELS", "SECOND", "Control", "as_yaml", "choices", "controls", "measured_by", "shown"]

Values = Mapping[str, Any]

SECOND = "second"
"""Prefix of the keys of a sequence that the page adds to that of a single record."""

KERNELS: Mapping[str, tuple[str, ...]] = {
    "gaussian": ("xi", "exponent"),
    "exponential": ("xi",),
    "power": ("exponent",),
    "rkky": ("xi",),
    "uniform": (),
}
"""Parameters of each kernel that has sliders."""

_LINES = ("lorentzian", "gaussian")
_SIDES = (16, 32, 64, 100, 128)
# Of a kernel, when the measurement has one without.
_USUAL = {"kernel.xi": 10.0, "kernel.exponent": 2.0}
_FIRST = "first"
# Couplings are small numbers of MHz.
_HZ = 1e6


@dataclass(frozen=True)
class Control:
    """A slider.

    Attributes:
        key: Dotted key of the measurement, for instance ``coupling.alpha_z``.
        label: What is read beside it, with the unit.
        value: Where it stands at first, in this unit.
        steps: The values that it takes, in order; the first position is among them.
    """

    key: str
    label: str
    value: float
    steps: tuple[float, ...]

    @property
    def per(self) -> float:
        """How many of its units are one of the measurement's."""
        return _HZ if self.key.startswith("coupling.") else 1.0


def controls(measurement: Measurement) -> dict[str, Control]:
    """The sliders of a measurement by their keys.

    Args:
        measurement: What the page begins with. Keys without a slider, and sequences other than a Hahn echo, stay as
            they are.

    Example:
        >>> from nmr_platform.explorer.opening import EXAMPLE
        >>> [*controls(EXAMPLE)][:4]
        ['kernel.xi', 'kernel.exponent', 'coupling.alpha_x', 'coupling.alpha_y']
    """
    plain = measurement.model_dump(mode="json")
    return {key: _control(key, label, plain, steps) for key, label, steps in _listed(measurement)}


def choices(measurement: Measurement) -> dict[str, list[str]]:
    """What can be chosen from lists: ``kernel.kind``, ``line.kind`` and ``lattice.shape``, that of the file first."""
    own = {"kernel.kind": measurement.kernel.kind, "line.kind": measurement.line.kind}
    sides = [" x ".join(map(str, measurement.lattice.shape))]
    if len(measurement.lattice.shape) == 2:
        sides += [f"{side} x {side}" for side in _SIDES]
    listed = {"kernel.kind": [*KERNELS], "line.kind": [*_LINES], "lattice.shape": sides}
    return {key: [*dict.fromkeys([own.get(key, each[0]), *each])] for key, each in listed.items()}


def shown(key: str, kernel: str, *, second: bool) -> bool:
    """Whether a slider has a meaning.

    Args:
        key: Of the slider.
        kernel: The kernel that is chosen.
        second: Whether the second sequence is there.
    """
    group, _, name = key.partition(".")
    if group == "kernel":
        return name in KERNELS.get(kernel, ())
    return second or group != SECOND


def measured_by(measurement: Measurement, chosen: Values, moved: Values, *, second: bool = False) -> Measurement:
    """The measurement that the positions of the page stand for.

    Args:
        measurement: What the page began with.
        chosen: The choices, by the keys of `choices`.
        moved: The sliders' values, by the keys of `controls`.
        second: Whether the second sequence is there.

    Raises:
        ConfigurationError: It is none that can be simulated, for instance a line wider than its band.

    Example:
        >>> from nmr_platform.explorer.opening import EXAMPLE
        >>> values = {key: each.value for key, each in controls(EXAMPLE).items()}
        >>> first = {key: listed[0] for key, listed in choices(EXAMPLE).items()}
        >>> measured_by(EXAMPLE, first, values) == EXAMPLE
        True
        >>> measured_by(EXAMPLE, first, {**values, "kernel.xi": 5.0}).kernel.xi
        5.0
    """
    plain = measurement.model_dump(mode="json", exclude_none=True)
    kernel = chosen["kernel.kind"]
    if kernel != measurement.kernel.kind:
        # The angular factor and the sign are the same for all.
        kept = {key: value for key, value in plain["kernel"].items() if key in {"s", "p", "d", "antiferromagnetic"}}
        plain["kernel"] = {**kept, "kind": kernel}
    if chosen["line.kind"] != measurement.line.kind:
        plain["line"] = {"kind": chosen["line.kind"], "weights": measurement.line.weights}
    plain["lattice"]["shape"] = [int(side) for side in chosen["lattice.shape"].split(" x ")]
    both = second and measurement.sequence is not None
    if both:
        plain["sequences"] = {_FIRST: plain.pop("sequence"), SECOND: {"kind": "hahn"}}
    for key, control in controls(measurement).items():
        # What stays where it was keeps all its digits.
        stays = moved[key] == control.value and _held(plain, key) is not None
        if shown(key, kernel, second=both) and not stays:
            plain = laid_over(plain, _nested(_place(key, second=both), moved[key] / control.per))
    return validate(Measurement, plain)


def as_yaml(measurement: Measurement, seed: int) -> str:
    """A measurement as `nmr simulate` and `nmr explore` read it.

    Args:
        measurement: What is on the page.
        seed: Of the disorder.
    """
    return (
        f"# The same curve: nmr simulate mine.yaml --seed {seed} --integrator fast\n"
        f"# The same page: nmr explore mine.yaml --seed {seed}\n"
        f"# W = {measurement.first.kernel_integral:.6g} MHz\n{plain_yaml(measurement)}"
    )


def _listed(measurement: Measurement) -> Iterator[tuple[str, str, np.ndarray]]:
    """Key, label and values of every slider."""
    yield "kernel.xi", "range ξ (sites)", np.arange(0.5, 30.05, 0.1)
    yield "kernel.exponent", "exponent", np.arange(0.5, 6.01, 0.05)
    alphas = np.concatenate([[0.0], np.geomspace(1.0, 1e5, 101)])
    for axis in "xyz":
        yield f"coupling.alpha_{axis}", f"α {axis} (Hz)", alphas
    if measurement.line.kind in _LINES:
        yield "line.fwhm", "width, FWHM (MHz)", np.geomspace(0.005, 0.5, 61)
        yield "line.bandwidth", "band (MHz)", np.arange(0.1, 2.01, 0.05)
    yield "receiver.noise", "noise (units of M)", np.concatenate([[0.0], np.geomspace(1e-4, 0.1, 61)])
    for prefix in _hahn_echoes(measurement):
        yield f"{prefix}.tau", "τ (µs)", np.arange(5.0, 200.1, 1.0)
        yield f"{prefix}.theta1", "θ₁ (°)", np.arange(0.0, 181.0, 1.0)
        yield f"{prefix}.theta2", "θ₂ (°)", np.arange(0.0, 361.0, 1.0)


def _hahn_echoes(measurement: Measurement) -> Iterator[str]:
    if measurement.sequence is not None:
        if isinstance(measurement.sequence, Hahn):
            yield "sequence"
        yield SECOND
    for name, sequence in (measurement.sequences or {}).items():
        if isinstance(sequence, Hahn):
            yield f"sequences.{name}"


def _control(key: str, label: str, plain: Values, steps: np.ndarray) -> Control:
    value = _held(plain, key)
    if value is None and key.startswith(SECOND):
        # More strongly tipped: it tells kernels apart that the first one does not.
        usual = {"tau": 60.0, "theta1": 60.0, "theta2": 120.0}
        value = usual[key.rpartition(".")[2]]
    value = float(_USUAL.get(key, steps[0]) if value is None else value)
    if key.startswith("coupling."):
        value = float(f"{value * _HZ:.6g}")
    # A value of the file that lies beyond the slider, or between its steps, is a step of its own.
    return Control(key, label, value, tuple(sorted({*(float(f"{step:.3g}") for step in steps), value})))


def _held(plain: Values, key: str) -> Any:
    """What is at a dotted key, in which a record's name may have dots of its own."""
    first, _, rest = key.partition(".")
    if first == "sequences":
        name, _, last = rest.rpartition(".")
        return plain["sequences"][name].get(last)
    return (plain.get(first) or {}).get(rest)


def _place(key: str, *, second: bool) -> list[str]:
    """The keys that lead to what a slider moves."""
    group, _, rest = key.partition(".")
    if group == "sequences":
        name, _, last = rest.rpartition(".")
        return [group, name, last]
    if second and group in {"sequence", SECOND}:
        return ["sequences", _FIRST if group == "sequence" else SECOND, rest]
    return [group, rest]


def _nested(place: list[str], value: Any) -> Any:
    for key in reversed(place):
        value = {key: value}
    return value
