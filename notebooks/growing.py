"""Tutorial 6: growing: workers, PostgreSQL, SLURM."""

import marimo

app = marimo.App(app_title="6 Growing: workers, PostgreSQL, SLURM")

with app.setup:
    import tempfile
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    import marimo as mo
    import optuna
    import pandas as pd

    from nmr_platform.datasets import ExecutorSettings, dvc_digest, generate, make_executor, read_preset
    from nmr_platform.schema import Schema, validate


@app.cell
def _():
    mo.md(r"""
    # 6 Growing: workers, PostgreSQL, SLURM

    The same code runs on a laptop and on a cluster. What changes are addresses: who simulates, where studies are
    remembered, where runs are shown. Three things make that safe, and this page tries them out.

    1. Curve i of a data set is a function of the recipe and i, so it does not matter who simulates it.
    2. A study's memory is a storage that any number of workers may share.
    3. MLflow only shows; lose it, and `nmr track sync` writes it again.

    ## Who simulates

    `executor` in `params.yaml` says it: threads of this process, a Dask cluster, or jobs of a SLURM queue.
    """)


@app.cell
def _():
    recipe = read_preset("tiny").recipe("gaussian").replace(n_curves=30)

    def made(folder, settings):
        """The digest of the data set that an executor makes."""
        executor = make_executor(settings)
        generate(recipe, folder / "set.zarr", shard_folder=folder / "shards", executor=executor)
        return dvc_digest(folder / "set.zarr")

    executors = {
        "one thread": {"kind": "threads", "n": 1},
        "two threads": {"kind": "threads", "n": 2},
        "a Dask cluster on this machine": {"kind": "dask", "workers": 1},
    }

    class Asked(Schema):
        executor: ExecutorSettings

    digests = {}
    for name, settings in executors.items():
        with tempfile.TemporaryDirectory() as folder:
            digests[name] = made(Path(folder), validate(Asked, {"executor": settings}).executor)
    assert len({*digests.values()}) == 1
    mo.vstack([pd.DataFrame({"executor": [*digests], "digest": [*digests.values()]})])
    return (recipe,)


@app.cell
def _():
    mo.md(r"""
    One digest: the bytes are the same. On a cluster with SLURM the section reads

    ```yaml
    executor:
      kind: slurm
      queue: long
      jobs: 20
      cores: 32
      memory: 16GB
      walltime: "04:00:00"
    ```

    Each job is a Dask worker; one that reaches its time limit is replaced, and what was finished stays. The folder of
    the shards must be one that all workers see.

    ## A run that is cut off

    Finished shards stay, so the same command goes on, and a longer set simulates only what is new.
    """)


@app.cell
def _(recipe):
    with tempfile.TemporaryDirectory() as place:
        one, shards = Path(place) / "set.zarr", Path(place) / "shards"
        first = generate(recipe, one, shard_folder=shards)
        again = generate(recipe, one, shard_folder=shards)
        longer = generate(recipe.replace(n_curves=90), one, shard_folder=shards)
    said = [f"{each.n_curves} curves, {each.n_simulated} simulated now" for each in (first, again, longer)]
    mo.md("\n".join(f"* {text}" for text in said))


@app.cell
def _():
    mo.md(r"""
    ## Who remembers a study

    Optuna's storage: a journal file by default, a database by URL. Here four workers share a journal; they ask for the
    next point and tell its score, and none repeats another's.
    """)


@app.cell
def _():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as where:
        backend = optuna.storages.journal.JournalFileBackend(f"{where}/studies.journal")
        study = optuna.create_study(storage=optuna.storages.JournalStorage(backend), direction="maximize")

        def objective(trial):
            x = trial.suggest_float("x", -2.0, 2.0)
            return -((x - 0.7) ** 2)

        with ThreadPoolExecutor(4) as workers:
            [*workers.map(lambda _: study.optimize(objective, n_trials=5), range(4))]
        n_trials, best = len(study.trials), study.best_params["x"]
    mo.md(f"{n_trials} trials of four workers; the best x is {best:.2f}, where 0.7 is right.")


@app.cell
def _():
    mo.md(r"""
    In a project that is one option, and the processes divide the cores among themselves:

    ```
    nmr tune --task W --workers 4
    ```

    ## PostgreSQL, an MLflow server

    A file serves one machine. Several share a database, and all of them run the same command:

    ```
    export NMR_STUDY_STORAGE=postgresql+psycopg://ada:secret@db.lab/optuna
    export MLFLOW_TRACKING_URI=http://mlflow.lab:5000
    nmr tune --task W
    ```

    A worker that is killed gives its trial back. If the server is away, the search goes on, and what it has not seen is
    sent later.

    ## Go on

    [studies.md](../docs/studies.md) has workers and storages, [datasets.md](../docs/datasets.md) clusters and costs,
    [tracking.md](../docs/tracking.md) servers, and [concepts.md](../docs/concepts.md) why results stay the same.
    """)


if __name__ == "__main__":
    app.run()
