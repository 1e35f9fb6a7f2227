"""Sequences whose structure is searched: how many pulses, and the phase of each, beside flip angles and delays."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.datasets import Choice, Range, Uniform
from nmr_platform.schema import Schema

__all__ = ["FreePulses"]

_TURN = 360.0


class FreePulses(Schema):
    """Ideal pulses with delays between them; after the last one, twice the last delay is recorded.

    The first phase is 0: another one turns the signal and nothing else. The echo that is looked at is that of the last
    two pulses, after as long as there was between them; a single pulse has none.

    Attributes:
        pulses: How many pulses there may be.
        theta: Range of every flip angle, degrees.
        delay: Range of every delay, us.
        phase_step: Phases are multiples of it, degrees.

    Example:
        >>> free = FreePulses(pulses=[1, 2], theta={"low": 10.0, "high": 180.0}, delay={"low": 10.0, "high": 60.0})
        >>> list(free.parameters)
        ['pulses', 'theta1', 'delay1', 'theta2', 'phi2']
        >>> free.sequence({"pulses": 2, "theta1": 90.0, "delay1": 20.0, "theta2": 180.0, "phi2": 90.0})["echo_times"]
        [40.0]
    """

    units: ClassVar[Mapping[str, str]] = {"phase_step": "degrees"}

    pulses: Annotated[tuple[Annotated[int, Field(ge=1, le=20)], ...], Field(strict=False, min_length=1)]
    theta: Range
    delay: Range
    phase_step: PositiveFloat = 90.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.delay.low <= 0:
            message = f"Key `delay.low` must be positive, but is {self.delay.low} us."
            raise ValueError(message)
        if _TURN % self.phase_step:
            message = f"Key `phase_step` must divide 360 degrees, but is {self.phase_step}."
            raise ValueError(message)
        return self

    @property
    def parameters(self) -> dict[str, Uniform | Choice]:
        """What is searched, by name; those of pulses and delays that a sequence does not have are not drawn for it."""
        theta = Uniform(kind="uniform", low=self.theta.low, high=self.theta.high)
        delay = Uniform(kind="uniform", low=self.delay.low, high=self.delay.high)
        phases = tuple(k * self.phase_step for k in range(round(_TURN / self.phase_step)))
        phi = Choice(kind="choice", values=phases)
        searched: dict[str, Uniform | Choice] = {"pulses": Choice(kind="choice", values=self.pulses)}
        for k in range(1, max(self.pulses) + 1):
            searched[f"theta{k}"] = theta
            if k > 1:
                searched[f"phi{k}"] = phi
            if k == 1 or k < max(self.pulses):
                searched[f"delay{k}"] = delay
        return searched

    def has(self, key: str, values: Mapping[str, Any]) -> bool:
        """Whether a sequence has one of `parameters`.

        Args:
            key: Its name.
            values: What is known of the sequence, ``pulses`` first.
        """
        if key == "pulses":
            return True
        kind = key.rstrip("0123456789")
        n, k = values["pulses"], int(key.removeprefix(kind))
        return bool(k <= (max(n - 1, 1) if kind == "delay" else n))

    def sequence(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The sequence, as plain data.

        Args:
            values: One for each of `parameters` that it has; others are ignored.
        """
        n = values["pulses"]
        delays = [values[f"delay{k}"] for k in range(1, max(n, 2))]
        elements: list[dict[str, Any]] = []
        for k in range(1, n + 1):
            phi = values[f"phi{k}"] if k > 1 else 0.0
            elements += [
                {"kind": "pulse", "theta": values[f"theta{k}"], "phi": phi},
                {"kind": "delay", "duration": delays[k - 1] if k < n else 2 * delays[-1]},
            ]
        return {"kind": "custom", "elements": elements, "echo_times": [sum(delays) + delays[-1]] if n > 1 else []}
