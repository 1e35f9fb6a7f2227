"""`nmr simulate` and `nmr export-sequence`: one experiment."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from nmr_platform.cli.options import JsonOption, say

__all__ = ["export_sequence", "simulate"]


def simulate(
    experiment: Annotated[Path, typer.Argument(dir_okay=False, help="Experiment as YAML: MHz, us and degrees.")],
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the disorder.")] = 0,
    integrator: Annotated[
        Literal["euler", "midpoint", "fast"],
        typer.Option(
            help="The literature's first-order one; second order; or second order at twice the speed of euler."
        ),
    ] = "euler",
    dtype: Annotated[Literal["float32", "float64"], typer.Option(help="Precision of spins and field.")] = "float32",
    out: Annotated[Path | None, typer.Option(help="CSV to write: time in us, real, imaginary, m_z.")] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG to draw the echo to.")] = None,
    draw_sequence: Annotated[Path | None, typer.Option(help="PNG to draw the pulse sequence to.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate one experiment and write or draw its echo.

    Example: `nmr simulate experiment.yaml --seed 1 --out echo.csv --plot echo.png --draw-sequence pulses.png`
    """
    from nmr_platform import plots  # noqa: PLC0415
    from nmr_platform.files import staged_file  # noqa: PLC0415
    from nmr_platform.physics import Experiment  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.simulation import simulate as run  # noqa: PLC0415

    chosen = read_value(experiment, Experiment)
    echo = run(chosen, seed=seed, integrator=integrator, dtype=dtype)
    first = chosen.echo_indices[-1] if chosen.echo_indices else None
    if plot is not None:
        echo_time = None if first is None else float(echo.time[first])
        title = f"W = {chosen.kernel_integral:.4f} MHz"
        plots.save(plots.plot_echoes(echo.time, echo.m, echo_time=echo_time, title=title), plot)
    if draw_sequence is not None:
        # The sequence begins with its first pulse, and the record with the end of it.
        echo_times = [chosen.sequence.pulses[0].duration + time for time in chosen.sequence.expected_echoes]
        title = chosen.sequence.kind.replace("_", " ")
        plots.save(plots.plot_sequence(chosen.sequence.timeline, title=title, echo_times=echo_times), draw_sequence)
    if out is not None:
        columns = np.column_stack([echo.time, echo.m.real, echo.m.imag, echo.m_z])
        with staged_file(out) as staging:
            np.savetxt(staging, columns, delimiter=",", header="time_us,real,imaginary,m_z", comments="", fmt="%.9g")
    record = {
        "sequence": str(chosen.sequence),
        "samples": chosen.n_samples,
        "duration_us": float(echo.time[-1]),
        "kernel_integral_MHz": chosen.kernel_integral,
        "echo_times_us": [float(echo.time[index]) for index in chosen.echo_indices],
        "echo_magnitudes": [float(abs(echo.m[index])) for index in chosen.echo_indices],
    }
    peak = f", |M| at the echo {record['echo_magnitudes'][-1]:.4f}" if first is not None else ""  # type: ignore[index]
    say(
        f"{chosen.n_samples} samples over {echo.time[-1]:.1f} us, W = {chosen.kernel_integral:.4f} MHz{peak}.\n"
        f"Sequence: {chosen.sequence}.",
        record,
        as_json=as_json,
    )


def export_sequence(
    experiment: Annotated[Path, typer.Argument(dir_okay=False, help="Experiment as YAML: MHz, us and degrees.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to.")],
    as_json: JsonOption = False,
) -> None:
    """Write the sequence of an experiment as a table (CSV) and its pulses that last as Bruker shape files.

    Example: `nmr export-sequence results/pulses/sequences/best-1.yaml --out exported`
    """
    from nmr_platform.physics import Experiment  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.stages.pulse_files import write_sequence  # noqa: PLC0415

    chosen = read_value(experiment, Experiment)
    written = [str(path) for path in write_sequence(out, experiment.stem, chosen)]
    say(
        f"{chosen.sequence}: {', '.join(written)}.",
        {"sequence": str(chosen.sequence), "files": written},
        as_json=as_json,
    )
