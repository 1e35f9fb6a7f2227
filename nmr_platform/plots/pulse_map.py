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
    x: ArrayLike,
    y: ArrayLike,
    score: ArrayLike,
    *,
    best: tuple[float, float],
    baseline: tuple[float, float] | None,
    label: str,
    names: tuple[str, str] = ("theta1", "theta2"),
    surface: bool = True,
    title: str = "",
) -> Figure:
    """Draw the tried sequences in the plane of two of their parameters, coloured by their score.

    From eight different sequences on, an interpolated surface lies behind them; it ends where the tried ones end.

    Args:
        x: First parameter, shape (n_trials,).
        y: Second parameter, shape (n_trials,).
        score: Scores, shape (n_trials,); trials that failed (not finite) are left out.
        best: Where the best sequence lies.
        baseline: Where the sequence to beat lies; None if it lies outside the plane.
        label: Name of the score.
        names: Names of the parameters, as keys of the sequence.
        surface: Whether to draw one; where other parameters vary too, it would mean nothing.
        title: Title of the figure.
    """
    values = np.asarray(score, dtype=float)
    places = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    tried = np.isfinite(values) & np.isfinite(places).all(axis=1)
    points = places[tried]
    values = values[tried]
    made, (ax,) = figure(size=(6.8, 5.2))
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    scale = Normalize(low, high if high > low else low + 1e-9)
    if surface:
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
    if baseline is not None:
        ax.plot(
            *baseline,
            "s",
            color="none",
            markeredgecolor=INK,
            markersize=10,
            markeredgewidth=1.6,
            zorder=4,
            label=f"baseline {_shown(baseline, names)}",
        )
    ax.plot(
        *best,
        "*",
        color=ACCENT,
        markeredgecolor="white",
        markersize=19,
        markeredgewidth=1.0,
        zorder=5,
        label=f"best {_shown(best, names)}",
    )
    dress_colorbar(made.colorbar(dots, ax=ax, aspect=30, pad=0.02), label)
    ends = np.vstack([points, [best] if baseline is None else [best, baseline]])
    margin = 0.06 * np.maximum(np.ptp(ends, axis=0), 1e-6 + 0.02 * np.abs(ends).max(axis=0))
    ax.set_xlim(ends[:, 0].min() - margin[0], ends[:, 0].max() + margin[0])
    ax.set_ylim(ends[:, 1].min() - margin[1], ends[:, 1].max() + margin[1])
    ax.set_xlabel(_named(names[0]))
    ax.set_ylabel(_named(names[1]))
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


_ANGLES = {"theta1": "first flip angle θ₁", "theta2": "second flip angle θ₂", "theta3": "third flip angle θ₃"}
_UNITS = {"theta": "degrees", "phi": "degrees", "phase": "degrees", "amplitude": "MHz", "nutation": "MHz"}
_TIMES = ("tau", "mixing", "echo_spacing", "duration", "recovery", "acquisition")


def _named(key: str) -> str:
    """Name and unit of a key of a sequence, for an axis."""
    words = [word for word in key.split(".") if not word.isdigit()]
    last = words[-1] if words else key
    unit = _UNITS.get(last.rstrip("0123456789"), "µs" if last in _TIMES else "")
    text = _ANGLES.get(key, key.replace("_", " "))
    return f"{text} ({unit})" if unit else text


def _shown(place: tuple[float, float], names: tuple[str, str]) -> str:
    """Coordinates for the legend, degrees with their sign."""
    signs = ["°" if _named(name).endswith("(degrees)") else "" for name in names]
    return ", ".join(f"{value:.0f}°" if sign else f"{value:.3g}" for value, sign in zip(place, signs, strict=True))


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
