"""A pulse sequence as amplitude and phase over time."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import isnan
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nmr_platform.plots.style import ACCENT, INK, MAIN, MUTED, WIDTH, dress, figure, heading, rounded

__all__ = ["Block", "plot_sequence", "plot_sequences"]

Array = NDArray[np.float64]

# Pulses that last get at least this share of the time axis; delays are drawn shorter then.
_SHARE_OF_PULSES = 0.3
# From so many pulses on, equal ones in a row share a label.
_MANY = 7
# Width of a letter and least distance of two ticks, as shares of the time axis.
_LETTER, _TICK_DISTANCE = 0.019, 0.1


class Block(Protocol):
    """A pulse, a piece of a shaped one, or a delay."""

    @property
    def start(self) -> float:
        """Time after the beginning of the sequence, us."""

    @property
    def duration(self) -> float:
        """Length, us; 0 for an ideal pulse."""

    @property
    def amplitude(self) -> float:
        """Nutation frequency, MHz; NaN for an ideal pulse, 0 for a delay."""

    @property
    def phase(self) -> float:
        """Phase, degrees."""

    @property
    def label(self) -> str:
        """Name of the pulse, at its first block; empty elsewhere."""


class _Axis:
    """A time axis on which pulses can be seen: piecewise linear, stretched where something is on."""

    def __init__(self, timeline: Sequence[Block]) -> None:
        lengths = np.array([block.duration for block in timeline])
        driven = np.array([_is_on(block) for block in timeline])
        pulses, delays = float(lengths[driven].sum()), float(lengths[~driven].sum())
        self.end = pulses + delays
        self.is_stretched = delays > 0 and 0 < pulses < _SHARE_OF_PULSES * self.end
        stretch = _SHARE_OF_PULSES / (1 - _SHARE_OF_PULSES) * delays / pulses if self.is_stretched else 1.0
        lengths = np.concatenate([[self.end], lengths, [self.end]])
        factors = np.concatenate([[1.0], np.where(driven, stretch, 1.0), [1.0]])
        self._times = np.concatenate([[0.0], np.cumsum(lengths)]) - self.end
        places = np.concatenate([[0.0], np.cumsum(lengths * factors)]) - self.end
        self._places = places / (places[-2] or 1.0)

    def place(self, times: ArrayLike) -> Array:
        """Share of the axis to the left of ``times`` (us)."""
        return np.interp(np.asarray(times, dtype=float), self._times, self._places)

    def time(self, places: ArrayLike) -> Array:
        """Inverse of `place`, us."""
        return np.interp(np.asarray(places, dtype=float), self._places, self._times)

    def ticks(self, timeline: Sequence[Block]) -> list[float]:
        """Ends of pulses and delays that are far enough from each other for a number, us."""
        chosen = [0.0]
        for _, neighbours in groupby(timeline, key=_is_on):
            last = list(neighbours)[-1]
            end = last.start + last.duration
            if self.place(end) - self.place(chosen[-1]) >= _TICK_DISTANCE:
                chosen.append(end)
        return chosen


def plot_sequence(timeline: Sequence[Block], *, title: str = "", echo_times: Sequence[float] = ()) -> Figure:
    """Draw amplitude and phase of the drive over time: pulses that last as boxes, ideal ones as arrows.

    Args:
        timeline: The sequence, in order and without gaps.
        title: Title of the figure.
        echo_times: Where echoes are expected, us after the beginning of the sequence; marked by dashed lines.
    """
    return plot_sequences({title: (timeline, echo_times)})


def plot_sequences(sequences: Mapping[str, tuple[Sequence[Block], Sequence[float]]]) -> Figure:
    """Draw several sequences one above the other, each as `plot_sequence` draws it.

    Args:
        sequences: For each title, the timeline and where echoes are expected, us after the beginning of the sequence.
    """
    made, axes = figure(
        2 * len(sequences), size=(WIDTH, 3.8 * len(sequences)), height_ratios=(3, 2) * len(sequences), grid="none"
    )
    for top, bottom, (title, drawn) in zip(axes[::2], axes[1::2], sequences.items(), strict=True):
        top.sharex(bottom)
        top.tick_params(labelbottom=False)
        _draw_sequence(top, bottom, *drawn)
        if len(sequences) > 1:
            top.set_title(title, loc="right", fontsize=10, color=INK, pad=20)
        else:
            heading(made, title)
    return made


def _draw_sequence(top: Axes, bottom: Axes, timeline: Sequence[Block], echo_times: Sequence[float]) -> None:
    axis = _Axis(timeline)
    _draw_boxes(top, bottom, timeline)
    _draw_ideal(top, bottom, timeline)
    _write_labels(top, timeline, axis, echo_times)
    for time in echo_times:
        for ax in (top, bottom):
            ax.axvline(time, color=MUTED, linewidth=0.9, linestyle="--", zorder=0)
    top.axhline(0, color=INK, linewidth=0.9)
    top.set_ylabel("amplitude (MHz)")
    bottom.set_ylabel("phase (degrees)")
    bottom.set_yticks([0, 90, 180, 270, 360])
    bottom.set_ylim(-25, 385)
    dress(bottom, grid="y")
    for ax in (top, bottom):
        ax.set_xscale("function", functions=(axis.place, axis.time))
        # A margin, so that a pulse at the very beginning can be seen.
        ax.set_xlim(*axis.time([-0.02, 1.02]))
    if axis.is_stretched:
        bottom.set_xticks(axis.ticks(timeline), [f"{time:.5g}" for time in axis.ticks(timeline)])
    bottom.set_xlabel("time, pulses drawn longer (µs)" if axis.is_stretched else "time (µs)")


def _is_on(block: Block) -> bool:
    return block.duration > 0 and (block.amplitude != 0 or bool(block.label))


def _draw_boxes(top: Axes, bottom: Axes, timeline: Sequence[Block]) -> None:
    """Pulses that last, neighbouring blocks of one pulse in one piece; sets the scale of amplitudes."""
    amplitudes = [0.0]
    for on, neighbours in groupby(timeline, key=_is_on):
        blocks = list(neighbours)
        if not on:
            continue
        edges = [*(block.start for block in blocks), blocks[-1].start + blocks[-1].duration]
        values = [block.amplitude for block in blocks]
        top.stairs(values, edges, fill=True, color=MAIN, alpha=0.25)
        top.stairs(values, edges, color=MAIN, linewidth=1.3)
        bottom.stairs([block.phase % 360 for block in blocks], edges, baseline=None, color=MAIN, linewidth=2.2)
        amplitudes += values
    highest, lowest = max(amplitudes), min(amplitudes)
    if highest == lowest:
        # Ideal pulses have no amplitude that a scale could tell.
        top.set_yticks([])
        highest = 1.0
    margin = 0.15 * (highest - lowest)
    top.set_ylim(lowest - margin if lowest < 0 else 0.0, highest + margin)


def _draw_ideal(top: Axes, bottom: Axes, timeline: Sequence[Block]) -> None:
    ideal = [block for block in timeline if isnan(block.amplitude)]
    look = {"arrowstyle": "-|>", "color": ACCENT, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    for block in ideal:
        top.annotate("", xy=(block.start, top.get_ylim()[1]), xytext=(block.start, 0), arrowprops=look)
    times, phases = [block.start for block in ideal], [block.phase % 360 for block in ideal]
    bottom.plot(times, phases, "o", color=ACCENT, markersize=6)


def _write_labels(top: Axes, timeline: Sequence[Block], axis: _Axis, echo_times: Sequence[float]) -> None:
    """Names of pulses and echoes above the axes, on several lines where they would overlap."""
    pulses = [block for block in timeline if block.label]
    runs = [list(run) for _, run in groupby(pulses, key=lambda block: block.label)]
    if len(pulses) < _MANY:
        runs = [[block] for block in pulses]
    labels = [(run[0].start + run[0].duration / 2, _counted(run[0].label, len(run)), INK) for run in runs]
    if echo_times:
        labels.append((echo_times[0], _counted("echo", len(echo_times)), MUTED))
    ends: list[float] = []
    for time, text, colour in sorted(labels):
        place, half = float(axis.place(time)), _LETTER * len(text) / 2
        line = next((number for number, end in enumerate(ends) if place - half > end), len(ends))
        ends[line : line + 1] = [place + half]
        top.annotate(
            text,
            xy=(time, 1.0),
            xycoords=top.get_xaxis_transform(),
            xytext=(0, 4 + 12 * line),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=colour,
            annotation_clip=False,
        )


def _counted(name: str, count: int) -> str:
    text = rounded(name.replace(" us)", " µs)"))
    return f"{text} × {count}" if count > 1 else text
