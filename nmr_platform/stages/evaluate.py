"""Stage `evaluate`: score the tuned models of one task on held-out curves, and draw what they do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.config import Params
from nmr_platform.errors import DataError
from nmr_platform.features import feature_intervals
from nmr_platform.learning.evaluate import evaluate_task
from nmr_platform.learning.evaluation import EvaluationResult, ModelEvaluation
from nmr_platform.learning.records import TuneSummary
from nmr_platform.learning.tasks import RegressionTask, Task
from nmr_platform.stages.deploy import example_record, make_predictor
from nmr_platform.stages.features import FeatureTables, read_features
from nmr_platform.stages.files import staged_folder, write_json
from nmr_platform.stages.tune import read_tuned
from nmr_platform.stages.workspace import Workspace
from nmr_platform.tracking import ModelRecord, Tracker

__all__ = ["evaluate"]


def evaluate(params: Params, workspace: Workspace, task: str, tracker: Tracker) -> EvaluationResult:
    """Evaluate one task's models; write tables, figures and metrics, and hand all of it to the tracker.

    Raises:
        ConfigurationError: There is no such task.
        DataError: An earlier stage has not run, or ran on other features or for another task.
    """
    chosen = params.task(task)
    features = read_features(workspace)
    summary = read_tuned(workspace, task)
    _require_tuned_for(summary, chosen, features, workspace)
    example = example_record(params.data.recipe(chosen.kernels[0]))

    def keep(model: ModelEvaluation) -> None:
        for name, figure in draw_model(model, chosen, features, params).items():
            tracker.log_figure(model.run_id, f"figures/{name}.png", figure)
        score = model.scores[chosen.metric]
        # Only the champion of the tuning may become the champion of the registry: the held-out part chooses nothing.
        registered = f"nmr-{task}" if model.is_champion else ""
        predictor = make_predictor(model, summary, features, params)
        tracker.log_model(
            model.run_id,
            ModelRecord(
                predictor,
                predictor.example_row(example),
                registered,
                score.value,
                f"test_{chosen.metric}",
                score.lower,
                score.upper,
                {"task": task, "trial": str(model.study.best_trial)},
            ),
        )

    result = evaluate_task(
        summary,
        features.tables,
        features.labels,
        settings=params.evaluate,
        tracker=tracker,
        datasets=[replace(record, context="test") for record in features.datasets if record.name in chosen.kernels],
        on_model=keep,
    )
    with staged_folder(workspace.evaluated(task)) as folder:
        _write(result, features, params, folder)
    write_json(workspace.metrics(task), _metrics(result), rounded=True)
    return result


def _require_tuned_for(summary: TuneSummary, task: Task, features: FeatureTables, workspace: Workspace) -> None:
    name, path = summary.task_name, workspace.tuned(summary.task_name)
    missing = [study.feature_set for study in summary.studies if study.feature_set not in features.tables]
    if summary.task != task or missing:
        change = f"feature set `{missing[0]}` is gone" if missing else f"task `{name}` has changed"
        message = f"File `{path}` is out of date ({change}); make it again with `dvc repro tune@{name}`."
        raise DataError(message, path=path)


def draw_model(model: ModelEvaluation, task: Task, features: FeatureTables, params: Params) -> dict[str, Figure]:
    """The figures of one model, by name."""
    title = f"{model.study.family} on {model.study.feature_set}"
    top = model.importances.rename(columns={"feature": "name", "impurity": "importance"})
    figures = {
        "importances": _draw_importances(model, features, params, title),
        "top_features": plots.plot_top_importances(top, title=title),
    }
    if isinstance(task, RegressionTask):
        return figures | {"parity": _draw_parity(model, task)}
    return figures | _draw_confusion(model, task, title)


def _draw_parity(model: ModelEvaluation, task: RegressionTask) -> Figure:
    table, score = model.predictions, model.scores["r2"]
    return plots.plot_parity(
        table["true"],
        table["predicted"],
        lower=table["lower"],
        upper=table["upper"],
        name=task.target,
        unit=task.unit,
        score_text=f"R² = {score.value:.3f} [{score.lower:.3f}, {score.upper:.3f}]",
    )


def _draw_confusion(model: ModelEvaluation, task: Task, title: str) -> dict[str, Figure]:
    matrix, bins = model.confusion, model.confusion_bins
    if matrix is None or bins is None:
        return {}
    classes = list(task.class_names)
    by_bin = bins.groupby("bin")
    matrices = [part.pivot_table("n", "true", "predicted").loc[classes, classes].to_numpy() for _, part in by_bin]
    edges = [bins["w_low"].min(), *by_bin["w_high"].first()]
    return {
        "confusion": plots.plot_confusion(matrix.to_numpy(), classes, title=title),
        "confusion_by_w": plots.plot_confusion_by_bin(matrices, edges, classes, title=title),
    }


def _draw_importances(model: ModelEvaluation, features: FeatureTables, params: Params, title: str) -> Figure:
    chosen = next(item for item in params.features.sets if item.name == model.study.feature_set)
    intervals = feature_intervals(
        chosen, echo_index=features.echo_index, step=features.step, n_samples=len(features.mean_echo)
    )
    weights = model.importances.rename(columns={"feature": "name", "impurity": "importance"})
    echo = features.mean_echo[sorted(set(model.predictions["kernel"]))].mean(axis=1)
    return plots.plot_importances_over_echo(
        echo.index.to_numpy(), echo.to_numpy(), intervals.merge(weights, on="name"), title=title
    )


def _write(result: EvaluationResult, features: FeatureTables, params: Params, folder: Path) -> None:
    """Scores of every model; tables and figures of the champion."""
    champion = result.champion
    write_json(folder / "scores.json", _without_runs(result), rounded=True)
    result.table().to_csv(folder / "scores.csv", index=False, float_format="%.6g")
    for name, table in champion.tables().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        table.to_csv(path, index=False, float_format="%.6g")
    for name, figure in draw_model(champion, result.task, features, params).items():
        plots.save(figure, folder / "figures" / f"{name}.png")


def _without_runs(result: EvaluationResult) -> dict[str, Any]:
    """The scores without run identifiers: a repeated run gives the same file."""
    content = result.to_dict()
    for model in content["models"].values():
        del model["run_id"]
    return content


def _metrics(result: EvaluationResult) -> dict[str, Any]:
    champion = result.champion
    scores = {name: score.value for name, score in champion.scores.items()}
    main = champion.scores[result.task.metric]
    return {
        "champion": champion.study.label,
        "cv": champion.study.cv_mean,
        "test": {**scores, f"{result.task.metric}_lower": main.lower, f"{result.task.metric}_upper": main.upper},
        "n_train": result.n_train,
        "n_test": result.n_test,
    }
