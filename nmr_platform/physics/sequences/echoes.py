"""The textbook's echo sequences."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from nmr_platform.physics.sequences.base import NamedSequence
from nmr_platform.physics.sequences.elements import Delay, Element

__all__ = ["Cpmg", "Hahn", "InversionRecovery", "StimulatedEcho"]


class Hahn(NamedSequence):
    """Hahn echo: pulse 1, tau, pulse 2, 2 tau. The echo is tau after the second pulse.

    Attributes:
        tau: Time between the pulses, us.
        theta1: Flip angle of the first pulse, degrees.
        phi1: Phase of the first pulse, degrees.
        theta2: Flip angle of the second pulse, degrees.
        phi2: Phase of the second pulse, degrees.
    """

    kind: Literal["hahn"] = "hahn"
    tau: PositiveFloat
    theta1: float = 90.0
    phi1: float = 0.0
    theta2: float = 180.0
    phi2: float = 90.0

    @property
    def parts(self) -> tuple[Element, ...]:
        """See the class."""
        delay = Delay(duration=self.tau)
        # Two delays after the second pulse, so that the echo falls on a whole step after any rounding of tau.
        return (self._pulse(self.theta1, self.phi1), delay, self._pulse(self.theta2, self.phi2), delay, delay)

    @property
    def expected_echoes(self) -> tuple[float, ...]:
        """One echo."""
        return (2 * self.tau + self._pulse(self.theta2, 0.0).duration,)


class Cpmg(NamedSequence):
    """Carr-Purcell-Meiboom-Gill train: 90x - te/2 - [180y - te]^n, an echo te/2 after each refocusing pulse.

    Attributes:
        echo_spacing: te, the time between the echoes of ideal pulses, us.
        n_echoes: Number of refocusing pulses.
        theta1: Flip angle of the first pulse, degrees.
        theta2: Flip angle of the refocusing pulses, degrees.
    """

    kind: Literal["cpmg"] = "cpmg"
    echo_spacing: PositiveFloat
    n_echoes: Annotated[int, Field(gt=0, le=100_000)]
    theta1: float = 90.0
    theta2: float = 180.0

    @property
    def parts(self) -> tuple[Element, ...]:
        """See the class."""
        half = Delay(duration=self.echo_spacing / 2)
        refocus = (self._pulse(self.theta2, 90.0), half, half)
        return (self._pulse(self.theta1, 0.0), half, *(refocus * self.n_echoes))

    @property
    def expected_echoes(self) -> tuple[float, ...]:
        """As many as refocusing pulses."""
        spacing = self.echo_spacing + self._pulse(self.theta2, 90.0).duration
        return tuple(spacing * (k + 1) for k in range(self.n_echoes))


class StimulatedEcho(NamedSequence):
    """Three pulses: theta1, tau, theta2, mixing, theta3, 2 tau. The stimulated echo is tau after the third pulse.

    Attributes:
        tau: Time between the first two pulses, us.
        mixing: Time between the second and the third pulse, us.
        theta1: Flip angle of the first pulse, degrees.
        theta2: Flip angle of the second pulse, degrees.
        theta3: Flip angle of the third pulse, degrees.
        phi1: Phase of the first pulse, degrees.
        phi2: Phase of the second pulse, degrees.
        phi3: Phase of the third pulse, degrees.
    """

    kind: Literal["stimulated"] = "stimulated"
    tau: PositiveFloat
    mixing: PositiveFloat
    theta1: float = 90.0
    theta2: float = 90.0
    theta3: float = 90.0
    phi1: float = 0.0
    phi2: float = 0.0
    phi3: float = 0.0

    @property
    def parts(self) -> tuple[Element, ...]:
        """See the class."""
        tau = Delay(duration=self.tau)
        return (
            self._pulse(self.theta1, self.phi1),
            tau,
            self._pulse(self.theta2, self.phi2),
            Delay(duration=self.mixing),
            self._pulse(self.theta3, self.phi3),
            tau,
            tau,
        )

    @property
    def expected_echoes(self) -> tuple[float, ...]:
        """The stimulated echo; the primary echo of the first two pulses falls into the mixing time."""
        pulses = self._pulse(self.theta2, 0.0).duration + self._pulse(self.theta3, 0.0).duration
        return (2 * self.tau + self.mixing + pulses,)


class InversionRecovery(NamedSequence):
    """180, recovery, 90, acquisition: the free decay after the second pulse tells how far m_z has recovered.

    Attributes:
        recovery: Time between the pulses, us.
        acquisition: Time recorded after the second pulse, us.
        theta1: Flip angle of the inverting pulse, degrees.
        theta2: Flip angle of the reading pulse, degrees.
        phi1: Phase of the inverting pulse, degrees.
        phi2: Phase of the reading pulse, degrees.
    """

    kind: Literal["inversion_recovery"] = "inversion_recovery"
    recovery: PositiveFloat
    acquisition: PositiveFloat
    theta1: float = 180.0
    theta2: float = 90.0
    phi1: float = 0.0
    phi2: float = 0.0

    @property
    def parts(self) -> tuple[Element, ...]:
        """See the class."""
        return (
            self._pulse(self.theta1, self.phi1),
            Delay(duration=self.recovery),
            self._pulse(self.theta2, self.phi2),
            Delay(duration=self.acquisition),
        )

    @property
    def expected_echoes(self) -> tuple[float, ...]:
        """None: the signal is a free decay."""
        return ()
