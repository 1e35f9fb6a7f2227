"""The data set of a kernel for one measurement: its prior, and what the user does not say of the experiment."""

import zlib
from math import sqrt
from typing import Any

from nmr_platform.datasets import Recipe
from nmr_platform.inference.matched.setting import KernelPrior, Setting
from nmr_platform.schema import validate

__all__ = ["recipe_of", "widths_around"]

# Couplings make an echo somewhat wider than its line, or much narrower: a strong one leaves a rest that rings on.
# Widths are tried from this share of what the echo shows, up to so many MHz or this multiple.
_NARROWEST, _WIDEST, _MULTIPLE = 1 / 3, 0.25, 2.0
_SIDES = 64, 96, 128
_CALIBRATION = {"kind": "normal", "mean": 1.0, "std": 0.03, "low": 0.9, "high": 1.1}


def widths_around(line: float) -> tuple[float, float]:
    """All widths that a line may have whose echo shows ``line``, whatever the couplings; in MHz."""
    return line * _NARROWEST, max(line * _MULTIPLE, _WIDEST)


def recipe_of(
    name: str,
    prior: KernelPrior,
    setting: Setting,
    dwell: float,
    widths: tuple[float, float],
    n_curves: int,
) -> Recipe:
    """The data set of a kernel, with what the user does not say of the experiment drawn beside its prior.

    Args:
        name: Of the kernel.
        prior: Its prior.
        setting: What the user says of the measurement.
        dwell: Time between the points of the record, us.
        widths: Between which the line's width is drawn where the user does not say it, MHz.
        n_curves: Number of curves.

    Raises:
        ConfigurationError: The setting or the prior is not acceptable.
    """
    values = {
        "name": name,
        "n_curves": n_curves,
        "seed": zlib.crc32(name.encode()),
        "integrator": "fast",
        "experiment": {**setting.shared(dwell, sqrt(widths[0] * widths[1])), "kernel": prior.kernel},
        "prior": {**_nuisances(setting, widths), **{key: d.model_dump() for key, d in prior.prior.items()}},
        "constraints": {key: range_.model_dump() for key, range_ in prior.constraints.items()},
    }
    return validate(Recipe, values)


def _nuisances(setting: Setting, widths: tuple[float, float]) -> dict[str, Any]:
    """What is drawn because the user does not say it."""
    drawn: dict[str, Any] = {}
    if setting.draws_line:
        drawn["line.fwhm"] = {"kind": "log_uniform", "low": widths[0], "high": widths[1]}
    if setting.drive is None:
        drawn["drive.calibration"] = _CALIBRATION
    if setting.lattice is None:
        drawn |= {f"lattice.shape.{axis}": {"kind": "choice", "values": _SIDES} for axis in (0, 1)}
    return drawn
