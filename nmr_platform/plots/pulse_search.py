"""What a search for pulse sequences tried and found."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import griddata

from nmr_platform.plots.style import (
    ACCENT,
    CYCLE,
    INK,
    MAIN,
    MUTED,
    SURFACE,
    WIDTH,
    dress_colorbar,
    figure,
    heading,
    legend,
)

__all__ = ["plot_echo_comparison", "plot_pareto", "plot_pulse_map", "plot_search_history", "plot_verdict"]

_FEWEST_FOR_SURFACE = 8
_GRID = 240


def plot_pulse_map(
    x: ArrayLike,
    y: ArrayLike,
    score: ArrayLike,
    *,
    best: tuple[float, float],
    baseline: tuple[float, float] | None,
    label: str,
    axes: tuple[str, str],
    surface: bool = True,
    title: str = "",
) -> Figure:
    """Draw the tried sequences in the plane of two of their parameters, coloured by their score.

    From eight different sequences on, an interpolated surface lies behind them; it ends where the tried ones end.

    Args:
        x: First parameter, shape (n_trials,), in the unit that ``axes`` names.
        y: Second parameter, likewise.
        score: Scores, shape (n_trials,); trials that failed (not finite) are left out.
        best: First and second parameter of the best sequence.
        baseline: Those of the sequence to beat; None if it lies outside the plane.
        label: Name of the score.
        axes: Name and unit of the two parameters, for instance ``theta1 (degrees)``.
        surface: Whether to draw one; where other parameters vary too, it would mean nothing.
        title: Title of the figure.
    """
    values = np.asarray(score, dtype=float)
    places = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    tried = np.isfinite(values) & np.isfinite(places).all(axis=1)
    shown, values = places[tried], values[tried]
    made, (ax,) = figure(size=(WIDTH, 4.4))
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    scale = Normalize(low, high if high > low else low + 1e-9)
    if surface:
        _draw_surface(ax, shown, values, scale)
    dots = ax.scatter(
        shown[:, 0],
        shown[:, 1],
        s=34,
        c=values,
        cmap=SURFACE,
        norm=scale,
        edgecolors=INK,
        linewidths=0.6,
        zorder=3,
    )
    if baseline is not None:
        ax.plot(
            *baseline,
            "s",
            color="none",
            markeredgecolor=INK,
            markersize=10,
            markeredgewidth=1.6,
            zorder=4,
            label=f"baseline {_shown(baseline, axes)}",
        )
    ax.plot(
        *best,
        "*",
        color=ACCENT,
        markeredgecolor="white",
        markersize=19,
        markeredgewidth=1.0,
        zorder=5,
        label=f"best {_shown(best, axes)}",
    )
    dress_colorbar(made.colorbar(dots, ax=ax, aspect=30, pad=0.02), label)
    ends = np.vstack([shown, [best] if baseline is None else [best, baseline]])
    margin = 0.06 * np.maximum(np.ptp(ends, axis=0), 1e-6 + 0.02 * np.abs(ends).max(axis=0))
    ax.set_xlim(ends[:, 0].min() - margin[0], ends[:, 0].max() + margin[0])
    ax.set_ylim(ends[:, 1].min() - margin[1], ends[:, 1].max() + margin[1])
    ax.set_xlabel(axes[0])
    ax.set_ylabel(axes[1])
    legend(ax, columns=2, above=True)
    heading(made, title)
    return made


def plot_search_history(
    values: ArrayLike, *, baseline: float, label: str, maximise: bool = True, title: str = ""
) -> Figure:
    """Draw the score of every trial in order, the best so far, and the baseline.

    Args:
        values: Scores in the order of the trials, shape (n_trials,); failed trials are not finite.
        baseline: Score of the sequence to beat.
        label: Name of the score.
        maximise: Whether larger is better.
        title: Title of the figure.
    """
    scores = np.asarray(values, dtype=float)
    numbers = np.arange(1, len(scores) + 1)
    made, (ax,) = figure(size=(WIDTH, 3.5))
    ax.plot(numbers, scores, "o", color=MUTED, markersize=4.5, alpha=0.8, markeredgewidth=0, label="trial")
    ax.step(
        numbers, _best_so_far(scores, maximise=maximise), where="post", color=MAIN, linewidth=1.8, label="best so far"
    )
    ax.axhline(baseline, color=ACCENT, linewidth=1.3, linestyle="--", label=f"baseline ({baseline:.3g})")
    ax.set_xlim(0.5, len(scores) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("trial (number)")
    ax.set_ylabel(label)
    legend(ax, columns=3, above=True)
    heading(made, title)
    return made


def plot_pareto(
    times: ArrayLike,
    scores: ArrayLike,
    on_front: ArrayLike,
    *,
    baseline: tuple[float, float],
    label: str,
    title: str = "",
) -> Figure:
    """Draw the score of every sequence over the time that it takes, and the best compromises.

    Args:
        times: Duration of each sequence, us, shape (n,).
        scores: Scores, shape (n,).
        on_front: Which are not beaten in one respect without being better in the other, shape (n,).
        baseline: Time (us) and score of the sequence to beat.
        label: Name of the score.
        title: Title of the figure.
    """
    t, s, front = np.asarray(times, float), np.asarray(scores, float), np.asarray(on_front, bool)
    made, (ax,) = figure(size=(WIDTH, 3.8))
    ax.plot(t[~front], s[~front], "o", color=MUTED, markersize=4.5, alpha=0.8, markeredgewidth=0, label="tried")
    order = np.argsort(t[front])
    ax.step(t[front][order], s[front][order], where="post", color=MAIN, linewidth=1.4)
    ax.plot(t[front], s[front], "o", color=MAIN, markersize=7, label="best for its time")
    ax.plot(*baseline, "s", color="none", markeredgecolor=INK, markersize=10, markeredgewidth=1.6, label="90/180")
    ax.set_xlabel("time of the experiment (µs)")
    ax.set_ylabel(label)
    legend(ax, columns=3, above=True)
    heading(made, title)
    return made


def plot_echo_comparison(
    times: Sequence[ArrayLike], records: Sequence[ArrayLike], names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw |M|, and the phase where there is enough signal to have one, of one sample under several sequences.

    Args:
        times: Time of the samples of each record, us, one array of shape (n_samples,) a sequence.
        records: Complex M in units of hbar per spin, likewise.
        names: Names of the sequences.
        title: Title of the figure.
    """
    made, (top, bottom) = figure(2, size=(WIDTH, 4.8), sharex=True)
    for number, (t, m, name) in enumerate(zip(times, records, names, strict=True)):
        time, values = np.asarray(t, float), np.asarray(m)
        colour = CYCLE[number % len(CYCLE)]
        top.plot(time, np.abs(values), linewidth=1.3, color=colour, label=name)
        loud = np.abs(values) > 0.05 * np.abs(values).max(initial=1e-12)
        phase = np.where(loud, np.degrees(np.angle(values)), np.nan)
        bottom.plot(time, phase, ".", markersize=2.0, color=colour)
    top.set_ylim(bottom=0)
    top.set_ylabel("|M| (ħ per spin)")
    bottom.set_ylabel("phase (degrees)")
    bottom.set_ylim(-190, 190)
    bottom.set_yticks([-180, -90, 0, 90, 180])
    bottom.set_xlabel("time (µs)")
    legend(top, columns=2, above=True)
    heading(made, title)
    return made


def plot_verdict(contests: Sequence[Mapping[str, object]], *, title: str = "") -> Figure:
    """Draw what each sequence gains over 90/180 on new curves, with its confidence interval.

    Args:
        contests: Records with ``scenario``, ``target``, ``metric`` (``r2`` or another score), ``name``, ``baseline``,
            ``value``, ``lower`` and ``upper``.
        title: Title of the figure.
    """
    scenarios = list(dict.fromkeys(str(each["scenario"]) for each in contests))
    targets = list(dict.fromkeys(str(each["target"]) for each in contests))
    names = list(dict.fromkeys(str(each["name"]) for each in contests))
    scores = {str(each["target"]): "R²" if each["metric"] == "r2" else "F1" for each in contests}
    made, axes = figure(
        len(targets), size=(WIDTH, 0.5 + (0.55 + 0.35 * len(scenarios)) * len(targets)), sharey=True, grid="x"
    )
    for ax, target in zip(axes, targets, strict=True):
        for each in contests:
            if each["target"] != target:
                continue
            row, rank = scenarios.index(str(each["scenario"])), names.index(str(each["name"]))
            place = row + 0.18 * (rank - (len(names) - 1) / 2)
            gain = float(each["value"]) - float(each["baseline"])  # type: ignore[arg-type]
            ends = [float(each["lower"]), float(each["upper"])]  # type: ignore[arg-type]
            label = names[rank] if row == 0 else None
            ax.plot(ends, [place, place], color=CYCLE[rank % len(CYCLE)], linewidth=1.6)
            ax.plot([gain], [place], "o", color=CYCLE[rank % len(CYCLE)], markersize=5.5, label=label)
        ax.axvline(0, color=ACCENT, linewidth=1.0, linestyle="--", zorder=0)
        ax.set_xlabel(f"gain in {scores[target]} of {target}")
        ax.set_yticks(range(len(scenarios)), scenarios)
    axes[0].set_ylim(len(scenarios) - 0.4, -0.6)
    legend(axes[0], columns=len(names), above=True)
    heading(made, title)
    return made


def _shown(place: tuple[float, float], labels: tuple[str, str]) -> str:
    """Coordinates for the legend, degrees with their sign."""
    values = zip(place, labels, strict=True)
    return ", ".join(f"{value:.0f}°" if label.endswith("(degrees)") else f"{value:.3g}" for value, label in values)


def _best_so_far(scores: NDArray[np.float64], *, maximise: bool) -> NDArray[np.float64]:
    sign = 1.0 if maximise else -1.0
    best = np.maximum.accumulate(np.where(np.isfinite(scores), sign * scores, -np.inf))
    return np.where(np.isfinite(best), sign * best, np.nan)


def _draw_surface(ax: Axes, tried: NDArray[np.float64], values: NDArray[np.float64], scale: Normalize) -> None:
    """Fill the plane between the tried places, if there are enough of them and they do not lie on one line."""
    places, which = np.unique(tried, axis=0, return_inverse=True)
    if len(places) < _FEWEST_FOR_SURFACE or np.linalg.matrix_rank(places - places[0], tol=1e-6) < 2:
        return
    means = np.bincount(which.ravel(), weights=values) / np.bincount(which.ravel())
    low, high = places.min(axis=0), places.max(axis=0)
    x, y = np.meshgrid(np.linspace(low[0], high[0], _GRID), np.linspace(low[1], high[1], _GRID))
    surface = griddata(places, means, (x, y), method="cubic", rescale=True)
    # The cubic overshoots between them; what was not measured must not look better than what was.
    surface = np.clip(surface, means.min(), means.max())
    extent = (low[0], high[0], low[1], high[1])
    ax.imshow(
        surface,
        origin="lower",
        extent=extent,
        aspect="auto",
        interpolation="bilinear",
        zorder=1,
        cmap=SURFACE,
        norm=scale,
    )
