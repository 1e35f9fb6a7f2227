"""Tutorial 5: from an instrument's file to an answer."""

import marimo

app = marimo.App(app_title="5 From an instrument's file to an answer")

with app.setup:
    import io
    import os
    import tempfile
    from contextlib import redirect_stdout
    from pathlib import Path

    import marimo as mo
    import numpy as np

    from nmr_platform import Experiment, plots, simulate
    from nmr_platform.cli.app import main
    from nmr_platform.exchange import measured_curve, read_file


@app.cell
def _():
    mo.md(r"""
    # 5 From an instrument's file to an answer

    A file of an instrument is in volts, has a phase and a frequency offset of its own, noise, and a time axis that was
    somebody's choice. Nothing of that is in the curves that models learn from. There are two ways from it to an
    answer: bring the record to the model (`nmr predict`), or make a model for the record (`nmr infer`).

    ## A file

    There is no instrument here, so a sample is simulated and its record spoilt: 740 units high, turned by 35°, 2 kHz
    off resonance, 1 % noise, a point every 0.25 µs, and nothing before 12 µs.
    """)


@app.cell
def _():
    sample = Experiment.model_validate(
        {
            "lattice": {"shape": [32, 32]},
            "kernel": {"kind": "gaussian", "xi": 12.0},
            "coupling": {"alpha_x": 1.1e-4, "alpha_y": 1.1e-4, "alpha_z": 6e-5},
            "line": {"fwhm": 0.05, "bandwidth": 1.0},
            "sequence": {"kind": "hahn", "tau": 40.0},
            "receiver": {"dead_time": 12.0},
            "step": 0.25,
        }
    )
    echo = simulate(sample, seed=11, integrator="fast")
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.005, (2, echo.m.size))
    turned = echo.m * np.exp(1j * (np.deg2rad(35.0) - 2 * np.pi * 0.002 * echo.time))
    signal = 740 * (turned + noise[0] + 1j * noise[1])
    holder = tempfile.TemporaryDirectory()
    folder = Path(holder.name)
    # After the second pulse only: a receiver opens once.
    late = echo.time > 52.0
    table = np.column_stack([echo.time, signal.real, signal.imag])[late]
    np.savetxt(folder / "echo.csv", table, delimiter=",", header="time,re,im", fmt="%.6g")
    mo.plain_text("\n".join((folder / "echo.csv").read_text().splitlines()[:5]))
    return folder, sample


@app.cell
def _():
    mo.md(r"""
    ## What is in it

    A format is told by the file's name or said; here it is a table with times in µs. Phase, offset and height are
    estimated from the echo, and the record is brought onto the time axis of its sequence. All that was done is
    written down with the curve.
    """)


@app.cell
def _(folder, sample):
    record = read_file(folder / "echo.csv", unit="us")
    curve = measured_curve(record, sample, outside="zero")
    done = {name: round(float(curve.attrs[name]), 4) for name in ("phase", "offset", "scale")}
    mo.vstack(
        [
            mo.md(f"Found: `{done}` (degrees, MHz, and the factor that makes the echo ½ high)."),
            plots.plot_echoes(
                curve["time"].to_numpy(), curve["m"].to_numpy()[0], echo_time=80.0, parts=True, title="the record"
            ),
        ]
    )


@app.cell
def _():
    mo.md(r"""
    ## Models made for it

    `nmr infer` needs the file and its sequence. It measures noise and line, simulates records like this one, learns
    from them, and answers with intervals. A budget of some curves keeps this page short; ten minutes are the default.
    """)


@app.cell
def _(folder):
    (folder / "mine.yaml").write_text(
        "sequence: {kind: hahn, tau: 40.0}  # us\n"
        "lattice: {shape: [32, 32]}\n"
        "line: {fwhm: 0.05, bandwidth: 1.0}  # MHz\n"
    )
    words = ["infer", "echo.csv", "--experiment", "mine.yaml", "--unit", "us", "--kernels", "gaussian"]
    words += ["--budget", "40", "--no-refine", "--tracker", "none"]
    said, before = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with redirect_stdout(said):
            main(words)
    except SystemExit as end:
        if end.code:
            raise
    finally:
        os.chdir(before)
    mo.plain_text(f"$ nmr {' '.join(words)}\n{said.getvalue()}")


@app.cell
def _(sample):
    mo.md(f"The truth is W = {sample.kernel_integral:.3f} MHz.")


@app.cell
def _():
    mo.md(r"""
    From so few curves the intervals are wide, and where they are as wide as what was assumed, the answer says that the
    record does not tell the quantity.

    ## Go on

    `inferred/` has a page with pictures beside the numbers. [infer.md](../docs/infer.md) has every step,
    [predict.md](../docs/predict.md) the other way, [interchange.md](../docs/interchange.md) the formats. Next:
    `notebooks/growing.py`, more machines.
    """)


if __name__ == "__main__":
    app.run()
