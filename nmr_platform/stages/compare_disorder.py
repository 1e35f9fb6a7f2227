"""Stage `compare_disorder`: one study on fresh and on frozen disorder, side by side."""

import pandas as pd

from nmr_platform.checksums import write_checksums
from nmr_platform.datasets import DataSettings
from nmr_platform.errors import ConfigurationError
from nmr_platform.features import FeaturesSettings, extract
from nmr_platform.files import staged_folder, write_json
from nmr_platform.learning import (
    Bootstrap,
    DisorderComparisonSettings,
    EvaluateSettings,
    RegressionTask,
    SplitSettings,
    TuneSettings,
    new_curves,
)
from nmr_platform.learning import compare_disorder as compare
from nmr_platform.schema import Schema
from nmr_platform.stages.features import read_features
from nmr_platform.workspace import Workspace

__all__ = ["DisorderParams", "compare_disorder"]


class DisorderParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        features: What is extracted from it.
        split: What is held out.
        tune: How models are searched.
        evaluate: How the held-out part is looked at.
        disorder_comparison: How fresh disorder is compared with frozen.
    """

    data: DataSettings
    features: FeaturesSettings
    split: SplitSettings
    tune: TuneSettings
    evaluate: EvaluateSettings
    disorder_comparison: DisorderComparisonSettings


def compare_disorder(params: DisorderParams, workspace: Workspace) -> pd.DataFrame:
    """Simulate the counterpart of a kernel's data set that has the other disorder, compare, and write the table.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where the features are, and where the table is written.

    Returns:
        What `nmr_platform.learning.compare_disorder` returns; the scores are R2, dimensionless.

    Raises:
        ConfigurationError: There is no such feature set.
        DataError: The features are not there yet.
    """
    settings = params.disorder_comparison
    features = read_features(workspace)
    chosen = next((item for item in params.features.sets if item.name == settings.feature_set), None)
    if chosen is None or chosen.name not in features.tables:
        message = (
            f"Key `disorder_comparison.feature_set` must be one of {', '.join(features.tables)}, "
            f"but is {settings.feature_set!r}."
        )
        raise ConfigurationError(message, key="disorder_comparison.feature_set", value=settings.feature_set)
    rows = (features.labels["kernel"] == settings.kernel) & (features.labels["curve"] < settings.n_curves)
    labels = features.labels.loc[rows].reset_index(drop=True)
    other = "frozen" if params.data.disorder == "fresh" else "fresh"
    recipe = params.data.recipe(settings.kernel).replace(seed=settings.seed, n_curves=len(labels), disorder=other)
    m, other_labels = new_curves([recipe])
    data = {
        params.data.disorder: (features.tables[chosen.name].loc[rows].reset_index(drop=True), labels),
        other: (extract(m, chosen, features.acquisition), other_labels),
    }
    table = compare(
        {"fresh": data["fresh"], "frozen": data["frozen"]},
        {target: RegressionTask(target=target, kernels=(settings.kernel,)) for target in settings.targets},
        split=params.split,
        n_estimators=settings.n_estimators,
        bootstrap=Bootstrap(params.evaluate.n_resamples, params.evaluate.confidence, params.evaluate.seed),
        seed=params.tune.seed,
    )
    with staged_folder(workspace.disorder) as folder:
        table.to_csv(folder / "scores.csv", index=False, float_format="%.6g")
        write_checksums(folder)
    write_json(workspace.metrics("disorder"), _metrics(table), rounded=True)
    return table


def _metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """R2 by task and pair, for instance ``frozen_on_fresh``: trained on frozen, tested on fresh disorder."""
    metrics: dict[str, dict[str, float]] = {}
    for row in table.itertuples():
        metrics.setdefault(str(row.task), {})[f"{row.trained_on}_on_{row.tested_on}"] = float(str(row.value))
    return metrics
