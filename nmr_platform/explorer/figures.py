"""Figures of the page, as SVG that stays crisp at any width."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmr_platform.explorer.overlay import Overlay
from nmr_platform.explorer.reading import Answer, Seen, Weights
from nmr_platform.plots.style import ACCENT, CYCLE, INK, MAIN, MUTED, figure, legend
from nmr_platform.plots.style import title as set_title
from nmr_platform.simulation import Echo

__all__ = ["as_svg", "draw_echoes", "draw_features", "draw_posterior", "draw_weights"]

_M = "M (ħ per spin)"
_TIME = "time (µs)"
_WIDE = 9.6
# More points than the page has pixels only cost time.
_MOST_POINTS = 1000


def as_svg(drawn: Figure, label: str) -> str:
    """A figure as an element of a page, as wide as its place.

    Args:
        drawn: The figure.
        label: What it shows, for whoever cannot see it.
    """
    # Letters stay letters: a third of the size, and they can be searched.
    with rc_context({"svg.fonttype": "none"}), io.StringIO() as text:
        drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        whole = text.getvalue()
    width, height = drawn.get_size_inches() * 72
    opening = f'<svg role="img" aria-label="{label}" viewBox="0 0 {width:g} {height:g}" width="100%"'
    inside = whole[whole.index("<svg") :].partition(">")[2]
    return f'<div class="drawn">{opening} xmlns:xlink="http://www.w3.org/1999/xlink">{inside}</div>'


def draw_echoes(
    echoes: Mapping[str, Echo],
    overlays: Mapping[str, Overlay] | None = None,
    *,
    held: Mapping[str, Echo] | None = None,
    parts: bool = False,
) -> Figure:
    """Draw |M|(t) of the records on the page.

    Args:
        echoes: By name.
        overlays: Measured records, by the same names.
        held: Records to compare with, drawn in grey.
        parts: Whether real and imaginary part are drawn too.
    """
    made, axes = figure(1 + parts, size=(_WIDE, 3.5 + 2.0 * parts), sharex=True)
    for echo in (held or {}).values():
        _line(axes[0], echo.time, np.abs(echo.m), color=MUTED, linewidth=1.0)
    for number, (name, echo) in enumerate(echoes.items()):
        color = CYCLE[number % len(CYCLE)]
        overlay = (overlays or {}).get(name)
        if overlay is not None:
            label = f"measured {name}".strip()
            _line(axes[0], overlay.time, np.abs(overlay.m), color=ACCENT, linewidth=1.0, alpha=0.8, label=label)
        _line(axes[0], echo.time, np.abs(echo.m), color=color, linewidth=1.6, label=name or "simulated")
        for index in echo.echo_indices[-1:]:
            axes[0].axvline(echo.time[index], color=color, linewidth=0.8, linestyle="--", zorder=0)
        for part, style in ((np.real, "-"), (np.imag, ":")) if parts else ():
            _line(axes[1], echo.time, part(echo.m), color=color, linewidth=1.1, linestyle=style)
    longest = max(float(echo.time[-1]) for echo in echoes.values())
    axes[0].set_xlim(0, longest)
    axes[0].set_ylim(0, 0.52)
    axes[0].set_ylabel("|M| (ħ per spin)")
    if parts:
        axes[1].set_ylabel(f"Re, Im (dotted)\nof {_M}")
    axes[-1].set_xlabel(_TIME)
    if len(echoes) > 1 or overlays:
        legend(axes[0], loc="upper right")
    return made


def draw_features(seen: Seen, echoes: Mapping[str, Echo]) -> Figure:
    """Draw features over the stretches that they come from: cubic fits as curves, others as steps.

    Args:
        seen: The features.
        echoes: The records that they are of.
    """
    panels = [(key, rows) for key, rows in seen.table.groupby(["record", "axis", "component"], sort=False)]
    panels = panels[:4]
    made, axes = figure(len(panels), size=(_WIDE, 0.8 + 2.5 * len(panels)))
    for ax, ((record, axis, component), rows) in zip(axes, panels, strict=True):
        echo = echoes[str(record)] if record in echoes else next(iter(echoes.values()))
        begins = float(echo.time[0]) if axis == "time" else 0.0
        if rows["power"].notna().all():
            _draw_fits(ax, rows, begins)
        else:
            starts, stops = rows["start"].to_numpy(float) + begins, rows["stop"].to_numpy(float) + begins
            ax.hlines(rows["value"], starts, stops, color=MAIN, linewidth=2.0)
        if axis == "time":
            ax.set_xlim(rows["start"].min() + begins, rows["stop"].max() + begins)
        ax.set_ylabel(f"{record} {component}".strip())
        ax.set_xlabel(_TIME if axis == "time" else "frequency (MHz)")
    set_title(axes[0], f"{seen.name}: {len(seen.table)} features")
    return made


def draw_weights(echo: Echo, weights: Weights) -> Figure:
    """Draw a record, and below it what each stretch of it adds to a reading.

    Args:
        echo: The record.
        weights: Of its stretches.
    """
    made, axes = figure(2, size=(_WIDE, 3.8), sharex=True, height_ratios=(3, 2))
    step = float(weights.time[1] - weights.time[0])
    start, stop = weights.time[0] - step / 2, weights.time[-1] + step / 2
    inside = (echo.time >= start) & (echo.time <= stop)
    _line(axes[0], echo.time[inside], np.abs(echo.m[inside]), color=ACCENT, linewidth=1.6)
    axes[0].set_ylabel("|M| (ħ per spin)")
    axes[0].set_ylim(bottom=0)
    colors = [MAIN if change >= 0 else CYCLE[3] for change in weights.change]
    axes[1].bar(weights.time, weights.change, width=0.92 * step, color=colors, linewidth=0)
    axes[1].axhline(0, color=INK, linewidth=0.8)
    unit = f" ({weights.unit})" if weights.unit else ""
    axes[1].set_ylabel(f"adds to\n{weights.what}{unit}")
    axes[1].set_xlabel(_TIME)
    axes[1].set_xlim(start, stop)
    return made


def draw_posterior(values: NDArray[np.float64], density: NDArray[np.float64], answer: Answer) -> Figure:
    """Draw the posterior of a number, and its interval.

    Args:
        values: In the unit of the answer, shape (n,).
        density: There, shape (n,).
        answer: What the model reads.
    """
    made, (ax,) = figure(size=(_WIDE / 2, 2.4), grid="x")
    ax.fill_between(values, density, color=MAIN, alpha=0.35, linewidth=0)
    ax.plot(values, density, color=MAIN, linewidth=1.4)
    if answer.lower is not None and answer.upper is not None:
        ax.axvspan(answer.lower, answer.upper, color=MUTED, alpha=0.15, linewidth=0)
    ax.set_ylim(bottom=0)
    ax.set_yticks([])
    ax.set_xlabel(f"{answer.quantity} ({answer.unit})")
    return made


def _draw_fits(ax: Axes, rows: pd.DataFrame, begins: float) -> None:
    """The cubic of every bin, a colour for each number of bins."""
    width = (rows["stop"] - rows["start"]).map(lambda value: f"{value:.4g}")
    for rank, (_, own) in enumerate(sorted(rows.groupby(width), key=lambda item: -float(str(item[0])))):
        bins = own.groupby("start")
        for number, (start, bin_) in enumerate(bins):
            stop = float(bin_["stop"].iloc[0])
            at = np.linspace(0.0, 1.0, 20)
            ax.plot(
                begins + float(str(start)) + at * (stop - float(str(start))),
                _cubic(bin_, at),
                color=CYCLE[rank % len(CYCLE)],
                linewidth=1.6,
                label=f"{len(bins)} bins" if number == 0 else None,
            )
    legend(ax, loc="upper right")


def _cubic(bin_: pd.DataFrame, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The fit of one bin at shares of its length: x counts samples from the middle."""
    samples = float(bin_["samples"].iloc[0])
    x = at * samples - samples // 2
    powers: Sequence[tuple[float, float]] = list(zip(bin_["power"], bin_["value"], strict=True))
    return np.sum([value * x ** int(power) for power, value in powers], axis=0)


def _line(ax: Axes, time: NDArray[np.float64], values: NDArray[np.floating], **look: Any) -> None:
    every = max(1, len(time) // _MOST_POINTS)
    ax.plot(time[::every], values[::every], **look)
