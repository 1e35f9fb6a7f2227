"""Tutorial 4: designing the pulses."""

import marimo

app = marimo.App(app_title="4 Designing the pulses")

with app.setup:
    import tempfile
    from pathlib import Path

    import marimo as mo
    import numpy as np

    from nmr_platform import plots, simulate
    from nmr_platform.datasets import read_preset
    from nmr_platform.pulse_design import PulseSearchSettings, search_pulses
    from nmr_platform.schema import validate
    from nmr_platform.tracking import NullTracker


@app.cell
def _():
    mo.md(r"""
    # 4 Designing the pulses

    After a pulse of 90° the magnetisation along z is nearly zero, so an echo of 90° and 180° hardly tells α z. Other
    pulses tell more. Which ones is a search: try a sequence, simulate curves of known couplings under it, and ask how
    well they can be read.

    ## The question

    The question here is Z, the α z part of the coupling, read off the complex record by a ridge regression. Tried are
    Hahn echoes with other flip angles.
    """)


@app.cell
def _():
    recipe = read_preset("august2021").recipe("gaussian")
    recipe = recipe.replace(
        experiment={**recipe.experiment, "sequence": {"kind": "hahn", "tau": 40.0}}, n_curves=40, integrator="fast"
    )
    settings = validate(
        PulseSearchSettings,
        {
            "kernel": "gaussian",
            "shape": [16, 16],
            "n_curves": 40,
            "seed": 5,
            "space": {
                "sequences": [
                    {
                        "vary": {
                            "theta1": {"kind": "uniform", "low": 30.0, "high": 120.0},
                            "theta2": {"kind": "uniform", "low": 90.0, "high": 240.0},
                        }
                    }
                ]
            },
            "objective": {"kind": "score", "targets": ["Z"], "cv_folds": 3, "estimator": "ridge"},
            "features": {"kind": "polynomial", "signal": "complex", "half_width": 60},
            "startup_trials": 3,
            "n_trials": 8,
            # How the best would be compared on new curves: not done here.
            "verdict": {
                "seed": 6,
                "n_curves": 24,
                "best": 1,
                "targets": ["Z"],
                "families": ["linear"],
                "n_trials": 1,
                "n_estimators": 10,
                "test_fraction": 0.4,
                "cv_folds": 2,
                "scenarios": {},
            },
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        search = search_pulses({"gaussian": recipe}, settings, storage=Path(folder), tracker=NullTracker())
    example = recipe.example.replace(lattice={"shape": [32, 32]})
    best, hahn = search.best.assessed, search.baseline.assessed
    found = example.replace(sequence=next(iter(best.sequences.values()))).sequence
    return best, example, found, hahn, search


@app.cell
def _(search):
    scores = search.table["score"].to_numpy()
    plots.plot_search_history(
        scores,
        baseline=search.baseline.assessed.value,
        label=search.label,
        title="every sequence that was tried; 90/180 is the baseline",
    )


@app.cell
def _(best, found, hahn, search):
    mo.vstack(
        [
            mo.md(
                f"The best of {len(search.candidates)} is `{found}`, with "
                f"{best.value:.2f} ± {best.error:.2f}; 90/180 has {hahn.value:.2f} ± {hahn.error:.2f}."
            ),
            mo.plain_text(
                search.table[["theta1", "theta2", "score", "error"]]
                .sort_values("score", ascending=False)
                .to_string(index=False, float_format="%.3g")
            ),
        ]
    )


@app.cell
def _():
    mo.md(r"""
    ## Why it is better

    Two samples that differ in α z alone, under 90/180 and under what was found. What the first hides, the second
    shows.
    """)


@app.cell
def _(example, found):
    def pair(sequence):
        base = example.replace(sequence=sequence)
        echoes = [
            simulate(base.replace(coupling=base.coupling.replace(alpha_z=alpha)), integrator="fast")
            for alpha in (2e-5, 2e-4)
        ]
        return echoes[0].time, np.array([echo.m for echo in echoes])

    labels = ["α z = 20 Hz", "α z = 200 Hz"]
    mo.vstack(
        [
            plots.plot_echoes(*pair(sequence), labels, parts=True, title=str(sequence))
            for sequence in (example.sequence, found)
        ]
    )


@app.cell
def _():
    mo.md(r"""
    A score of eight sequences on forty curves picks among neighbours by chance. `nmr optimise-pulses` searches
    longer, and then compares the best with 90/180 on new curves, with weak pulses and with noise. The search is
    resumed, shared by workers and shown in MLflow like any study.

    ## Go on

    [pulse-design.md](../docs/pulse-design.md) has shaped pulses, several sequences and the Fisher information,
    [designed.md](../docs/designed.md) learning from what was found. Next: `notebooks/instrument.py`, a file of an
    instrument.
    """)


if __name__ == "__main__":
    app.run()
