"""Files of a pulse search: tables, the sequences in several formats, and a summary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.designed import BEST
from nmr_platform.files import write_json, write_text
from nmr_platform.physics import Experiment, Measurement, Sequence
from nmr_platform.pulse_design import (
    NOMINAL,
    Contest,
    PulseSearch,
    PulseSearchSettings,
    SequenceSet,
    Verdict,
    plain_yaml,
    shape_files,
    timeline_csv,
)
from nmr_platform.schema import validate

__all__ = ["summarise", "write_pulses", "write_sequence"]


def write_pulses(
    folder: Path,
    search: PulseSearch,
    verdict: Verdict,
    settings: PulseSearchSettings,
    candidates: Mapping[str, SequenceSet],
    example: Experiment,
    figures: Mapping[str, Figure],
) -> None:
    """Write all files of a search into ``folder``.

    Args:
        folder: Where to.
        search: The candidates.
        verdict: The best against 90/180.
        settings: Of the search.
        candidates: The sequences compared, by name.
        example: The experiment that the sequences are put into.
        figures: Pictures by name.
    """
    search.table.to_csv(folder / "history.csv", index=False, float_format="%.6g")
    verdict.table.to_csv(folder / "verdict.csv", index=False, float_format="%.6g")
    write_json(folder / "summary.json", summarise(search, verdict, settings), rounded=True)
    best, shared = search.best.sequences, example.model_dump(mode="json", exclude={"sequence"})
    write_text(folder / BEST, plain_yaml(best))
    measurement = validate(Measurement, {**shared, **best.model_dump(mode="json")})
    write_text(folder / "measurement.yaml", plain_yaml(measurement))
    for name, tried in candidates.items():
        stem = name.replace("/", "-").replace(" ", "-")
        for record, sequence in tried.sequences.items():
            part = f"{stem}-{record}" if len(tried.sequences) > 1 else stem
            write_sequence(folder / "sequences", part, example.replace(sequence=sequence))
    for name, figure in figures.items():
        plots.save(figure, folder / "figures" / f"{name}.png")


def write_sequence(folder: Path, stem: str, experiment: Experiment) -> list[Path]:
    """Write an experiment as YAML for `nmr simulate`, its sequence as CSV, and its shaped pulses for Bruker.

    Args:
        folder: Where to.
        stem: What the names of all files begin with.
        experiment: With the sequence.

    Returns:
        The files written.
    """
    sequence: Sequence = experiment.sequence
    texts = {f"{stem}.yaml": plain_yaml(experiment), f"{stem}.csv": timeline_csv(sequence)}
    texts |= {f"{stem}-{name}": text for name, text in shape_files(sequence).items()}
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def summarise(search: PulseSearch, verdict: Verdict, settings: PulseSearchSettings) -> dict[str, Any]:
    """The search in plain data, for the report.

    Args:
        search: The candidates.
        verdict: The best against 90/180.
        settings: Of the search.

    Returns:
        By name: times in us; scores and importances dimensionless; parameters as they were drawn.
    """
    best, base = search.best, search.baseline
    first = [each for each in verdict.contests if each.name == "best 1"]
    return {
        "target": next(iter(settings.verdict.tasks(settings.kernel))),
        "objective": search.label,
        "n_trials": len(search.candidates),
        "n_curves": verdict.n_train + verdict.n_test,
        "n_test": verdict.n_test,
        "baseline": {"sequence": str(base.sequences), "time": base.assessed.time},
        "best": {"sequence": str(best.sequences), "time": best.assessed.time, "parameters": dict(best.params)},
        "search_score": {"baseline": base.assessed.value, "best": best.assessed.value, "error": best.assessed.error},
        "importances": search.importances,
        "front": [
            {"time": each.assessed.time, "score": each.assessed.value, "sequence": str(each.sequences)}
            for each in search.front
        ],
        "verdict": {each.target: _compared(each) for each in first if each.scenario == NOMINAL},
        "scenarios": {
            name: {each.target: _compared(each) for each in first if each.scenario == name}
            for name in settings.verdict.scenarios
        },
    }


def _compared(contest: Contest) -> dict[str, float | str]:
    return {
        "metric": contest.metric,
        "baseline": contest.baseline,
        "best": contest.value,
        "lower": contest.lower,
        "upper": contest.upper,
    }
