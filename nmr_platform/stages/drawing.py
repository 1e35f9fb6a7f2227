"""The figures of one evaluated model."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.learning import ModelEvaluation, RegressionTask, Task
from nmr_platform.stages.features import FeatureTables

if TYPE_CHECKING:
    from nmr_platform.stages.evaluate import EvaluateParams

__all__ = ["draw_model"]

_METRICS = {"r2": "R² of held-out curves", "f1_weighted": "weighted F1 of held-out curves"}


def draw_model(
    model: ModelEvaluation, task: Task, features: FeatureTables, params: "EvaluateParams"
) -> dict[str, Figure]:
    """The figures of one model, by name; of the champion there are more.

    Args:
        model: The model on the held-out part.
        task: What it predicts.
        features: The feature tables, with the mean echo and its times in us.
        params: What the stage `evaluate` reads of params.yaml.
    """
    title = f"{model.study.family} on {model.study.feature_set}"
    top = model.importances.rename(columns={"feature": "name", "impurity": "importance"})
    figures = _draw_importances(model, features, params, title)
    figures["top_features"] = plots.plot_top_importances(top, title=title)
    figures |= {f"parity{ending}": _draw_parity(model, part, ending) for ending, part in task.parts.items()}
    figures |= _draw_confusion(model, task, title)
    return figures | _draw_extras(model, task, params, title)


def _draw_parity(model: ModelEvaluation, task: RegressionTask, ending: str) -> Figure:
    table, score = model.predictions, model.scores[f"r2{ending}"]
    return plots.plot_parity(
        table[f"true{ending}"],
        table[f"predicted{ending}"],
        lower=table.get(f"lower{ending}"),
        upper=table.get(f"upper{ending}"),
        name=task.target,
        unit=task.unit,
        score_text=f"R² = {score.value:.3f} [{score.lower:.3f}, {score.upper:.3f}]",
        curves=[f"{kernel} {curve}" for kernel, curve in zip(table["kernel"], table["curve"], strict=True)],
    )


def _draw_confusion(model: ModelEvaluation, task: Task, title: str) -> dict[str, Figure]:
    matrix, bins = model.confusion, model.confusion_bins
    if matrix is None or bins is None:
        return {}
    classes = list(task.class_names)
    by_bin = bins.groupby("bin")
    matrices = [
        part.pivot(index="true", columns="predicted", values="n").loc[classes, classes].to_numpy() for _, part in by_bin
    ]
    edges = [bins["w_low"].min(), *by_bin["w_high"].first()]
    return {
        "confusion": plots.plot_confusion(matrix.to_numpy(), classes, title=title),
        "confusion_by_w": plots.plot_confusion_by_bin(matrices, edges, classes, title=title),
    }


def _draw_importances(
    model: ModelEvaluation, features: FeatureTables, params: "EvaluateParams", title: str
) -> dict[str, Figure]:
    """Importances over the mean echo of each record, and as bars for polynomial features; SHAP values likewise.

    What all records make together lies over none of them, and is seen among the top features alone.
    """
    chosen = next(item for item in params.features.sets if item.name == model.study.feature_set)
    intervals = chosen.intervals(features.acquisition)
    kernels, drawn = sorted(set(model.predictions["kernel"])), {}
    for name, column in {"importances": "impurity", "shap": "shap"}.items():
        if column not in model.importances:
            continue
        weights = model.importances.rename(columns={"feature": "name", column: "importance"})
        placed = intervals.merge(weights[["name", "importance"]], on="name")
        what = f"{title}: {'mean |SHAP value|' if column == 'shap' else 'importance in the fit'}"
        for record, mean_echo in features.mean_echo.items():
            own, ending = placed[placed["record"] == record], f"_{record}" if record else ""
            if own.empty:
                continue
            echo, heading = mean_echo[kernels].mean(axis=1), f"{record}: {what}" if record else what
            drawn[f"{name}{ending}"] = plots.plot_importances_over_echo(
                echo.index.to_numpy(), echo.to_numpy(), own, title=heading
            )
            if own["power"].notna().all():
                drawn[f"{name}_by_power{ending}"] = plots.plot_polynomial_bars(own, title=heading)
    return drawn


def _draw_extras(model: ModelEvaluation, task: Task, params: "EvaluateParams", title: str) -> dict[str, Figure]:
    """How the champion's score depends on what, and whether its uncertainties are true."""
    extras, metric, score = model.extras, task.metric, model.scores[task.metric].value
    drawn: dict[str, Figure] = {}
    axes = {
        "learning_curve": ("n_train", "training curves (number)", True, None),
        "noise": ("sigma", "noise of each component of M (ħ per spin)", True, None),
        "lattice": ("n_spins", "spins of the lattice (number)", True, score),
    }
    for name, (x, label, logarithmic, reference) in axes.items():
        if name in extras:
            rows = _only(extras[name], metric)
            # One point is no picture; the report says it in a sentence.
            if rows[x].nunique() < 2:
                continue
            drawn[name] = plots.plot_score_against(
                rows.drop(columns="metric"),
                x,
                xlabel=label,
                ylabel=_METRICS[metric],
                logarithmic=logarithmic,
                reference=reference,
                title=title,
            )
    if "scores_by_exponent" in extras:
        by_exponent = extras["scores_by_exponent"]
        middle = (by_exponent["exponent_low"] + by_exponent["exponent_high"]) / 2
        if middle.nunique() > 1:
            drawn["scores_by_exponent"] = plots.plot_score_against(
                by_exponent.assign(middle=middle), "middle", xlabel="exponent (number)", ylabel="score", title=title
            )
    if "reliability" in extras:
        text = f"calibration error {100 * model.scores['ece'].value:.1f} %"
        drawn["reliability"] = plots.plot_reliability(extras["reliability"], text=text, title=title)
    drawn |= _draw_posterior(model, task, title)
    for ending in task.parts:
        if f"coverage{ending}" in model.scores:
            drawn[f"coverage{ending}"] = plots.plot_coverage_by_bin(
                _only(model.bins, f"coverage{ending}"), nominal=params.evaluate.coverage, title=f"{title}{_of(ending)}"
            )
    return drawn


def _draw_posterior(model: ModelEvaluation, task: Task, title: str) -> dict[str, Figure]:
    """Whether posteriors mean what they say, if the model has any."""
    if "expected_coverage" not in model.extras:
        return {}
    drawn = {"expected_coverage": plots.plot_expected_coverage(model.extras["expected_coverage"], title=title)}
    for ending, part in task.parts.items():
        posterior, prior = (_only(model.bins, f"{name}{ending}") for name in ("crps", "prior_crps"))
        whose = f"{title}{_of(ending)}"
        drawn[f"crps{ending}"] = plots.plot_crps(posterior, prior, unit=part.unit, title=whose)
        drawn[f"ranks{ending}"] = plots.plot_ranks(model.extras[f"ranks{ending}"], title=whose)
    if "corner" in model.extras:
        units = {part.target: part.unit for part in task.parts.values()}
        drawn["corner"] = plots.plot_corner(model.extras["corner"], units, title=f"{title}: a typical posterior")
    return drawn


def _of(ending: str) -> str:
    """What a title says of the target of a joint task."""
    return f": {ending[1:]}" if ending else ""


def _only(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    return table[table["metric"] == metric]
