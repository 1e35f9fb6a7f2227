"""Pictures of a pulse search."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.datasets import quantity
from nmr_platform.pulse_design import BASELINE, Candidate, PulseSearch, Verdict

__all__ = ["draw_pulses"]


def draw_pulses(search: PulseSearch, verdict: Verdict) -> dict[str, Figure]:
    """All pictures by name: history, Pareto front, best sequence, echoes, verdict; a map where two parameters vary.

    Args:
        search: The candidates.
        verdict: The best against 90/180.
    """
    best, base = search.best, search.baseline.assessed
    table = search.table
    complete = table["share"] == 1.0
    front = {each.number for each in search.front}
    figures = {
        "history": plots.plot_search_history(table["score"], baseline=base.value, label=search.label),
        "pareto": plots.plot_pareto(
            table.loc[complete, "time"],
            table.loc[complete, "score"],
            table.loc[complete, "trial"].isin(front),
            baseline=(base.time, base.value),
            label=search.label,
        ),
        "sequence": _draw_sequence(best),
        "echoes": plots.plot_echo_comparison(
            verdict.times[:2],
            verdict.records[:2],
            [BASELINE, "best found"],
            title="The same spins under 90/180 and under the sequence found",
        ),
        "verdict": plots.plot_verdict([vars(each) for each in verdict.contests]),
    }
    drawn = _draw_map(search, table)
    return ({"map": drawn} if drawn is not None else {}) | figures


def _draw_map(search: PulseSearch, table: pd.DataFrame) -> Figure | None:
    """The score over the two most important numbers; None if fewer are searched, or none was judged on all curves."""
    numeric = [name for name in search.importances if _is_numeric(table[name])]
    if len(numeric) < 2:
        return None
    # In the order of the sequence, so that the map does not turn over from one search to the next.
    x, y = sorted(numeric[:2], key=list(table.columns).index)
    rows = table[table["share"] > 0]
    base = search.baseline.params
    # The best of all may be a named one, which has no place here.
    best = next((each for each in search.best_few(len(search.complete)) if {x, y} <= each.params.keys()), None)
    if best is None:
        return None
    return plots.plot_pulse_map(
        rows[x],
        rows[y],
        rows["score"],
        best=_place(best, x, y),
        baseline=_place(search.baseline, x, y) if x in base and y in base else None,
        label=search.label,
        axes=(_axis(x), _axis(y)),
        surface=len(search.importances) == 2,
    )


def _axis(key: str) -> str:
    """Name and unit of a number of a sequence, for instance ``theta1: flip angle of the first pulse (degrees)``."""
    known = quantity(key)
    name = known.meaning if key == known.name else f"{key.replace('.', ' ')}: {known.meaning}"
    return f"{name} ({'µs' if known.unit == 'us' else known.label or 'number'})"


def _is_numeric(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values) and np.isfinite(values.to_numpy(dtype=float)).any())


def _place(candidate: Candidate, x: str, y: str) -> tuple[float, float]:
    return float(str(candidate.params[x])), float(str(candidate.params[y]))


def _draw_sequence(best: Candidate) -> Figure:
    drawn = {}
    for name, sequence in best.sequences.sequences.items():
        starts = [sequence.pulses[0].duration + time for time in sequence.expected_echoes]
        drawn[plots.rounded(f"{name}: {sequence}")] = (sequence.timeline, starts)
    return plots.plot_sequences(drawn)
