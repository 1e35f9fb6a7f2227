"""What a search for pulse sequences has tried, and how it improved."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import griddata

from nmr_platform.plots.style import ACCENT, INK, MAIN, MUTED, SURFACE, dress_colorbar, figure, heading, legend

__all__ = ["plot_pulse_map", "plot_search_history"]

_FEWEST_FOR_SURFACE = 8
_GRID = 240


def plot_pulse_map(
    theta1: ArrayLike,
    theta2: ArrayLike,
    score: ArrayLike,
    *,
    best: tuple[float, float],
    baseline: tuple[float, float],
    label: str,
    title: str = "",
) -> Figure:
    """Draw the tried sequences in the plane of the two flip angles, coloured by their score.

    From eight different sequences on, an interpolated surface lies behind them; it ends where the tried ones end.

    Args:
        theta1: First flip angles, shape (n_trials,), degrees.
        theta2: Second flip angles, shape (n_trials,), degrees.
        score: Scores, shape (n_trials,); trials that failed (not finite) are left out.
        best: Flip angles of the best sequence, degrees.
        baseline: Flip angles of the sequence to beat, degrees.
        label: Name of the score.
        title: Title of the figure.
    """
    values = np.asarray(score, dtype=float)
    tried = np.isfinite(values)
    points = np.column_stack([np.asarray(theta1, dtype=float), np.asarray(theta2, dtype=float)])[tried]
    values = values[tried]
    made, (ax,) = figure(size=(6.8, 5.2))
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    scale = Normalize(low, high if high > low else low + 1e-9)
    _draw_surface(ax, points, values, scale)
    dots = ax.scatter(
        points[:, 0],
        points[:, 1],
        s=34,
        c=values,
        cmap=SURFACE,
        norm=scale,
        edgecolors=INK,
        linewidths=0.6,
        zorder=3,
    )
    ax.plot(
        *baseline,
        "s",
        color="none",
        markeredgecolor=INK,
        markersize=10,
        markeredgewidth=1.6,
        zorder=4,
        label=f"baseline {baseline[0]:.0f}°, {baseline[1]:.0f}°",
    )
    ax.plot(
        *best,
        "*",
        color=ACCENT,
        markeredgecolor="white",
        markersize=19,
        markeredgewidth=1.0,
        zorder=5,
        label=f"best {best[0]:.0f}°, {best[1]:.0f}°",
    )
    dress_colorbar(made.colorbar(dots, ax=ax, aspect=30, pad=0.02), label)
    ends = np.vstack([points, [best, baseline]])
    margin = 0.05 * np.ptp(ends, axis=0) + 1
    ax.set_xlim(ends[:, 0].min() - margin[0], ends[:, 0].max() + margin[0])
    ax.set_ylim(ends[:, 1].min() - margin[1], ends[:, 1].max() + margin[1])
    ax.set_xlabel("first flip angle θ₁ (degrees)")
    ax.set_ylabel("second flip angle θ₂ (degrees)")
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
    made, (ax,) = figure(size=(7.2, 3.8))
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


def _best_so_far(scores: NDArray[np.float64], *, maximise: bool) -> NDArray[np.float64]:
    sign = 1.0 if maximise else -1.0
    best = np.maximum.accumulate(np.where(np.isfinite(scores), sign * scores, -np.inf))
    return np.where(np.isfinite(best), sign * best, np.nan)


def _draw_surface(ax: Axes, points: NDArray[np.float64], values: NDArray[np.float64], scale: Normalize) -> None:
    """Fill the plane between the points, if there are enough of them and they do not lie on one line."""
    places, which = np.unique(points, axis=0, return_inverse=True)
    if len(places) < _FEWEST_FOR_SURFACE or np.linalg.matrix_rank(places - places[0], tol=1e-6) < 2:
        return
    means = np.bincount(which.ravel(), weights=values) / np.bincount(which.ravel())
    low, high = places.min(axis=0), places.max(axis=0)
    x, y = np.meshgrid(np.linspace(low[0], high[0], _GRID), np.linspace(low[1], high[1], _GRID))
    surface = griddata(places, means, (x, y), method="cubic", rescale=True)
    # The cubic overshoots between points; what was not measured must not look better than what was.
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
