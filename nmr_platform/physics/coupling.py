"""Strength of the coupling between the spins, and of their coupling to the environment."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from nmr_platform.schema import Schema

__all__ = ["Coupling", "Dissipation"]


class Coupling(Schema):
    """Mean-field coupling constants, MHz.

    H_i contains -alpha_d F^d_i I^d_i with F^d_i = sum_j K(r_i - r_j) P_j m^d_j for d = x, y, z.

    Attributes:
        alpha_x: Coupling of the x components, MHz.
        alpha_y: Coupling of the y components, MHz.
        alpha_z: Coupling of the z components, MHz.
        frame: ``rotating``: the couplings are those of the rotating frame, where all is simulated. ``laboratory``:
            x and y are axes of the laboratory; the fast precession about z averages their couplings.
    """

    units: ClassVar[Mapping[str, str]] = {"alpha_x": "MHz", "alpha_y": "MHz", "alpha_z": "MHz"}

    alpha_x: float
    alpha_y: float
    alpha_z: float
    frame: Literal["rotating", "laboratory"] = "rotating"

    @property
    def in_rotating_frame(self) -> tuple[float, float, float]:
        """Couplings of the x, y and z components in the rotating frame, MHz.

        Those of the laboratory frame to first order: (alpha_x + alpha_y) / 2 for both transverse components. The rest
        of the coupling oscillates at twice the Larmor frequency nu_0 and shifts frequencies by order alpha^2 / nu_0.
        """
        if self.frame == "rotating":
            return self.alpha_x, self.alpha_y, self.alpha_z
        transverse = (self.alpha_x + self.alpha_y) / 2
        return transverse, transverse, self.alpha_z

    @property
    def total(self) -> float:
        """alpha_x + alpha_y + alpha_z, MHz, the same in both frames."""
        return self.alpha_x + self.alpha_y + self.alpha_z


class Dissipation(Schema):
    """Lindblad rates of the jump operators sqrt(gamma_plus) I+, sqrt(gamma_minus) I-, sqrt(gamma_z) Iz.

    In dimensionless time s = 2 pi t the transverse components decay as exp(-(G+ + G- + Gz) s / 2), and m_z relaxes at
    rate G+ + G- to (G+ - G-) / (2 (G+ + G-)).

    Attributes:
        gamma_plus: Rate of I+, MHz.
        gamma_minus: Rate of I-, MHz.
        gamma_z: Rate of Iz, MHz.
    """

    units: ClassVar[Mapping[str, str]] = {"gamma_plus": "MHz", "gamma_minus": "MHz", "gamma_z": "MHz"}

    gamma_plus: NonNegativeFloat = 0.0
    gamma_minus: NonNegativeFloat = 0.0
    gamma_z: NonNegativeFloat = 0.0

    @property
    def transverse_rate(self) -> float:
        """Decay rate of m_x and m_y per unit of s = 2 pi t, MHz."""
        return (self.gamma_plus + self.gamma_minus + self.gamma_z) / 2

    @property
    def longitudinal_rate(self) -> float:
        """Relaxation rate of m_z per unit of s = 2 pi t, MHz."""
        return self.gamma_plus + self.gamma_minus

    @property
    def equilibrium(self) -> float:
        """The m_z that relaxation leads to, in [-1/2, 1/2]; 0 without relaxation."""
        rate = self.longitudinal_rate
        return (self.gamma_plus - self.gamma_minus) / (2 * rate) if rate > 0 else 0.0
