"""`nmr simulate` and `nmr export-sequence`: one experiment, or a measurement of several sequences."""

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from nmr_platform.cli.options import JsonOption, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nmr_platform.physics import Block, Experiment, Measurement, Sequence
    from nmr_platform.simulation import Echo

__all__ = ["export_sequence", "simulate"]


def simulate(
    experiment: Annotated[
        Path, typer.Argument(dir_okay=False, help="Experiment or measurement as YAML: MHz, us and degrees.")
    ],
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the disorder.")] = 0,
    integrator: Annotated[
        Literal["euler", "midpoint", "fast"],
        typer.Option(
            help="The literature's first-order one; second order; or second order at twice the speed of euler."
        ),
    ] = "euler",
    dtype: Annotated[Literal["float32", "float64"], typer.Option(help="Precision of spins and field.")] = "float32",
    out: Annotated[
        Path | None,
        typer.Option(help="CSV to write: time in us, real, imaginary, m_z; of several records out-<name>.csv."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG to draw the echoes to.")] = None,
    draw_sequence: Annotated[Path | None, typer.Option(help="PNG to draw the pulse sequences to.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate one experiment, or a measurement of several sequences, and write or draw the echoes.

    Example: `nmr simulate experiment.yaml --seed 1 --out echo.csv --plot echo.png --draw-sequence pulses.png`
    """
    from nmr_platform import plots  # noqa: PLC0415
    from nmr_platform.physics import Measurement  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.simulation import measure  # noqa: PLC0415

    chosen = read_value(experiment, Measurement)
    gauged, gauge = _gauged(chosen)
    echoes = measure(chosen, seed=seed, integrator=integrator, dtype=dtype)
    integral = chosen.first.kernel_integral
    if plot is not None:
        plots.save(_draw(echoes, title=f"W = {integral:.4f} MHz"), plot)
    if draw_sequence is not None:
        sequences = {name: each.sequence for name, each in chosen.experiments.items()}
        plots.save(plots.plot_sequences({_title(*each): _timed(each[1]) for each in sequences.items()}), draw_sequence)
    if out is not None:
        for name, echo in echoes.items():
            _write(echo, out.with_name(f"{out.stem}-{name}{out.suffix}") if name else out)
    records = {name: _record(each, echoes[name]) for name, each in chosen.experiments.items()}
    if "" in records:
        [record] = records.values()
        lines = [f"{_samples(record)}, W = {integral:.4f} MHz{_peak(record)}.", gauge]
        say(
            "\n".join([*lines, f"Sequence: {record['sequence']}."]),
            {**record, "kernel_integral_MHz": integral, **gauged},
            as_json=as_json,
        )
        return
    lines = [f"{name}: {_samples(each)}{_peak(each)}. Sequence: {each['sequence']}." for name, each in records.items()]
    say(
        "\n".join([f"{len(records)} records, W = {integral:.4f} MHz.", *lines, gauge]),
        {"kernel_integral_MHz": integral, **gauged, "records": records},
        as_json=as_json,
    )


def _record(experiment: "Experiment", echo: "Echo") -> dict[str, Any]:
    """What is said of one record."""
    return {
        "sequence": str(experiment.sequence),
        "samples": echo.m.size,
        "duration_us": float(echo.time[-1]),
        "echo_times_us": [float(echo.time[index]) for index in echo.echo_indices],
        "echo_magnitudes": [float(abs(echo.m[index])) for index in echo.echo_indices],
    }


def _gauged(chosen: "Measurement") -> tuple[dict[str, Any], str]:
    """Mean against fluctuating field over the longest record, for programs and for people."""
    from nmr_platform.physics import field_gauge, gaussian_decay  # noqa: PLC0415

    longest = max(chosen.experiments.values(), key=lambda each: float(each.time[-1]))
    gauge, decay = field_gauge(longest), gaussian_decay(longest)
    counts, sampled = gauge.regime in ("both", "fluctuations"), longest.initial.fluctuations == "sampled"
    left_out = "" if sampled or not counts else ", but `initial.fluctuations` is none and leaves the latter out"
    falls = f" T2G of alpha_z is {decay:.4g} us." if isfinite(decay) else ""
    return {
        "field_ratio": gauge.ratio,
        "regime": gauge.regime,
        "gaussian_decay_us": decay if isfinite(decay) else None,
    }, f"{gauge}{left_out}.{falls}"


def _samples(record: Mapping[str, Any]) -> str:
    return f"{record['samples']} samples over {record['duration_us']:.1f} us"


def _peak(record: Mapping[str, Any]) -> str:
    magnitudes = record["echo_magnitudes"]
    return f", |M| at the echo {magnitudes[-1]:.4f}" if magnitudes else ""


def _draw(echoes: "Mapping[str, Echo]", *, title: str) -> "Figure":
    """One curve, or a panel a record on common scales."""
    from nmr_platform import plots  # noqa: PLC0415

    times = {name: float(echo.time[echo.echo_indices[-1]]) for name, echo in echoes.items() if echo.echo_indices}
    if "" in echoes:
        return plots.plot_echoes(echoes[""].time, echoes[""].m, echo_time=times.get(""), title=title)
    return plots.plot_records({name: (echo.time, echo.m) for name, echo in echoes.items()}, times, title=title)


def _title(name: str, sequence: "Sequence") -> str:
    kind = sequence.kind.replace("_", " ")
    return f"{name}: {kind}" if name else kind


def _timed(sequence: "Sequence") -> "tuple[tuple[Block, ...], list[float]]":
    """A sequence on the time axis, and its echoes: it begins with its first pulse, the record with the end of it."""
    return sequence.timeline, [sequence.pulses[0].duration + time for time in sequence.expected_echoes]


def _write(echo: "Echo", out: Path) -> None:
    from nmr_platform.files import staged_file  # noqa: PLC0415

    columns = np.column_stack([echo.time, echo.m.real, echo.m.imag, echo.m_z])
    with staged_file(out) as staging:
        np.savetxt(staging, columns, delimiter=",", header="time_us,real,imaginary,m_z", comments="", fmt="%.9g")


def export_sequence(
    experiment: Annotated[
        Path, typer.Argument(dir_okay=False, help="Experiment or measurement as YAML: MHz, us and degrees.")
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to.")],
    as_json: JsonOption = False,
) -> None:
    """Write each sequence of a measurement as a table (CSV) and its pulses that last as Bruker shape files.

    Example: `nmr export-sequence results/pulses/sequences/best-1.yaml --out exported`
    """
    from nmr_platform.physics import Measurement  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.stages.pulses.files import write_sequence  # noqa: PLC0415

    chosen = read_value(experiment, Measurement).experiments
    sequences = {name: str(each.sequence) for name, each in chosen.items()}
    written = [
        str(path)
        for name, each in chosen.items()
        for path in write_sequence(out, f"{experiment.stem}-{name}" if name else experiment.stem, each)
    ]
    say(
        f"{'; '.join(sequences.values())}: {', '.join(written)}.",
        {**({"sequence": sequences[""]} if "" in sequences else {"sequences": sequences}), "files": written},
        as_json=as_json,
    )
