"""Strength of the coupling between the spins, and of their coupling to the environment."""

from collections.abc import Mapping
from math import cos, radians, sin
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat

from nmr_platform.portable import product
from nmr_platform.schema import Schema

__all__ = ["Coupling", "Dissipation", "FieldDirection"]

Array = NDArray[np.float64]
# What turning a tensor leaves of an element that is none.
_ROUNDING = 1e-15

# Plain data without the keys that are zero is what it was before there were any.
_Unless0 = Annotated[float, Field(exclude_if=lambda value: value == 0)]


class FieldDirection(Schema):
    """Direction of the static field in the axes of the crystal.

    The axes of the field are those of the crystal turned by R = R_z(azimuth) R_y(polar): the z-y-z Euler angles
    (azimuth, polar, 0) of M. E. Rose, *Elementary Theory of Angular Momentum* (Wiley, 1957). The third angle would turn
    everything about the field, which is what one more phase for all pulses and the receiver does.

    Attributes:
        polar: Angle of the field from the crystal's z axis, degrees.
        azimuth: Angle from the crystal's x axis to the field's projection on the x-y plane, towards y, degrees.
    """

    units: ClassVar[Mapping[str, str]] = {"polar": "degrees", "azimuth": "degrees"}

    polar: float = 0.0
    azimuth: float = 0.0

    @property
    def axes(self) -> Array:
        """R, shape (3, 3): its columns are the x, y and z axes of the field in those of the crystal.

        Examples:
            >>> FieldDirection(polar=90.0).axes.round(3).tolist()  # z lies along the crystal's x, and x along its -z
            [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]
        """
        theta, phi = radians(self.polar), radians(self.azimuth)
        about_z = [[cos(phi), -sin(phi), 0.0], [sin(phi), cos(phi), 0.0], [0.0, 0.0, 1.0]]
        about_y = [[cos(theta), 0.0, sin(theta)], [0.0, 1.0, 0.0], [-sin(theta), 0.0, cos(theta)]]
        return product(about_z, about_y)


class Coupling(Schema):
    """Mean-field coupling constants, MHz: a symmetric tensor A in the axes of the crystal.

    H_i contains -sum_de A_de F^d_i I^e_i with F^d_i = sum_j K(r_i - r_j) P_j m^d_j for d = x, y, z.

    Attributes:
        alpha_x: Coupling of the x components, A_xx, MHz.
        alpha_y: Coupling of the y components, A_yy, MHz.
        alpha_z: Coupling of the z components, A_zz, MHz.
        alpha_xy: Coupling of x components to y components, A_xy = A_yx, MHz.
        alpha_xz: Coupling of x components to z components, A_xz = A_zx, MHz.
        alpha_yz: Coupling of y components to z components, A_yz = A_zy, MHz.
        frame: ``rotating``: the couplings, seen along the field, are those of the rotating frame, where all is
            simulated. ``laboratory``: they are at rest in the laboratory, as those of a crystal are; the fast
            precession about the field averages them.
    """

    units: ClassVar[Mapping[str, str]] = {f"alpha_{name}": "MHz" for name in ("x", "y", "z", "xy", "xz", "yz")}

    alpha_x: float
    alpha_y: float
    alpha_z: float
    alpha_xy: _Unless0 = 0.0
    alpha_xz: _Unless0 = 0.0
    alpha_yz: _Unless0 = 0.0
    frame: Literal["rotating", "laboratory"] = "rotating"

    @property
    def tensor(self) -> Array:
        """A in the axes of the crystal, MHz, shape (3, 3)."""
        xy, xz, yz = self.alpha_xy, self.alpha_xz, self.alpha_yz
        return np.array([[self.alpha_x, xy, xz], [xy, self.alpha_y, yz], [xz, yz, self.alpha_z]])

    def seen_along(self, field: FieldDirection) -> Array:
        """The tensor of the rotating frame: R^T A R, and of the laboratory frame what precession leaves of it.

        With n the direction of the field, that is the secular part diag(b, b, a) with a = n^T A n and
        b = (tr A - a) / 2, to first order. The rest oscillates at the Larmor frequency nu_0 and at twice that, and
        shifts frequencies by order alpha^2 / nu_0.

        Args:
            field: Direction of the static field.

        Returns:
            MHz, shape (3, 3), in the axes of the field; elements off the diagonal that are rounding alone are 0.

        Examples:
            >>> axial = Coupling(alpha_x=1.0, alpha_y=1.0, alpha_z=3.0)
            >>> axial.seen_along(FieldDirection(polar=90.0)).tolist()
            [[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
            >>> axial.replace(frame="laboratory").seen_along(FieldDirection(polar=90.0)).diagonal().tolist()
            [2.0, 2.0, 1.0]
        """
        axes = field.axes
        turned = product(product(axes.T, self.tensor), axes)
        if self.frame == "laboratory":
            transverse = (turned[0, 0] + turned[1, 1]) / 2
            return np.diag([transverse, transverse, turned[2, 2]])
        negligible = np.abs(turned) <= _ROUNDING * np.abs(turned).max()
        return np.where(negligible & ~np.eye(3, dtype=bool), 0.0, turned)

    @property
    def total(self) -> float:
        """The trace alpha_x + alpha_y + alpha_z, MHz, the same in all frames and for all directions of the field."""
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
