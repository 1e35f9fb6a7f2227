"""What a search for pulse sequences found: compromises with time, echoes, and the verdict on new curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nmr_platform.plots.style import ACCENT, CYCLE, INK, MAIN, MUTED, figure, heading, legend

__all__ = ["plot_echo_comparison", "plot_pareto", "plot_phase_story", "plot_verdict"]


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
    made, (ax,) = figure(size=(6.8, 4.4))
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
        times: Time of the samples of each record, us.
        records: Complex M, one array a sequence.
        names: Names of the sequences.
        title: Title of the figure.
    """
    made, (top, bottom) = figure(2, size=(7.2, 5.2), sharex=True)
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
        contests: Records with ``scenario``, ``target``, ``name``, ``baseline``, ``value``, ``lower`` and ``upper``.
        title: Title of the figure.
    """
    scenarios = list(dict.fromkeys(str(each["scenario"]) for each in contests))
    targets = list(dict.fromkeys(str(each["target"]) for each in contests))
    names = list(dict.fromkeys(str(each["name"]) for each in contests))
    made, axes = figure(
        1, len(targets), size=(2.9 * len(targets) + 1.6, 1.4 + 0.42 * len(scenarios)), sharey=True, grid="x"
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
        ax.set_xlabel(f"gain in R² of {target}")
        ax.set_yticks(range(len(scenarios)), scenarios)
    axes[0].set_ylim(len(scenarios) - 0.4, -0.6)
    legend(axes[0], columns=len(names), above=True)
    heading(made, title)
    return made


def plot_phase_story(
    expected: ArrayLike, measured: ArrayLike, reach: ArrayLike, scores: ArrayLike, shares: ArrayLike, *, label: str
) -> Figure:
    """Draw why a tipped echo tells alpha_z: its phase follows Z, and what is read off depends on how far it turns.

    Args:
        expected: 2 pi Z tau cos theta1 of some curves, rad, shape (n,).
        measured: Phase of their echo against that without alpha_z, rad, shape (n,).
        reach: tau |cos theta1| of the sequences that a search tried, us, shape (k,).
        scores: What they scored, shape (k,).
        shares: On which share of the curves, shape (k,).
        label: Name of the score.
    """
    made, (left, right) = figure(1, 2, size=(9.2, 4.0))
    x, y = np.asarray(expected, float), np.asarray(measured, float)
    ends = np.array([min(0.0, x.min()), x.max()])
    left.plot(ends, ends, color=MUTED, linewidth=1.0, linestyle="--", label="2π Z τ cos θ₁")
    left.plot(x, y, "o", color=MAIN, markersize=4, alpha=0.8, markeredgewidth=0, label="simulated")
    left.set_xlabel("2π Z τ cos θ₁ (rad)")
    left.set_ylabel("phase of the echo (rad)")
    legend(left, columns=2, above=True)
    places, values, judged = np.asarray(reach, float), np.asarray(scores, float), np.asarray(shares, float)
    for is_whole, colour, name in ((False, MUTED, "given up early"), (True, MAIN, "on all curves")):
        chosen = (judged == 1.0) == is_whole
        right.plot(places[chosen], values[chosen], "o", color=colour, markersize=5, markeredgewidth=0, label=name)
    right.set_xlabel("τ |cos θ₁| (µs)")
    right.set_ylabel(label)
    legend(right, columns=2, above=True)
    return made
