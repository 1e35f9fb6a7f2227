"""The inhomogeneous line: which Larmor offsets the spins have, and how much each counts."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from nmr_platform.physics.lines.base import LineShape, Spins
from nmr_platform.physics.lines.peaks import GaussianLine, LorentzianLine
from nmr_platform.physics.lines.table import TableLine

__all__ = ["GaussianLine", "Line", "LineShape", "LorentzianLine", "Spins", "TableLine"]


def _lorentzian_by_default(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Mapping) and "kind" not in value:
        return LorentzianLine.model_validate(value)
    return handler(value)


Line = Annotated[
    Annotated[LorentzianLine | GaussianLine | TableLine, Field(discriminator="kind")],
    WrapValidator(_lorentzian_by_default),
]
