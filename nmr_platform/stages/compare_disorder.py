"""Stage `compare_disorder`: one study on fresh and on frozen disorder, side by side."""

import pandas as pd

from nmr_platform.config import Params
from nmr_platform.errors import DataError
from nmr_platform.features import extract
from nmr_platform.learning.bootstrap import Bootstrap
from nmr_platform.learning.disorder import compare_disorder as compare
from nmr_platform.learning.fresh_curves import new_curves
from nmr_platform.learning.tasks import RegressionTask
from nmr_platform.stages.features import read_features
from nmr_platform.stages.files import staged_folder, write_json
from nmr_platform.stages.workspace import Workspace

__all__ = ["compare_disorder"]


def compare_disorder(params: Params, workspace: Workspace) -> pd.DataFrame:
    """Simulate a frozen counterpart of a kernel's data set, compare, and write the table; return it.

    Raises:
        DataError: The features are not there yet, lack the feature set, or are of frozen disorder themselves.
    """
    settings = params.disorder_comparison
    features = read_features(workspace)
    if settings.feature_set not in features.tables or params.data.disorder != "fresh":
        needs = f"features `{settings.feature_set}` of fresh disorder"
        message = f"The comparison needs {needs}; see `features.sets` and `data.disorder` in params.yaml."
        raise DataError(message, path=workspace.features)
    chosen = next(item for item in params.features.sets if item.name == settings.feature_set)
    own = (features.labels["kernel"] == settings.kernel) & (features.labels["curve"] < settings.n_curves)
    fresh = (
        features.tables[settings.feature_set].loc[own].reset_index(drop=True),
        features.labels.loc[own].reset_index(drop=True),
    )
    recipe = params.data.recipe(settings.kernel).replace(seed=settings.seed, n_curves=len(fresh[1]), disorder="frozen")
    m, labels = new_curves([recipe])
    frozen = (extract(m, chosen, echo_index=features.echo_index, step=features.step, n_sites=features.n_sites), labels)
    tasks = {target: RegressionTask(target=target, kernels=(settings.kernel,)) for target in settings.targets}
    table = compare(
        {"fresh": fresh, "frozen": frozen},
        tasks,
        split=params.split,
        n_estimators=settings.n_estimators,
        bootstrap=Bootstrap(params.evaluate.n_resamples, params.evaluate.confidence, params.evaluate.seed),
        seed=params.tune.seed,
    )
    with staged_folder(workspace.disorder) as folder:
        table.to_csv(folder / "scores.csv", index=False, float_format="%.6g")
    write_json(workspace.metrics("disorder"), _metrics(table), rounded=True)
    return table


def _metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """R2 by task and pair, for instance ``frozen_on_fresh``: trained on frozen, tested on fresh disorder."""
    metrics: dict[str, dict[str, float]] = {}
    for row in table.itertuples():
        metrics.setdefault(str(row.task), {})[f"{row.trained_on}_on_{row.tested_on}"] = float(str(row.value))
    return metrics
