"""Stage `report`: gather the results of the other stages into a page for people."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nmr_platform import plots
from nmr_platform.datasets import DataSettings, load, quantity
from nmr_platform.errors import DataError
from nmr_platform.files import read_json, staged_folder
from nmr_platform.learning import EvaluateSettings, RegressionTask, Task
from nmr_platform.reporting import (
    PUBLISHED,
    Content,
    Figure,
    Section,
    compare_published,
    render_html,
    render_markdown,
    score_rows,
)
from nmr_platform.schema import Schema
from nmr_platform.workspace import Workspace

__all__ = ["ReportParams", "read_disorder", "write_report"]

_CAPTIONS = {
    "parity": "Predicted against true values of the held-out curves, with prediction intervals.",
    "coverage": "How many prediction intervals hold the truth, in bins of W.",
    "confusion": "Held-out curves by true and predicted kernel.",
    "confusion_by_w": "The same by strength of the coupling: the weaker the harder the kernels are to tell apart.",
    "scores_by_exponent": "Which power laws are found: scores in bins of the exponent.",
    "reliability": "How often a class is true against the probability that it was given.",
    "importances": "Where in the record the champion looks, below the mean echo.",
    "shap": "What moves its predictions: mean absolute SHAP values, below the mean echo.",
    "shap_by_power": "The same for every bin and power of the polynomial features.",
    "learning_curve": "Score against the number of training curves.",
    "noise": "Score against receiver noise that is added to the held-out records.",
    "lattice": "Score on new curves of other lattices.",
}
_PULSE_CAPTIONS = {
    "map": "Every sequence tried, by its score, over the two parameters that matter most.",
    "history": "The search in the order tried.",
    "sequence": "The best sequence found.",
    "echoes": "One curve's record under 90/180 and under the sequence found.",
    "verdict": "Gain over 90/180 on new curves, with 95 % intervals.",
}


class ReportParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        tasks: What is learnt, by name.
        evaluate: How the held-out part is looked at.
    """

    data: DataSettings
    tasks: dict[str, Task]
    evaluate: EvaluateSettings


def write_report(params: ReportParams, workspace: Workspace) -> Path:
    """Write ``reports/index.html`` and ``reports/report.md`` with their pictures; return the page's path.

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
    datasets = {kernel: load(workspace.simulated(kernel)) for kernel in params.data.kernels}
    scores = {
        name: read_json(workspace.evaluated(name) / "scores.json", made_by=f"dvc repro evaluate@{name}")
        for name in params.tasks
    }
    disorder = read_disorder(workspace)
    summary = workspace.pulses / "summary.json"
    # Not every study has a pulse search; where it is a stage, DVC sees to it that it ran.
    pulses = read_json(summary, made_by="dvc repro optimise_pulses") if summary.exists() else None
    return Content(
        data=[_facts(kernel, dataset, params) for kernel, dataset in datasets.items()],
        opening=[_draw_gallery(datasets, folder)],
        sections=[_section(name, record, params, workspace, folder) for name, record in scores.items()],
        disorder=disorder,
        comparison=compare_published(PUBLISHED, scores, disorder),
        pulses=_describe_pulses(pulses) if pulses else None,
        pulse_figures=_pulse_figures(workspace, folder) if pulses else [],
    )


def _pulse_figures(workspace: Workspace, folder: Path) -> list[Figure]:
    figures = workspace.pulses / "figures"
    return [
        _copied(figures / f"{name}.png", "pulses", folder, caption)
        for name, caption in _PULSE_CAPTIONS.items()
        if (figures / f"{name}.png").exists()
    ]


def _facts(kernel: str, dataset: xr.Dataset, params: ReportParams) -> dict[str, Any]:
    w = dataset["W"].to_numpy()
    shape = params.data.recipe(kernel).curve(0).experiment.lattice.shape
    return {
        "kernel": kernel,
        "n_curves": dataset.sizes["curve"],
        "lattice": " x ".join(map(str, shape)),
        "disorder": params.data.disorder,
        "w_range": f"{w.min():.3f} to {w.max():.3f}",
        "acceptance": f"{dataset.attrs['acceptance']:.0%}",
        "digest": dataset.attrs["digest"],
    }


def _draw_gallery(datasets: Mapping[str, xr.Dataset], folder: Path) -> Figure:
    first = next(iter(datasets.values()))
    time = first["time"].to_numpy()
    curves = {kernel: dataset["m"][_spread(dataset)].to_numpy() for kernel, dataset in datasets.items()}
    echo_time = float(time[int(first.attrs["echo_index"])])
    plots.save(plots.plot_gallery(curves, time, echo_time=echo_time), folder / "figures" / "echoes.png")
    return Figure("figures/echoes.png", "Simulated echoes of each kernel, from weak to strong coupling W.")


def _spread(dataset: xr.Dataset) -> list[int]:
    """Four curves from the smallest W to the largest."""
    order = np.argsort(dataset["W"].to_numpy())
    return [int(order[i]) for i in np.linspace(0, order.size - 1, 4).astype(int)]


def read_disorder(workspace: Workspace) -> list[dict[str, Any]]:
    """Rows of the comparison of fresh with frozen disorder.

    Raises:
        DataError: It has not run yet.
    """
    path = workspace.disorder / "scores.csv"
    if not path.exists():
        message = f"File `{path}` does not exist yet; make it with `dvc repro compare_disorder`."
        raise DataError(message, path=path)
    return [{str(name): value for name, value in row.items()} for row in pd.read_csv(path).to_dict("records")]


def _section(name: str, scores: Mapping[str, Any], params: ReportParams, workspace: Workspace, folder: Path) -> Section:
    task, source = params.tasks[name], workspace.evaluated(name)
    champion = scores["models"][scores["champion"]]["scores"]
    wanted = [item for item in _CAPTIONS if (source / "figures" / f"{item}.png").exists()]
    return Section(
        name=name,
        question=_question(task),
        metric={"r2": "R2", "f1_weighted": "weighted F1"}[task.metric],
        n_train=scores["n_train"],
        n_test=scores["n_test"],
        disorder=scores["disorder"],
        rows=score_rows(name, task.metric, scores),
        notes=_notes(task, champion, params.evaluate.coverage),
        figures=[_copied(source / "figures" / f"{item}.png", name, folder, _CAPTIONS[item]) for item in wanted],
    )


def _question(task: Task) -> str:
    kernels = ", ".join(task.kernels)
    if isinstance(task, RegressionTask):
        unit = f" in {task.unit}" if task.unit else ""
        return f"{quantity(task.target).description}{unit}, from one echo ({kernels})"
    if task.positive is None:
        return f"which kernel made this echo: {kernels}"
    return f"was it the {task.positive} kernel, or another ({kernels})"


def _notes(task: Task, champion: Mapping[str, Any], nominal: float) -> list[str]:
    if not isinstance(task, RegressionTask):
        accuracy = champion["accuracy"]
        return [
            f"Champion: accuracy {accuracy['value']:.3f}, interval {accuracy['lower']:.3f} to {accuracy['upper']:.3f}; "
            f"calibrated probabilities with log loss {champion['log_loss']['value']:.3f}, Brier score "
            f"{champion['brier']['value']:.3f} and calibration error {champion['ece']['value']:.1%}."
        ]
    coverage, width, error = champion["coverage"], champion["width"], champion["rmse"]
    return [
        f"Champion: its {100 * nominal:g}% prediction intervals hold {coverage['value']:.1%} of the held-out curves "
        f"(interval {coverage['lower']:.1%} to {coverage['upper']:.1%}) and are {width['value']:.4f} {task.unit} wide "
        f"on average; root mean square error {error['value']:.4f} {task.unit}."
    ]


def _describe_pulses(summary: Mapping[str, Any]) -> dict[str, Any]:
    best, base, target = summary["best"], summary["baseline"], summary["target"]
    chosen = summary["verdict"][target]
    outcome = (
        "is better than"
        if chosen["lower"] > 0
        else "cannot be told apart from"
        if chosen["upper"] >= 0
        else "is worse than"
    )
    scores = {part: {f"r2_{t}": c[part] for t, c in summary["verdict"].items()} for part in ("baseline", "best")}
    return {
        "verdict": (
            f"Of {summary['n_trials']} sequences tried, {best['sequence']} is the best by {summary['objective']}. "
            f"With models tuned on {summary['n_curves'] - summary['n_test']} other curves, on {summary['n_test']} new "
            f"curves it {outcome} 90/180: R2 of {target} {chosen['best']:.3f} against {chosen['baseline']:.3f}, gain "
            f"{chosen['lower']:+.3f} to {chosen['upper']:+.3f} (95 % interval, paired)."
        ),
        "targets": list(summary["verdict"]),
        "rows": [
            {"name": "90/180", "sequence": base["sequence"], **scores["baseline"]},
            {"name": "best found", "sequence": best["sequence"], **scores["best"]},
        ],
        "caution": (
            f"During the search, on the curves it was chosen by, the best scored {summary['search_score']['best']:.3f} "
            f"and 90/180 {summary['search_score']['baseline']:.3f}."
        ),
    }


def _copied(source: Path, prefix: str, folder: Path, caption: str) -> Figure:
    name = f"{prefix}-{source.name}"
    shutil.copyfile(source, folder / "figures" / name)
    return Figure(f"figures/{name}", caption)
