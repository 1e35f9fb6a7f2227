"""What a network uses of the records, beside what the other families use of the same features."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nmr_platform import plots
from nmr_platform.learning import EvaluationResult, ModelEvaluation, TuneSummary, agreement, importance_by_place
from nmr_platform.stages.features import FeatureTables

if TYPE_CHECKING:
    from nmr_platform.stages.evaluate import EvaluateParams

__all__ = ["compare_importances"]

_SHOWN = 3


def compare_importances(
    result: EvaluationResult, summary: TuneSummary, features: FeatureTables, params: "EvaluateParams", folder: Path
) -> None:
    """Add to the folder of every network, where other families learnt from its features, a table and figures.

    The table ``agreement`` has a row for each of the others; the figures show the best three of them, by
    cross-validation, over the mean echo of each record.

    Args:
        result: All models of the task.
        summary: What tuning left behind.
        features: The feature tables, with the mean echo and its times in us.
        params: What the stage `evaluate` reads of params.yaml.
        folder: Of the task's results.
    """
    for model in result.models:
        if not summary.tune.family(model.study.family).is_compared:
            continue
        others = [each for each in result.models if each.study.feature_set == model.study.feature_set]
        others = sorted((each for each in others if each is not model), key=lambda each: -each.study.cv_mean)
        if others:
            _compare(model, others, features, params, folder / model.study.label)


def _compare(
    model: ModelEvaluation,
    others: list[ModelEvaluation],
    features: FeatureTables,
    params: "EvaluateParams",
    folder: Path,
) -> None:
    chosen = next(item for item in params.features.sets if item.name == model.study.feature_set)
    intervals = chosen.intervals(features.acquisition)
    importances = {each.study.family: each.importances.set_index("feature")["impurity"] for each in (model, *others)}
    places = {family: importance_by_place(intervals, each) for family, each in importances.items()}
    name = model.study.family
    table = pd.DataFrame(
        [{"family": other, **agreement(places[name], places[other])} for other in places if other != name]
    )
    table.to_csv(folder / "tables" / "agreement.csv", index=False, float_format="%.6g")
    overlap = dict(zip(table["family"], table["overlap"], strict=True))
    shown = list(importances)[: 1 + _SHOWN]
    kernels = sorted(set(model.predictions["kernel"]))
    for record, mean_echo in features.mean_echo.items():
        own = intervals[(intervals["record"] == record) & (intervals["axis"] == "time")]
        if own.empty:
            continue
        labels = {each: f"{each}\n({overlap[each]:.0%} as {name})" if each != name else name for each in shown}
        panels = {labels[each]: own.assign(importance=own["name"].map(importances[each])) for each in shown}
        echo, what = mean_echo[kernels].mean(axis=1), f"importances on {model.study.feature_set}"
        drawn = plots.plot_importances_beside(
            echo.index.to_numpy(), echo.to_numpy(), panels, title=f"{record}: {what}" if record else what
        )
        ending = f"_{record}" if record else ""
        plots.save(drawn, folder / "figures" / f"importances_beside{ending}.png")
