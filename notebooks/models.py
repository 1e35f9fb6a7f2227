"""Tutorial 3: forests and boosting compared, in MLflow."""

import marimo

app = marimo.App(app_title="3 Forests and boosting compared, in MLflow")

with app.setup:
    import io
    import os
    import tempfile
    from contextlib import redirect_stdout
    from pathlib import Path

    import marimo as mo
    import yaml

    from nmr_platform.cli.app import main
    from nmr_platform.schema import laid_over, read_yaml


@app.cell
def _():
    mo.md(r"""
    # 3 Forests and boosting compared, in MLflow

    Which model reads the coupling best? The answer is only worth something if all models were searched with the same
    effort, none of them saw the curves that they are judged by, and the difference is larger than chance. A project
    does all that: `params.yaml` says what, and four commands do it. This page runs them on a small project, in a
    folder that is thrown away.
    """)


@app.cell
def _():
    small = {
        "data": {
            "n_curves": 60,
            "experiment": {"lattice": {"shape": [16, 16]}, "sequence": {"tau": 30.0}},
            "constraints": {"W": {"low": 0.02, "high": 0.1}},
        },
        "tune": {
            "n_trials": 2,
            "families": ["random_forest", "xgboost"],
            "feature_sets": ["polynomial-magnitude"],
            "cv_folds": 3,
            "n_estimators": 40,
            "startup_trials": 1,
            "pruner": "none",
        },
        "evaluate": {
            "n_resamples": 100,
            "permutation_repeats": 1,
            "permutation_features": 3,
            "shap_rows": 5,
            "learning_curve": [],
            "noise": [],
            "lattice_shapes": [],
        },
    }
    whole = read_yaml(mo.notebook_dir().parent / "params.yaml")
    values = laid_over(whole, small)
    values["features"] = {"sets": [{"kind": "polynomial", "signal": "magnitude", "half_width": 150}]}
    values["tasks"] = {"W": whole["tasks"]["W"]}
    values["designed"] |= {"tasks": ["W"], "tune": {}}
    values["designed"]["features"] = values["features"]
    values["disorder_comparison"]["feature_set"] = "polynomial-magnitude"
    return (values,)


@app.cell
def _(values):
    held = tempfile.TemporaryDirectory()
    project = Path(held.name)
    (project / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{project / 'mlflow.db'}"

    def nmr(*words):
        """What a command says; it ends the tutorial if it fails."""
        said = io.StringIO()
        try:
            with redirect_stdout(said):
                main([*words, "--params", str(project / "params.yaml")])
        except SystemExit as end:
            if end.code:
                raise
        return said.getvalue().replace(f"{project}/", "")

    def shown(*commands):
        """Commands one after the other, as in a terminal."""
        text = "\n".join(f"$ nmr {' '.join(words)}\n{nmr(*words)}" for words in commands)
        return mo.plain_text(text)

    return nmr, project, shown


@app.cell
def _(shown):
    simulated = shown(*(("generate", "--kernel", kernel) for kernel in ("gaussian", "power", "rkky")), ("features",))
    simulated
    return (simulated,)


@app.cell
def _():
    mo.md(r"""
    ## A study for each

    `nmr tune` searches each family on each feature set with the same number of trials, by cross-validation on the
    training part. Optuna's storage is the memory of a study; MLflow shows it. Ctrl-C, or worse, loses nothing: the
    same command goes on.
    """)


@app.cell
def _(shown, simulated):
    assert simulated is not None
    tuned = shown(("tune", "--task", "W"))
    tuned
    return (tuned,)


@app.cell
def _():
    mo.md(r"""
    ## The part that nobody has seen

    `nmr evaluate` looks at the held-out curves once. They have disorder that no training curve has. Every score has a
    bootstrap interval, every prediction an interval of its own.
    """)


@app.cell
def _(shown, tuned):
    assert tuned is not None
    evaluated = shown(("evaluate", "--task", "W"))
    evaluated
    return (evaluated,)


@app.cell
def _(evaluated, nmr):
    assert evaluated is not None
    mo.md(nmr("leaderboard", "--task", "W").removeprefix("## W"))


@app.cell
def _(evaluated, project):
    assert evaluated is not None
    pictures = sorted(project.glob("results/**/parity.png"))
    mo.hstack([mo.image(picture.read_bytes(), alt=picture.relative_to(project).parts[3]) for picture in pictures])


@app.cell
def _():
    mo.md(r"""
    ## The same in MLflow

    Everything above is a run: a parent for each study, a child for each trial, each with its parameters, folds, data
    digest and commit. `make ui` opens the pages; here the table is asked for.
    """)


@app.cell
def _(evaluated):
    import mlflow

    assert evaluated is not None
    runs = mlflow.search_runs(experiment_names=["W"])
    columns = [
        "tags.mlflow.runName",
        "metrics.cv_r2",
        "metrics.test_r2",
        "metrics.test_r2_lower",
        "metrics.test_r2_upper",
    ]
    named = runs[columns].rename(columns=lambda name: name.rpartition(".")[2]).set_index("runName").rename_axis(None)
    named.sort_values("test_r2", ascending=False).round(3)


@app.cell
def _():
    mo.md(r"""
    A score of fifteen held-out curves may move as far as its interval says; the ranks above come from the differences
    of two models on the same curves, which move less. The report of `make run` has the same comparison with more
    curves, and `make august2021` with 5000 a kernel.

    ## Go on

    [learning.md](../docs/learning.md) has what models reach and why the scores can be believed,
    [compare.md](../docs/compare.md) how to compare runs in MLflow's pages. Next: `notebooks/pulses.py`, pulses that
    make the question easier.
    """)


if __name__ == "__main__":
    app.run()
