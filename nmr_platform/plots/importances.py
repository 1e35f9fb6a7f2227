"""Which features a model uses, as a ranking and over the echo they come from."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from nmr_platform.plots.spots import mark
from nmr_platform.plots.style import (
    ACCENT,
    CYCLE,
    INK,
    MAIN,
    MUTED,
    SEQUENTIAL,
    WIDTH,
    dress_colorbar,
    figure,
    heading,
    legend,
)
from nmr_platform.plots.style import title as set_title

__all__ = ["plot_importances_beside", "plot_importances_over_echo", "plot_polynomial_bars", "plot_top_importances"]

_SIGNALS = {
    "abs": "|M|",
    "re": "Re M",
    "im": "Im M",
    "inphase": "M in phase",
    "quadrature": "M in quadrature",
    "log": "log |M|",
    "cos": "cos phase",
    "sin": "sin phase",
    "freq": "rate of phase",
    "phase": "phase",
}
_AXES = {"time": "time (µs)", "frequency": "frequency (MHz)"}
_UNITS = {"time": "µs", "frequency": "MHz"}
# Features that are named at one place.
_MOST_NAMED = 3
# Features narrower than this share of their axis are drawn as bars, wider ones as spans.
_NARROW = 0.02
# Part of a row's height that its spans fill.
_FILL = 0.86


_Drawing = Callable[[list[Axes], dict[str, pd.DataFrame]], None]


@dataclass(frozen=True)
class _Span:
    """One bin of polynomial features: where it lies, how many bins its row has, what its powers add up to."""

    start: float
    stop: float
    n_bins: int
    importance: float


def plot_importances_over_echo(
    time: ArrayLike,
    mean_echo: ArrayLike,
    intervals: pd.DataFrame,
    *,
    title: str = "",
) -> Figure:
    """Draw the mean echo and, below it, where the important features lie.

    Single samples and frequencies become bars. Bins of polynomial features become spans whose colour is the
    importance, one row for each number of bins; a bin's powers are added up.
    Everything else, such as quantiles over intervals that overlap, becomes a density: the importance of a feature is
    spread evenly over its interval, and all are added up. Features in frequency lie on axes of their own.

    Args:
        time: Times of the record's samples, shape (n_samples,), us.
        mean_echo: Mean |M| over the data set, shape (n_samples,), in units of hbar per spin.
        intervals: One row a feature: ``name``, ``component`` (what M was read as, for instance ``abs``), ``start``,
            ``stop``, ``importance``; ``axis`` (``time`` in us, the default, or ``frequency`` in MHz); ``power`` of
            polynomial features, missing for others.
        title: Title of the figure.
    """
    table = intervals if "axis" in intervals else intervals.assign(axis="time")
    by_axis = table.groupby("axis")
    limits = {str(axis): (float(rows["start"].min()), float(rows["stop"].max())) for axis, rows in by_axis}
    panels = {(str(axis), str(name)): rows for (axis, name), rows in table.groupby(["axis", "component"], sort=False)}
    # Time first: it is the echo's own axis.
    panels = dict(sorted(panels.items(), key=lambda item: item[0][0] != "time"))
    draw_panels, height = _style_of(table, limits)
    ratios = [1.6] + [height] * len(panels)
    made, axes = figure(len(ratios), size=(WIDTH, 1.1 + sum(ratios)), height_ratios=ratios)
    _draw_echo(axes[0], time, mean_echo, limits.get("time"))
    heading(made, title)
    draw_panels(axes[1:], {_signal_name(*key): rows for key, rows in panels.items()})
    domains = [axis for axis, _ in panels]
    for number, (ax, axis) in enumerate(zip(axes[1:], domains, strict=True)):
        last = axis not in domains[number + 1 :]
        ax.set_xlim(*limits[axis])
        ax.tick_params(labelbottom=last)
        if last:
            ax.set_xlabel(_AXES[axis])
    return made


def plot_importances_beside(
    time: ArrayLike, mean_echo: ArrayLike, panels: Mapping[str, pd.DataFrame], *, title: str = ""
) -> Figure:
    """Draw the mean echo and, below it, where the important features of several models lie, one panel each.

    The importance of a feature is spread evenly over its interval, all signals are added up, and every panel is drawn
    on its own scale: only where a model looks is compared.

    Args:
        time: Times of the record's samples, shape (n_samples,), us.
        mean_echo: Mean |M| over the data set, shape (n_samples,), in units of hbar per spin.
        panels: For each model, by its label, one row a feature: ``start``, ``stop`` (us), ``importance``.
        title: Title of the figure.
    """
    made, axes = figure(1 + len(panels), size=(7.2, 3.2 + 1.2 * len(panels)), sharex=True)
    rows = next(iter(panels.values()))
    _draw_echo(axes[0], time, mean_echo, (float(rows["start"].min()), float(rows["stop"].max())))
    set_title(axes[0], title)
    for number, (ax, (label, table)) in enumerate(zip(axes[1:], panels.items(), strict=True)):
        ax.stairs(*_density(table), fill=True, color=CYCLE[number % len(CYCLE)])
        ax.set_ylim(bottom=0)
        ax.set_yticks([])
        ax.set_ylabel(f"importance\nin {label}", fontsize=8)
    axes[-1].set_xlabel(_AXES["time"])
    return made


def plot_top_importances(table: pd.DataFrame, *, top: int = 20, title: str = "") -> Figure:
    """Draw the most important features as horizontal bars, the largest on top.

    Args:
        table: One row a feature: ``name``, ``importance`` and, if known, ``spread`` (drawn as an error bar).
        top: How many to draw.
        title: Title of the figure.
    """
    best = table.nlargest(top, "importance", keep="first")[::-1]
    made, (ax,) = figure(size=(WIDTH, 1.3 + 0.27 * len(best)), grid="x")
    spread = best["spread"].to_numpy(dtype=float) if "spread" in best else None
    names = best["name"].astype(str).to_list()
    values = best["importance"].to_numpy(dtype=float)
    ax.barh(names, values, color=MAIN, height=0.7, xerr=spread, error_kw={"ecolor": INK, "elinewidth": 1})
    ax.set_ylim(-0.7, len(best) - 0.3)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("importance")
    ax.set_ylabel("feature")
    heading(made, title)
    return made


def plot_polynomial_bars(intervals: pd.DataFrame, *, label: str = "importance", title: str = "") -> Figure:
    """Draw one panel for each number of bins, and in it a bar for each bin and power.

    Args:
        intervals: One row a feature: ``start``, ``stop``, ``power``, ``importance``; ``axis`` (``time`` in us, the
            default, or ``frequency`` in MHz). Features of several components in one bin are added up.
        label: What the importance is.
        title: Title of the figure.
    """
    # The widths of one panel's bins differ by rounding, the panels' widths by a fifth at least.
    width = (intervals["stop"] - intervals["start"]).map(lambda value: f"{value:.4g}")
    summed = intervals.assign(width=width).groupby(["width", "start", "stop", "power"], as_index=False)
    bars = summed["importance"].sum()
    panels = sorted(bars.groupby("width"), key=lambda item: -float(str(item[0])))
    powers = sorted(bars["power"].unique())
    axis = str(intervals["axis"].iloc[0]) if "axis" in intervals else "time"
    made, axes = figure(len(panels), size=(WIDTH, 1.1 + 1.3 * len(panels)), sharex=True, sharey=True, grid="y")
    for ax, (_, rows) in zip(axes, panels, strict=True):
        for rank, power in enumerate(powers):
            own = rows[rows["power"] == power]
            lane = (own["stop"] - own["start"]) / (len(powers) + 1)
            ax.bar(
                own["start"] + (rank + 0.5) * lane,
                own["importance"],
                width=lane,
                align="edge",
                color=CYCLE[rank % len(CYCLE)],
                linewidth=0,
                label=f"$x^{power}$",
            )
        _mark_powers(ax, pd.DataFrame(rows), axis)
        for edge in np.unique(rows[["start", "stop"]].to_numpy(dtype=float)):
            ax.axvline(edge, color="#d0d0d0", linewidth=0.6, zorder=0)
        ax.set_ylabel(f"{label}\n{rows['start'].nunique()} bins")
    axes[-1].set_xlabel(_AXES[axis])
    legend(axes[0], columns=len(powers), above=True)
    heading(made, title)
    return made


def _mark_powers(ax: Axes, rows: pd.DataFrame, axis: str) -> None:
    """Every bin of a panel says what each of its powers is worth."""
    for _, own in rows.groupby(["start", "stop"]):
        start, stop = float(own["start"].iloc[0]), float(own["stop"].iloc[0])
        worth = [f"x^{power}: {value:.3g}" for power, value in zip(own["power"], own["importance"], strict=True)]
        told = "\n".join([_place(start, stop, axis), *worth])
        mark(ax, [start], [0.0], [told], to=([stop], [float(rows["importance"].max())]))


def _style_of(table: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> tuple[_Drawing, float]:
    """How all panels are drawn, as bars, spans or densities, and how high each is."""
    extent = table["axis"].map({axis: stop - start for axis, (start, stop) in limits.items()})
    if len(limits) == 1 and bool(((table["stop"] - table["start"]) < _NARROW * extent).all()):
        return _draw_bar_panels, 1.5
    fitted = "power" in table and bool(table["power"].notna().all())
    return (_draw_span_panels if fitted and len(limits) == 1 else _draw_density_panels), 1.2


def _signal_name(axis: str, component: str) -> str:
    """What a panel shows, for its label."""
    name = _SIGNALS[component]
    if axis == "time":
        return name
    return "spectrum" if component == "abs" else f"spectrum,\n{name}"


def _draw_echo(ax: Axes, time: ArrayLike, mean_echo: ArrayLike, limits: tuple[float, float] | None) -> None:
    """Draw the echo, zoomed to the features where they share its axis."""
    t, echo = np.asarray(time, dtype=float), np.asarray(mean_echo, dtype=float)
    start, stop = limits or (float(t.min()), float(t.max()))
    shown = (t >= start) & (t <= stop)
    ax.plot(t[shown], echo[shown], color=ACCENT, linewidth=1.6)
    ax.set_xlim(start, stop)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("mean |M|\n(ħ per spin)")
    if limits is None:
        ax.set_xlabel(_AXES["time"])
    else:
        ax.tick_params(labelbottom=False)


def _draw_bar_panels(axes: list[Axes], by_signal: dict[str, pd.DataFrame]) -> None:
    """One panel of bars a signal, on a common scale."""
    largest = max(float(rows["importance"].max()) for rows in by_signal.values()) or 1.0
    for ax, (signal, rows) in zip(axes, by_signal.items(), strict=True):
        start, stop = rows["start"].to_numpy(dtype=float), rows["stop"].to_numpy(dtype=float)
        heights = rows["importance"].to_numpy(dtype=float)
        ax.bar(start, heights, width=stop - start, align="edge", color=MAIN, linewidth=0)
        ax.set_ylim(0, 1.05 * largest)
        told = [
            f"{name}\n{_place(low, high, str(rows['axis'].iloc[0]))}: {importance:.3g}"
            for name, low, high, importance in zip(rows["name"], start, stop, heights, strict=True)
        ]
        # As high as the panel, so that the smallest can be found too.
        mark(ax, start, 0.0, told, to=(stop, 1.05 * largest))
        ax.set_ylabel(f"importance\nof {signal}")


def _draw_density_panels(axes: list[Axes], by_signal: dict[str, pd.DataFrame]) -> None:
    """One panel a signal: the importance per unit of time or frequency, with every feature spread over its interval."""
    for ax, (signal, rows) in zip(axes, by_signal.items(), strict=True):
        density, edges = _density(rows)
        ax.stairs(density, edges, fill=True, color=MAIN)
        ax.set_ylim(bottom=0)
        mark(ax, edges[:-1], 0.0, _told_of_steps(rows, edges), to=(edges[1:], ax.get_ylim()[1]))
        unit = _UNITS[str(rows["axis"].iloc[0])]
        ax.set_ylabel(f"importance\nof {signal}\nper {unit}")


def _told_of_steps(rows: pd.DataFrame, edges: NDArray[np.float64]) -> list[str]:
    """The three most important features between each two neighbouring edges."""
    best = rows.sort_values("importance", ascending=False, kind="stable")
    axis, told = str(rows["axis"].iloc[0]), []
    for low, high in pairwise(edges):
        here = best[(best["start"] <= low) & (best["stop"] >= high)]
        names = [f"{row.name}: {row.importance:.3g}" for row in here.head(_MOST_NAMED).itertuples(index=False)]
        more = [f"and {len(here) - _MOST_NAMED} more"] if len(here) > _MOST_NAMED else []
        told.append("\n".join([_place(low, high, axis), *names, *more]))
    return told


def _place(start: float, stop: float, axis: str) -> str:
    return f"{start:.4g} to {stop:.4g} {_UNITS[axis]}"


def _density(rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The importance per unit of the axis between edges, with every feature spread over its interval, and the edges."""
    start, stop = rows["start"].to_numpy(dtype=float), rows["stop"].to_numpy(dtype=float)
    density = rows["importance"].to_numpy(dtype=float) / (stop - start)
    edges, place = np.unique(np.concatenate([start, stop]), return_inverse=True)
    steps = np.bincount(place, weights=np.concatenate([density, -density]), minlength=len(edges))
    return np.maximum(0, steps.cumsum()[:-1]), edges


def _draw_span_panels(axes: list[Axes], by_signal: dict[str, pd.DataFrame]) -> None:
    """One panel of spans a signal, on a common scale of colour."""
    spans = {signal: _spans(rows) for signal, rows in by_signal.items()}
    largest = max(span.importance for group in spans.values() for span in group) or 1.0
    for ax, (signal, group) in zip(axes, spans.items(), strict=True):
        _draw_spans(ax, group, largest, str(by_signal[signal]["axis"].iloc[0]))
        ax.set_ylabel(f"cubic fits\nof {signal}")
    scale = ScalarMappable(Normalize(0, largest), SEQUENTIAL)
    dress_colorbar(axes[0].figure.colorbar(scale, ax=axes, aspect=9 * len(axes), pad=0.02), "importance")


def _spans(rows: pd.DataFrame) -> list[_Span]:
    """Add up the importances in the same bin; bins of the same width belong to one row."""
    columns = [rows[name].to_numpy(dtype=float).tolist() for name in ("start", "stop", "importance")]
    sums: defaultdict[tuple[float, float], float] = defaultdict(float)
    for start, stop, importance in zip(*columns, strict=True):
        sums[start, stop] += importance
    # The widths of one row's bins differ by rounding, the rows' widths by a fifth at least.
    bins = Counter(f"{stop - start:.4g}" for start, stop in sums)
    return [_Span(start, stop, bins[f"{stop - start:.4g}"], importance) for (start, stop), importance in sums.items()]


def _draw_spans(ax: Axes, spans: list[_Span], largest: float, axis: str) -> None:
    rows = sorted({span.n_bins for span in spans})
    for span in spans:
        bottom = rows.index(span.n_bins) - _FILL / 2
        color = SEQUENTIAL(span.importance / largest)
        width = span.stop - span.start
        ax.add_patch(Rectangle((span.start, bottom), width, _FILL, facecolor=color, edgecolor=MUTED, linewidth=0.5))
        told = f"one of {span.n_bins} bins, {_place(span.start, span.stop, axis)}: {span.importance:.3g}"
        mark(ax, [span.start], [bottom], [told], to=([span.stop], [bottom + _FILL]))
    ax.set_ylim(-0.55, len(rows) - 0.45)
    ax.set_yticks(range(len(rows)), [f"{n_bins} bins" for n_bins in rows])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
