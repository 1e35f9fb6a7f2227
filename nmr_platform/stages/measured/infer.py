"""Stage `infer`: from the files of an instrument to answers, each with a page and a run of its own."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmr_platform import plots
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Record, Since, beginning, paired, read_records
from nmr_platform.files import staged_folder
from nmr_platform.inference.matched import EXPERIMENT, Inference, Inferrer, Look, Looks, Setting, render_page
from nmr_platform.tracking import RunEntry, closing_run

__all__ = ["Measured", "answer_all", "as_json", "read_measured"]

# Of a folder's name; what the names of many files are cut to.
_LONGEST = 100
# What a magnitude alone does not show.
_OF_PHASE = ("phase", "offset")


class Measured(NamedTuple):
    """The records of one sample.

    Attributes:
        files: Where each was read, by its name.
        setting: What the user says of the measurement, with the sequence of each.
        records: Times count from the end of the first pulse, and spins turn as the simulation's do.
    """

    files: Mapping[str, Path]
    setting: Setting
    records: Mapping[str, Record]

    @property
    def title(self) -> str:
        """Its files in short."""
        return "+".join(dict.fromkeys(path.name for path in self.files.values()))[:_LONGEST]


def read_measured(
    files: Path | Mapping[str, Path],
    setting: Setting,
    *,
    conjugate: bool = False,
    since: Since = "first",
    format: str | None = None,
    **options: Any,
) -> Measured:
    """The records of one sample, each with its sequence.

    Args:
        files: One file with all of them, or the file of each by the name that its sequence has. Several records of a
            file are those of the sequences in their order; of one sequence they are the sweep that the file tells of,
            for instance a list of delays.
        setting: What is known of the experiment.
        conjugate: Whether the spectrometer's sense of rotation is the opposite one.
        since: What times count from: the end of the first or last pulse, or the echo.
        format: See `nmr_platform.exchange.read_records`.
        options: What the format's reader takes.

    Raises:
        ConfigurationError: Times count from an echo or a pulse that a sequence does not have.
        DataError: There are not as many records as sequences, or something else than records.
    """
    if isinstance(files, Path):
        held = _records_in(files, format=format, **options)
        named = dict.fromkeys(held, files)
    else:
        named = {name: files[name] for name in setting.by_record if name in files} | dict(files)
        _require_names(named, setting)
        held = {name: _one_in(path, format=format, **options) for name, path in named.items()}
    source = next(iter(named.values()))
    free = setting.of_free_spins(min(record.dwell for record in held.values()))
    pairs = paired(held, free, source)
    if len(pairs) > 1:
        setting = setting.replace(sequence=None, sequences={name: each.sequence for name, (_, each) in pairs.items()})
    records = {
        name: replace(
            record,
            signal=record.signal.conj() if conjugate else record.signal,
            start=record.start + beginning(experiment, since),
        )
        for name, (record, experiment) in pairs.items()
    }
    return Measured(dict(zip(pairs, named.values(), strict=True)), setting, records)


def _records_in(path: Path, **options: Any) -> dict[str, Record]:
    held = read_records(path, **options)
    records = {name: each for name, each in held.items() if isinstance(each, Record)}
    if len(records) < len(held):
        message = f"`{path}` must be a measured echo, but is a data set of simulated curves: `nmr predict` reads those."
        raise DataError(message, path=path)
    return records


def _one_in(path: Path, **options: Any) -> Record:
    records = _records_in(path, **options)
    if len(records) > 1:
        message = f"`{path}` holds {len(records)} records ({', '.join(records)}), but `--record` names files of one."
        raise DataError(message, path=path)
    return next(iter(records.values()))


def _require_names(named: Mapping[str, Path], setting: Setting) -> None:
    asked = [name for name in setting.by_record if name]
    if not asked:
        message = (
            "Option `--record` names a record of several, but `--experiment` has one `sequence`: give `sequences`."
        )
        raise ConfigurationError(message, key="record", value=[*named])
    if set(asked) != set(named):
        message = f"Option `--record` must give a file of each of {', '.join(asked)}, but gives {', '.join(named)}."
        raise ConfigurationError(message, key="record", value=[*named])


def answer_all(
    inferrer: Inferrer, samples: Sequence[Measured], out: Path, command: Sequence[str]
) -> list[dict[str, Any]]:
    """Answer for every sample, write its page, and show it as a run.

    Args:
        inferrer: Whose models are made for them.
        samples: What was measured.
        out: Folder of the pages, one folder each.
        command: What repeats it, for the page.

    Returns:
        For each what `as_json` gives.
    """
    return [_answer_one(inferrer.of(each.setting), each, out / each.title, command) for each in samples]


def _answer_one(inferrer: Inferrer, sample: Measured, folder: Path, command: Sequence[str]) -> dict[str, Any]:
    found = inferrer.infer(sample.records)
    said = as_json(found, folder / "report.html")
    tracker = inferrer.tracker
    facts = {"file": sample.title, "curves": found.curves, "matched": found.matched.digest}
    name = f"{Path(sample.title).stem}-{found.digest}"
    run = tracker.open_run(RunEntry(EXPERIMENT, name, facts, {"kind": "file"}))
    with closing_run(tracker, run):
        with staged_folder(folder) as made:
            pictures = {}
            for file, (shows, drawn) in _drawn(found, sample.title).items():
                plots.save(drawn, made / file)
                pictures[file] = shows
            for suffix in ("html", "md"):
                page = render_page(found, sample.title, sample.files, pictures, shlex.join(command), suffix)
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
            if found.look.record.has_phase or name not in _OF_PHASE
        },
        "records": {
            name: {
                "sequence": str(each.experiment.sequence),
                "told": str(each.record.told),
                "noise": each.noise._asdict(),
                "height": each.height._asdict(),
            }
            for name, each in found.looks.items()
        },
        "refined": [
            {name: getattr(each, name) for name in ("kernel", "values", "chi_square", "p_value")}
            for each in found.refined
        ],
        "digest": found.digest,
        "report": str(report),
    }


def _drawn(found: Inference, title: str) -> dict[str, tuple[str, Figure]]:
    """Pictures by their file, with what each shows: the records, and each beside its candidates."""
    which = "The record with the clearest echo" if len(found.looks) > 1 else "The record"
    pictures = {"record.png": (which, _draw(found.look))}
    if len(found.looks) > 1:
        pictures["records.png"] = "All records", _draw_all(found.looks, title)
    if _is_decay(found.looks):
        pictures["decay.png"] = "The height of the echoes", _draw_decay(found.looks, title)
    for each in found.refined:
        for name, band in each.bands.items():
            file = f"refined-{each.kernel}{'-' if name else ''}{name}.png"
            which = f"{each.kernel} kernel{', record ' if name else ''}{name}"
            heading = f"Best candidates of the {which}: p = {each.p_value:.2g}"
            shows = f"The record beside the best candidates of the {which}"
            drawn = plots.plot_band(*band, echo_time=found.looks[name].expected_echo, title=heading)
            pictures[file] = shows, drawn
    return pictures


def _is_decay(seen: Looks) -> bool:
    """Whether the sequences of several records differ by their delay alone."""
    pulses = [each.experiment.sequence.model_dump(exclude={"tau"}) for each in seen.values()]
    return len(pulses) > 1 and all(each == pulses[0] for each in pulses)


def _draw_all(seen: Looks, title: str) -> Figure:
    records = {name: (each.record.time, _with_gaps(each)) for name, each in seen.items()}
    return plots.plot_records(records, {name: each.expected_echo for name, each in seen.items()}, title=title)


def _with_gaps(seen: Look) -> NDArray[np.complex128]:
    """The corrected record; NaN where nothing was recorded."""
    signal = seen.corrected.signal
    return np.where(signal == 0, np.nan, signal)


def _draw_decay(seen: Looks, title: str) -> Figure:
    echoes = [(each.expected_echo, each.corrected) for each in seen.values()]
    heights = [abs(record.signal[np.abs(record.time - echo).argmin()]) for echo, record in echoes]
    return plots.plot_decay([echo for echo, _ in echoes], heights, title=title)


def _draw(seen: Look) -> Figure:
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
    return drawn
