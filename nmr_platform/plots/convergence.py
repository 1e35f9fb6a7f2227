"""How the error of an integrator falls with its step."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nmr_platform.plots.style import GRID, MUTED, figure, legend
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_convergence"]

_MARKERS = "osD^v"


def plot_convergence(
    steps: ArrayLike,
    errors: Mapping[str, ArrayLike],
    *,
    orders: Mapping[str, float] | None = None,
    floor: float | None = None,
    title: str = "",
) -> Figure:
    """Draw error against step, both on logarithmic scales.

    Args:
        steps: Shape (n_steps,), us.
        errors: For each integrator, the largest error of M over the record, shape (n_steps,), units of hbar per spin.
        orders: Fitted order of each integrator, written into the legend.
        floor: Error that single precision adds, in the same units; drawn as a horizontal line.
        title: Title of the figure.
    """
    made, (ax,) = figure(size=(6.4, 4.6))
    x = np.asarray(steps, dtype=float)
    for number, (name, values) in enumerate(errors.items()):
        order = f", order {orders[name]:.2f}" if orders and name in orders else ""
        y, marker = np.asarray(values, dtype=float), _MARKERS[number % len(_MARKERS)]
        ax.plot(x, y, marker=marker, markersize=5, linewidth=1.4, label=f"{name}{order}")
    if floor is not None:
        ax.axhline(floor, color=MUTED, linewidth=1, linestyle="--", label="rounding in float32")
    ax.set_xscale("log")
    ax.set_yscale("log")
    _label_steps(ax, x)
    ax.set_xlabel("step (µs)")
    ax.set_ylabel("largest error of M (ħ per spin)")
    set_title(ax, title)
    # Errors rise to the right: the legend has its room above the left end.
    ax.set_ylim(top=8 * ax.get_ylim()[1])
    legend(ax, loc="upper left")
    return made


def _label_steps(ax: Axes, steps: ArrayLike) -> None:
    """Mark the steps that were taken, and no powers of ten, of which there may be none."""
    ax.set_xticks(np.sort(np.asarray(steps)), minor=False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    ax.minorticks_off()
    ax.grid(color=GRID, linewidth=0.8)
