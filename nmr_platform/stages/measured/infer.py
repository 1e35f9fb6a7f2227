"""Stage `infer`: from the files of an instrument to answers, each with a page and a run of its own."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.errors import DataError
from nmr_platform.exchange import Record, Since, beginning, read_records
from nmr_platform.files import staged_folder
from nmr_platform.inference.matched import EXPERIMENT, Inference, Inferrer, Look, Refined, Setting, render_page
from nmr_platform.tracking import RunEntry, closing_run

__all__ = ["answer_files", "as_json", "read_measured", "shifted"]


def read_measured(path: Path, *, format: str | None = None, **options: Any) -> Record:
    """The one record of an instrument's file.

    Args:
        path: File or folder.
        format: See `nmr_platform.exchange.read_records`.
        options: What the format's reader takes.

    Raises:
        DataError: It holds several records, or simulated curves.
    """
    held = read_records(path, format=format, **options)
    if len(held) > 1:
        message = f"`{path}` holds {len(held)} records ({', '.join(held)}), but one is read: choose it by `--index`."
        raise DataError(message, path=path)
    [record] = held.values()
    if not isinstance(record, Record):
        message = f"`{path}` must be a measured echo, but is a data set of simulated curves: `nmr predict` reads those."
        raise DataError(message, path=path)
    return record


def shifted(record: Record, setting: Setting, *, conjugate: bool = False, since: Since = "first") -> Record:
    """A record whose times count from the end of the first pulse, and whose spins turn as the simulation's do.

    Args:
        record: The measurement.
        setting: What is known of its experiment.
        conjugate: Whether the spectrometer's sense of rotation is the opposite one.
        since: What its times count from: the end of the first or last pulse, or the echo.

    Raises:
        ConfigurationError: Times count from an echo or a pulse that the sequence does not have.
    """
    start = record.start + beginning(setting.of_free_spins(record.dwell), since)
    return replace(record, signal=record.signal.conj() if conjugate else record.signal, start=start)


def answer_files(
    inferrer: Inferrer, files: Mapping[Path, Record], out: Path, command: Sequence[str]
) -> list[dict[str, Any]]:
    """Answer for every file, write its page, and show it as a run.

    Args:
        inferrer: Whose models are made for them.
        files: The record of each file.
        out: Folder of the pages, one folder each.
        command: What repeats it, for the page.

    Returns:
        For each file what `as_json` gives.
    """
    return [_answer_file(inferrer, path, record, out / path.name, command) for path, record in files.items()]


def _answer_file(
    inferrer: Inferrer, path: Path, record: Record, folder: Path, command: Sequence[str]
) -> dict[str, Any]:
    found = inferrer.infer(record)
    said = as_json(found, folder / "report.html")
    tracker = inferrer.tracker
    facts = {"file": path.name, "curves": found.curves, "matched": found.matched.digest}
    run = tracker.open_run(RunEntry(EXPERIMENT, f"{path.stem}-{said['digest']}", facts, {"kind": "file"}))
    with closing_run(tracker, run):
        with staged_folder(folder) as made:
            _draw(found.look, made / "record.png")
            for each in found.refined:
                plots.save(_draw_refined(each, found.look), made / f"refined-{each.kernel}.png")
            for suffix in ("html", "md"):
                page = render_page(found, path, said["digest"], shlex.join(command), suffix)
                (made / f"report.{suffix}").write_text(page, encoding="utf-8")
            (made / "answer.json").write_text(json.dumps(said, indent=2), encoding="utf-8")
        parts = ("value", "lower", "upper")
        values = {f"{name}_{part}": each[part] for name, each in said["quantities"].items() for part in parts}
        shares = {f"probability_{name}": share for name, share in said["kernel"].items()}
        tracker.log_metrics(run, {**values, **shares, "p_value": said["misfit"]["p_value"]})
        tracker.log_files(run, folder)
    return said


def as_json(found: Inference, report: Path) -> dict[str, Any]:
    """An answer as plain data.

    Args:
        found: The answer.
        report: Its page.
    """
    misled = {**found.misled._asdict(), "line": found.misled.line * found.look.line.value}
    return {
        "quantities": {name: asdict(each) for name, each in found.answer.quantities.items()},
        "kernel": found.answer.kernel,
        "kernel_informative": found.answer.tells_kernel,
        "misfit": {
            "p_value": found.answer.misfit.p_value,
            "parts": found.answer.misfit.parts,
            "warnings": [*found.warnings],
        },
        "look": {
            name: {**each._asdict(), **({"error_of_couplings": misled[name]} if name in misled else {})}
            for name, each in found.look.estimates.items()
        },
        "refined": [
            {name: getattr(each, name) for name in ("kernel", "values", "chi_square", "p_value")}
            for each in found.refined
        ],
        "digest": found.look.digest,
        "report": str(report),
    }


def _draw_refined(found: Refined, seen: Look) -> Figure:
    return plots.plot_band(
        found.time,
        found.measured,
        found.lower,
        found.upper,
        found.residual,
        echo_time=seen.expected_echo,
        title=f"{seen.record.source.name}, best candidates of the {found.kernel} kernel: p = {found.p_value:.2g}",
    )


def _draw(seen: Look, path: Path) -> None:
    """The record with what the look found: the echo of free spins of that line, over the noise."""
    time = seen.record.time
    measured = np.abs(seen.record.signal)
    away = np.abs(time - seen.echo.value)
    free = measured.max() * np.exp(-np.pi * seen.line.value * away)
    drawn = plots.plot_echoes(
        time,
        np.array([measured, free, np.full(len(time), seen.noise.value)]),
        ("record", "free spins of the apparent line", "noise"),
        echo_time=seen.expected_echo,
        title=f"{seen.record.source.name}: apparent line {seen.line}",
    )
    drawn.axes[0].set_ylabel("|signal| (unit of the file)")
    plots.save(drawn, path)
