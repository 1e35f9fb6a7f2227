"""Shapes of the electron-mediated coupling K(r) between two nuclei."""

from typing import Annotated

from pydantic import Field

from nmr_platform.physics.kernels.base import CouplingKernel, RadialKernel
from nmr_platform.physics.kernels.radial import (
    ExponentialKernel,
    GaussianKernel,
    PowerKernel,
    RkkyKernel,
    UniformKernel,
)
from nmr_platform.physics.kernels.table import TableKernel

__all__ = [
    "CouplingKernel",
    "ExponentialKernel",
    "GaussianKernel",
    "Kernel",
    "PowerKernel",
    "RadialKernel",
    "RkkyKernel",
    "TableKernel",
    "UniformKernel",
]

Kernel = Annotated[
    GaussianKernel | ExponentialKernel | PowerKernel | RkkyKernel | UniformKernel | TableKernel,
    Field(discriminator="kind"),
]
