"""Stage `evaluate`: score the tuned models of one task on held-out curves, and draw what they do."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform import plots
from nmr_platform.checksums import write_checksums
from nmr_platform.datasets import DataSettings, load_records
from nmr_platform.errors import DataError
from nmr_platform.features import FeaturesSettings, extract
from nmr_platform.files import staged_folder, write_json
from nmr_platform.inference import Conditions, example_records, fit_novelties, make_predictor
from nmr_platform.learning import (
    Bootstrap,
    EvaluateSettings,
    EvaluationResult,
    ModelEvaluation,
    RecordScorer,
    Task,
    TaskTable,
    TuneSummary,
    evaluate_task,
    model_card,
    question_of,
)
from nmr_platform.progress import Bar, progress_bar
from nmr_platform.stages.comparison import compare_importances
from nmr_platform.stages.display import show_folder, this_session, write_model, write_run
from nmr_platform.stages.drawing import draw_model
from nmr_platform.stages.features import FeatureTables, read_features
from nmr_platform.stages.tune import read_tuned, repeating, threads_each
from nmr_platform.studies import closing_storage
from nmr_platform.tracking import HELD_OUT, RunEntry, Tracker
from nmr_platform.workspace import Workspace

__all__ = ["EvaluateParams", "evaluate"]


class EvaluateParams(TaskTable):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        features: What is extracted from it.
        evaluate: How the held-out part is looked at.
    """

    data: DataSettings
    features: FeaturesSettings
    evaluate: EvaluateSettings


def evaluate(
    params: EvaluateParams,
    workspace: Workspace,
    task: str,
    tracker: Tracker,
    *,
    workers: int = 1,
    bar: Bar = progress_bar,
) -> EvaluationResult:
    """Evaluate one task's models; write metrics, tables, figures and the models themselves, and show all of it.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where features and tuned models are, and where results are written.
        task: Name of the task.
        tracker: Where models are shown.
        workers: Processes that share the cores, this one included.
        bar: Shows the progress.

    Raises:
        ConfigurationError: There is no such task.
        DataError: An earlier stage has not run, or ran on other features or for another task.
    """
    chosen = params.task(task)
    features = read_features(workspace)
    summary = read_tuned(workspace, task)
    _require_tuned_for(summary, chosen, features, workspace)
    recipe = params.data.recipe(chosen.kernels[0])
    example, acquisition = example_records(recipe), Conditions.of_records(recipe)
    recipes = {kernel: params.data.recipe(kernel) for kernel in chosen.kernels}
    digests = {entry.name: entry.digest for entry in features.datasets}
    novelties = fit_novelties(summary, features.tables, features.labels)
    feature_sets = {item.name: item for item in params.features.sets}
    settings = params.evaluate.replace(n_jobs=threads_each(params.evaluate.n_jobs, workers))
    with (
        bar(f"evaluate {task}", len(summary.studies), "models") as advance,
        staged_folder(workspace.evaluated(task)) as staging,
    ):
        card = partial(model_card, summary=summary, recipes=recipes, digests=digests, settings=params.evaluate)

        def write(evaluated: ModelEvaluation) -> None:
            model = _with_robustness(evaluated, chosen, features, params, workspace)
            folder, name = staging / model.study.label, model.study.feature_set
            _write(model, summary, features, params, folder)
            predictor = make_predictor(
                model, novelties[name], summary, feature_sets[name], acquisition, params.evaluate.coverage
            )
            write_model(folder, predictor, example, _facts(model, summary), card(model))
            advance(1)

        result = evaluate_task(summary, features.tables, features.labels, settings=settings, on_model=write)
        compare_importances(result, summary, features, params, staging)
        for model in result.models:
            write_checksums(staging / model.study.label)
        write_json(staging / "scores.json", result.to_dict(), rounded=True)
        result.table().to_csv(staging / "scores.csv", index=False, float_format="%.6g")
        write_checksums(staging)
    write_json(workspace.metrics(task), _metrics(result), rounded=True)
    session = this_session(tracker, workspace.root)
    with closing_storage(workspace.studies) as storage:
        for model in result.models:
            # A patch may be long, and one that makes the champion again makes the others too.
            kept = session if model.is_champion else replace(session, patch="")
            show_folder(workspace.evaluated(task) / model.study.label, tracker, storage, kept)
    return result


def _write(
    model: ModelEvaluation, summary: TuneSummary, features: FeatureTables, params: EvaluateParams, folder: Path
) -> None:
    """Write numbers, tables and figures of one model."""
    tags = {"study": model.study.study_name, "disorder": summary.disorder}
    datasets = [replace(entry, context=HELD_OUT) for entry in features.datasets if entry.name in summary.task.kernels]
    run = RunEntry(summary.task_name, model.study.run_name, tags=tags, datasets=datasets)
    write_run(folder, run, model.metrics())
    for name, table in model.tables().items():
        (folder / name).parent.mkdir(exist_ok=True)
        table.to_csv(folder / name, index=False, float_format="%.6g")
    for name, figure in draw_model(model, summary.task, features, params).items():
        plots.save(figure, folder / "figures" / f"{name}.png")


def _facts(model: ModelEvaluation, summary: TuneSummary) -> dict[str, Any]:
    """What the registry shall know of a model."""
    score = model.scores[summary.task.metric]
    return {
        # Only the champion of the tuning may become the champion of the registry: the held-out part chooses nothing.
        "registered_name": f"nmr-{summary.task_name}" if model.is_champion else "",
        "score": score.value,
        "metric": f"test_{summary.task.metric}",
        "lower": score.lower,
        "upper": score.upper,
        "tags": {"task": summary.task_name, "trial": str(model.study.best_trial)},
        "question": question_of(summary.task),
    }


def _require_tuned_for(summary: TuneSummary, task: Task, features: FeatureTables, workspace: Workspace) -> None:
    name, path = summary.task_name, workspace.tuned(summary.task_name)
    missing = [study.feature_set for study in summary.studies if study.feature_set not in features.tables]
    if summary.task != task or missing:
        change = f"feature set `{missing[0]}` is gone" if missing else f"task `{name}` has changed"
        message = f"File `{path}` is out of date ({change}); make it again with `{repeating('tune', name)}`."
        raise DataError(message, path=path)


def _with_robustness(
    model: ModelEvaluation, task: Task, features: FeatureTables, params: EvaluateParams, workspace: Workspace
) -> ModelEvaluation:
    """The champion with its scores on noisy records and on other lattices."""
    settings = params.evaluate
    if not model.is_champion or model.estimator is None or not (settings.noise or settings.lattice_shapes):
        return model
    chosen = next(item for item in params.features.sets if item.name == model.study.feature_set)
    scorer = RecordScorer(
        task,
        model.estimator,
        partial(extract, feature_set=chosen, acquisition=features.acquisition),
        Bootstrap(settings.n_resamples, settings.confidence, settings.seed),
    )
    extras = dict(model.extras)
    if settings.noise:
        labels = features.labels.merge(model.predictions[["kernel", "curve"]], on=["kernel", "curve"])
        extras["noise"] = scorer.against_noise(_records(labels, workspace), labels, settings.noise, seed=settings.seed)
    if settings.lattice_shapes:
        recipes = [
            params.data.recipe(kernel).replace(seed=settings.lattice_seed + number, n_curves=settings.lattice_curves)
            for number, kernel in enumerate(task.kernels)
        ]
        extras["lattice"] = scorer.against_lattice(recipes, settings.lattice_shapes)
    return replace(model, extras=extras)


def _records(labels: pd.DataFrame, workspace: Workspace) -> dict[str, NDArray[np.complex64]]:
    """Raw records of some curves by name, each (n, T), in the order of ``labels``, whose kernels follow each other."""
    parts: dict[str, list[NDArray[np.complex64]]] = {}
    for kernel, rows in labels.groupby("kernel", sort=False):
        for name, dataset in load_records(workspace.simulated(str(kernel))).items():
            place = pd.Index(dataset["curve"].to_numpy()).get_indexer(pd.Index(rows["curve"]))
            parts.setdefault(name, []).append(dataset["m"].to_numpy()[place])
    return {name: np.concatenate(own) for name, own in parts.items()}


def _metrics(result: EvaluationResult) -> dict[str, Any]:
    """The same few names for every task, so that `dvc metrics show` is a table; all scores are in the results."""
    champion = result.champion
    main = champion.scores[result.task.metric]
    return {
        "champion": champion.study.label,
        "score": main.value,
        "lower": main.lower,
        "upper": main.upper,
        "cv": champion.study.cv_mean,
        "n_train": result.n_train,
        "n_test": result.n_test,
    }
