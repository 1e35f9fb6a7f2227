"""Stage `report`: gather the results of the other stages into a page for people."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nmr_platform import plots
from nmr_platform.checksums import require_checksums
from nmr_platform.datasets import DataSettings, load_records
from nmr_platform.designed import DesignedSettings, designed_name
from nmr_platform.errors import DataError
from nmr_platform.files import intact, read_json, staged_folder
from nmr_platform.learning import METRICS, Bootstrap, EvaluateSettings, RegressionTask, Task, paired_gain, question_of
from nmr_platform.reporting import (
    PUBLISHED,
    PULSE_CAPTIONS,
    TASK_CAPTIONS,
    Ceilings,
    Content,
    Designed,
    Figure,
    Section,
    ceiling_row,
    compare_published,
    describe_pulses,
    designed_row,
    note_on_ranks,
    notes_on,
    render_html,
    render_markdown,
    score_rows,
)
from nmr_platform.schema import Name, Schema
from nmr_platform.stages.standing import read_checked, read_predictions, read_scores, read_standings
from nmr_platform.workspace import Workspace

__all__ = ["ReportParams", "read_disorder", "write_report"]


class ReportParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        tasks: What is learnt, by name.
        evaluate: How the held-out part is looked at.
        designed: Which of the tasks were asked again of a designed measurement; None in a study without one.
    """

    data: DataSettings
    tasks: dict[Name, Task]
    evaluate: EvaluateSettings
    designed: DesignedSettings | None = None


def write_report(params: ReportParams, workspace: Workspace) -> Path:
    """Write ``reports/index.html`` and ``reports/report.md`` with their pictures; return the page's path.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where the other stages' results are, and where the report is written.

    Raises:
        DataError: A stage before has not run yet.
    """
    with staged_folder(workspace.reports) as folder:
        (folder / "figures").mkdir()
        content = _gather(params, workspace, folder)
        (folder / "index.html").write_text(render_html(content), encoding="utf-8")
        (folder / "report.md").write_text(render_markdown(content), encoding="utf-8")
    return workspace.reports / "index.html"


def _gather(params: ReportParams, workspace: Workspace, folder: Path) -> Content:
    datasets = {kernel: load_records(workspace.simulated(kernel)) for kernel in params.data.kernels}
    scores = {name: read_scores(workspace, name) for name in params.tasks}
    disorder = read_disorder(workspace)
    # Not every study has a pulse search; where it is a stage, DVC sees to it that it ran.
    pulses = read_pulses(workspace) if workspace.pulses.exists() else None
    return Content(
        data=[_facts(kernel, next(iter(records.values())), params) for kernel, records in datasets.items()],
        opening=[
            _draw_gallery({kernel: records[record] for kernel, records in datasets.items()}, record, folder)
            for record in next(iter(datasets.values()))
        ],
        sections=[_section(name, each, params, workspace, folder) for name, each in scores.items()],
        disorder=disorder,
        comparison=compare_published(PUBLISHED, scores, disorder),
        designed=None if params.designed is None else _designed(params.designed, params, workspace),
        ceilings=_ceilings(params, workspace),
        pulses=describe_pulses(pulses) if pulses else None,
        pulse_figures=_pulse_figures(workspace, folder) if pulses else [],
    )


def _designed(designed: DesignedSettings, params: ReportParams, workspace: Workspace) -> Designed:
    bootstrap = Bootstrap(params.evaluate.n_resamples, params.evaluate.confidence, params.evaluate.seed)
    rows = []
    for name in designed.tasks:
        task, (first, old), (other, new) = (
            params.tasks[name],
            _of_champion(workspace, name),
            _of_champion(workspace, designed_name(name)),
        )
        rows.append(designed_row(name, task, first, other, paired_gain(task, old, new, bootstrap)))
    data = params.data.replace(experiment=designed.measurement.into(params.data.experiment, workspace.root))
    return Designed(_in_words(params.data), _in_words(data), rows)


def _ceilings(params: ReportParams, workspace: Workspace) -> Ceilings | None:
    """What was learnt beside what can be known, of the data sets whose ceiling was asked for."""
    places = {kernel: workspace.metrics(f"ceiling-{kernel}") for kernel in params.data.kernels}
    found = {kernel: read_json(path, made_by="dvc repro ceiling") for kernel, path in places.items() if path.exists()}
    bootstrap = Bootstrap(params.evaluate.n_resamples, params.evaluate.confidence, params.evaluate.seed)
    rows = []
    for name, task in params.tasks.items():
        target = task.target if isinstance(task, RegressionTask) else ""
        bounds = {kernel: found[kernel][target] for kernel in task.kernels if target in found.get(kernel, {})}
        predictions = _of_champion(workspace, name)[1] if bounds else pd.DataFrame()
        rows += [ceiling_row(name, kernel, predictions, each, bootstrap) for kernel, each in bounds.items()]
    return Ceilings(rows) if rows else None


def _in_words(data: DataSettings) -> str:
    experiments = data.recipe(next(iter(data.kernels))).examples.values()
    return " and then ".join(str(each.sequence) for each in experiments)


def _of_champion(workspace: Workspace, task: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """What `evaluate` wrote about one task, and the champion's predictions of the held-out curves."""
    scores = read_scores(workspace, task)
    return scores, read_predictions(workspace, task, scores["champion"])


def _pulse_figures(workspace: Workspace, folder: Path) -> list[Figure]:
    figures = workspace.pulses / "figures"
    return [
        _copied(figures / f"{name}.png", "pulses", folder, caption)
        for name, caption in PULSE_CAPTIONS.items()
        if (figures / f"{name}.png").exists()
    ]


def _facts(kernel: str, dataset: xr.Dataset, params: ReportParams) -> dict[str, Any]:
    w = dataset["W"].to_numpy()
    recipe = params.data.recipe(kernel)
    shape = recipe.curve(0).experiment.lattice.shape
    return {
        "kernel": kernel,
        "n_curves": dataset.sizes["curve"],
        "lattice": " x ".join(map(str, shape)),
        "disorder": params.data.disorder,
        "w_range": f"{w.min():.3f} to {w.max():.3f}",
        "acceptance": f"{dataset.attrs['acceptance']:.0%}",
        "digest": recipe.digest if "record" in dataset.attrs else dataset.attrs["digest"],
    }


def _draw_gallery(datasets: Mapping[str, xr.Dataset], record: str, folder: Path) -> Figure:
    first = next(iter(datasets.values()))
    time = first["time"].to_numpy()
    curves = {kernel: dataset["m"][_spread(dataset)].to_numpy() for kernel, dataset in datasets.items()}
    echo_time = float(time[int(first.attrs["echo_index"])])
    name = f"figures/{_of_record('echoes', record)}.png"
    plots.save(plots.plot_gallery(curves, time, echo_time=echo_time), folder / name)
    return Figure(name, _told("Simulated echoes of each kernel, from weak to strong coupling W.", record))


def _of_record(figure: str, record: str) -> str:
    """Name of a figure about one record."""
    return f"{figure}_{record}" if record else figure


def _told(caption: str, record: str) -> str:
    """A caption that says which record a figure is about."""
    return f"Record {record}: {caption[0].lower()}{caption[1:]}" if record else caption


def _spread(dataset: xr.Dataset) -> list[int]:
    """Four curves from the smallest W to the largest."""
    order = np.argsort(dataset["W"].to_numpy())
    return [int(order[i]) for i in np.linspace(0, order.size - 1, 4).astype(int)]


def read_disorder(workspace: Workspace) -> list[dict[str, Any]]:
    """Rows of the comparison of fresh with frozen disorder.

    Raises:
        DataError: It has not run yet.
    """
    path, made_by = workspace.disorder / "scores.csv", "dvc repro compare_disorder"
    if not path.exists():
        message = f"File `{path}` does not exist yet; make it with `{made_by}`."
        raise DataError(message, path=path)
    require_checksums(workspace.disorder, what="Comparison", made_by=made_by)
    with intact(path, made_by=made_by):
        table = pd.read_csv(path)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def read_pulses(workspace: Workspace) -> dict[str, Any]:
    """What `optimise_pulses` wrote about the search, in plain data.

    Args:
        workspace: Where it was written.

    Raises:
        DataError: Its files are damaged.
    """
    summary: dict[str, Any] = read_checked(workspace.pulses / "summary.json", "dvc repro optimise_pulses")
    return summary


def _section(name: str, scores: Mapping[str, Any], params: ReportParams, workspace: Workspace, folder: Path) -> Section:
    task, source = params.tasks[name], workspace.evaluated(name) / scores["champion"]
    champion = scores["models"][scores["champion"]]["scores"]
    records = ("", *filter(None, params.data.recipe(task.kernels[0]).record_names))
    captions = {_of_record(item, each): _told(TASK_CAPTIONS[item], each) for item in TASK_CAPTIONS for each in records}
    standing = read_standings(workspace, name, task, params.evaluate)
    wanted = [item for item in captions if (source / "figures" / f"{item}.png").exists()]
    return Section(
        name=name,
        question=question_of(task),
        metric=METRICS[task.metric],
        n_train=scores["n_train"],
        n_test=scores["n_test"],
        disorder=scores["disorder"],
        rows=score_rows(name, task.metric, scores, {each.model: each.rank for each in standing}),
        notes=[
            *notes_on(task, champion, params.evaluate.coverage),
            note_on_ranks(standing, params.evaluate.confidence),
        ],
        figures=[_copied(source / "figures" / f"{item}.png", name, folder, captions[item]) for item in wanted],
    )


def _copied(source: Path, prefix: str, folder: Path, caption: str) -> Figure:
    name = f"{prefix}-{source.name}"
    shutil.copyfile(source, folder / "figures" / name)
    return Figure(f"figures/{name}", caption)
