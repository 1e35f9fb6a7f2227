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
from nmr_platform.learning import (
    METRICS,
    Bootstrap,
    EvaluateSettings,
    RegressionTask,
    Score,
    Task,
    paired_gain,
    question_of,
)
from nmr_platform.reporting import (
    CHAMPION,
    POINTS,
    PUBLISHED,
    PULSE_CAPTIONS,
    TASK_CAPTIONS,
    Ceilings,
    Content,
    Designed,
    Figure,
    Section,
    answer_of,
    ceiling_row,
    ceilings_section,
    compare_published,
    data_section,
    designed_row,
    designed_section,
    disorder_section,
    learning_section,
    note_on_point,
    note_on_ranks,
    notes_on,
    published_section,
    pulses_section,
    render_html,
    render_markdown,
    score_rows,
    table,
    verdict_on_published,
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
    designed = None if params.designed is None else _designed(params.designed, params, workspace)
    ceilings = _ceilings(params, workspace)
    # Not every study has a pulse search; where it is a stage, DVC sees to it that it ran.
    pulses = read_pulses(workspace) if workspace.pulses.exists() else None
    facts = [_facts(kernel, next(iter(records.values())), params) for kernel, records in datasets.items()]
    echoes = [
        _draw_echoes(kernel, dataset, record, folder)
        for kernel, records in datasets.items()
        for record, dataset in records.items()
    ]
    others = {} if designed is None else {row.task: row.designed for row in designed.rows}
    answers = [answer_of(name, params.tasks[name], each, others.get(name)) for name, each in scores.items()]
    verdicts = [verdict_on_published(answers), *(each.verdict for each in (designed, ceilings) if each is not None)]
    sections = [
        *([] if designed is None else [designed_section(designed)]),
        *([] if ceilings is None else [ceilings_section(ceilings)]),
        data_section(facts, echoes),
        learning_section([_section(name, each, params, workspace, folder) for name, each in scores.items()]),
        *([] if pulses is None else [pulses_section(pulses, _pulse_figures(workspace, folder))]),
        disorder_section(disorder),
        published_section(compare_published(PUBLISHED, scores, disorder)),
    ]
    return Content([each for each in verdicts if each], answers, sections)


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


def _draw_echoes(kernel: str, dataset: xr.Dataset, record: str, folder: Path) -> Figure:
    chosen, time = _spread(dataset), dataset["time"].to_numpy()
    name = f"figures/{_of_record(f'echoes-{kernel}', record)}.png"
    drawn = plots.plot_echoes(
        time,
        dataset["m"][chosen].to_numpy(),
        [f"W = {w:.3f} MHz" for w in dataset["W"].to_numpy()[chosen]],
        echo_time=float(time[int(dataset.attrs["echo_index"])]),
        ordered=True,
        title=f"{kernel}{f', {record}' if record else ''}",
    )
    plots.save(drawn, folder / name)
    caption = _told(f"Simulated echoes of the {kernel} kernel, the darker the stronger the coupling W.", record)
    return _figure(name, caption, folder)


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
    main = Score(**champion[task.metric])
    records = ("", *filter(None, params.data.recipe(task.kernels[0]).record_names))
    captions = {_of_record(item, each): _told(TASK_CAPTIONS[item], each) for item in TASK_CAPTIONS for each in records}
    standing = read_standings(workspace, name, task, params.evaluate)
    wanted = [item for item in captions if (source / "figures" / f"{item}.png").exists()]
    metric, ranks = METRICS[task.metric], {each.model: each.rank for each in standing}
    rows = score_rows(name, task.metric, scores, ranks)
    scored = [f"{metric} by cross-validation", f"{metric} held out"]
    titles = ["model", "features", *scored, "interval", "rank", "published"]
    return Section(
        f"task-{name}",
        f"{name}: {question_of(task)}",
        brief=f"{metric} {main.value:.3f} ({main.lower:.3f} to {main.upper:.3f}), {scores['champion']}",
        texts=[
            f"{scores['n_train']} training curves, {scores['n_test']} held-out curves, {scores['disorder']} disorder."
        ],
        table=table(titles, rows, champion=[str(row[0]).endswith(CHAMPION) for row in rows].index(True)),
        notes=[
            *notes_on(task, champion, params.evaluate.coverage),
            note_on_ranks(standing, params.evaluate.confidence),
            *_points(source / "tables", task, main),
        ],
        figures=[_copied(source / "figures" / f"{item}.png", name, folder, captions[item]) for item in wanted],
    )


def _points(tables: Path, task: Task, own: Score) -> list[str]:
    """What the champion was tried on once only, in sentences instead of pictures of a point."""
    said = []
    for name, (column, beginning) in POINTS.items():
        if not (tables / f"{name}.csv").exists():
            continue
        rows = pd.read_csv(tables / f"{name}.csv").query("metric == @task.metric")
        if len(rows) == 1:
            row = rows.iloc[0]
            there = Score(row["value"], row["lower"], row["upper"], int(row["n"]))
            said.append(note_on_point(beginning.format(row[column]), METRICS[task.metric], there, own))
    return said


def _copied(source: Path, prefix: str, folder: Path, caption: str) -> Figure:
    name = f"figures/{prefix}-{source.name}"
    shutil.copyfile(source, folder / name)
    return _figure(name, caption, folder)


def _figure(name: str, caption: str, folder: Path) -> Figure:
    seen, scale = plots.read_picture(folder / name), 96 / plots.DPI
    return Figure(name, caption, round(scale * seen.width), round(scale * seen.height), seen.spots)
