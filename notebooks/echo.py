"""Tutorial 1: an echo, and what couplings do to it."""

import marimo

app = marimo.App(app_title="1 An echo, and what couplings do to it")

with app.setup:
    import marimo as mo
    import numpy as np

    from nmr_platform import Experiment, plots, simulate


@app.cell
def _():
    mo.md(r"""
    # 1 An echo, and what couplings do to it

    A pulse tips the nuclear spins of a sample, and they begin to precess. Each sees a slightly different field, so
    they run apart and the signal dies within microseconds. A second pulse at τ turns them over, and at 2τ they are
    together again: the **spin echo**. Fields that do not change are undone by it. A coupling between the spins is
    not, because the field that a spin feels then moves with the others. That is why an echo tells something about
    the coupling.
    """)


@app.cell
def _():
    mo.md(r"""
    ## One experiment

    An experiment is one value: where the spins sit, how far the coupling reaches (`kernel`), how strong it is, how
    broad the line is, and the pulses. Couplings are in MHz, times in µs, angles in degrees.
    """)


@app.cell
def _():
    experiment = Experiment.model_validate(
        {
            "lattice": {"shape": [48, 48]},
            "kernel": {"kind": "gaussian", "xi": 10.0},
            "coupling": {"alpha_x": 1.5e-4, "alpha_y": 1.5e-4, "alpha_z": 5e-5},
            "line": {"fwhm": 0.05, "bandwidth": 1.0},
            "sequence": {"kind": "hahn", "tau": 60.0},
            "step": 0.159155,
        }
    )
    mo.md(
        f"The sequence is `{experiment.sequence}`, and W, the integral of the coupling, is "
        f"{experiment.kernel_integral:.3f} MHz."
    )
    return (experiment,)


@app.cell
def _(experiment):
    def drawn(changed, labels, title):
        """|M|(t) of several experiments on the same spins."""
        echoes = [simulate(each, seed=0, integrator="fast") for each in changed]
        return plots.plot_echoes(
            echoes[0].time, np.array([echo.m for echo in echoes]), labels, echo_time=120.0, title=title
        )

    none = experiment.replace(coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0})
    drawn([none, experiment], ["without coupling", "with coupling"], "the coupling shows in the echo")
    return (drawn,)


@app.cell
def _():
    mo.md(r"""
    Without coupling, the signal at 2τ has the height that it began with. With it, the echo is lower, it leans to
    the left, and a second maximum follows. The random wiggles are the disorder of 48 x 48 spins, not noise: the
    same seed gives the same ones.

    ## Stronger
    """)


@app.cell
def _(drawn, experiment):
    factors = (0.5, 1.0, 1.5, 2.0)
    stronger = [experiment.replace(coupling={f"alpha_{axis}": factor * 1.5e-4 for axis in "xyz"}) for factor in factors]
    drawn(stronger, [f"W = {each.kernel_integral:.2f} MHz" for each in stronger], "stronger couplings")


@app.cell
def _():
    mo.md(r"""
    ## The same W from another kernel

    Couplings of different range can have the same W. Here all four have 0.3 MHz: what is left is the shape of the
    kernel, and it is much harder to see. Whether it can be seen is asked in the third tutorial.
    """)


@app.cell
def _(drawn, experiment):
    kernels = {
        "gaussian, ξ = 4": {"kind": "gaussian", "xi": 4.0},
        "gaussian, ξ = 14": {"kind": "gaussian", "xi": 14.0},
        "power, exponent 2": {"kind": "power", "exponent": 2.0},
        "uniform": {"kind": "uniform"},
    }

    def of_w(kernel, w=0.3):
        one = experiment.replace(kernel=kernel, coupling={"alpha_x": 1.0, "alpha_y": 1.0, "alpha_z": 1.0})
        return one.replace(coupling={f"alpha_{axis}": w / one.kernel_integral for axis in "xyz"})

    drawn([of_w(kernel) for kernel in kernels.values()], [*kernels], "one W, four kernels")


@app.cell
def _():
    mo.md(r"""
    ## Other pulses

    After a pulse of 90°, the magnetisation along z is nearly zero, and so is what α z does. A smaller first pulse
    leaves some: then α z turns the phase of the signal, which |M| does not show but M does.
    """)


@app.cell
def _(experiment):
    tipped = experiment.replace(sequence={"kind": "hahn", "tau": 60.0, "theta1": 60.0})
    two = [
        simulate(tipped.replace(coupling=tipped.coupling.replace(alpha_z=alpha)), integrator="fast")
        for alpha in (5e-5, 2e-4)
    ]
    plots.plot_echoes(
        two[0].time,
        np.array([echo.m for echo in two]),
        ["α z = 50 Hz", "α z = 200 Hz"],
        echo_time=120.0,
        parts=True,
        title="60° - 60 µs - 180°",
    )


@app.cell
def _():
    mo.md(r"""
    ## Go on

    `nmr explore` has sliders for all of this. [physics.md](../docs/physics.md) has the equations,
    [lattices-kernels-lines.md](../docs/lattices-kernels-lines.md) and [simulator.md](../docs/simulator.md) what
    else can be simulated. Next: `notebooks/features.py`, what a model sees of an echo.
    """)


if __name__ == "__main__":
    app.run()
