"""The card of a model: what whoever meets it in a registry must know before they use it."""

from collections.abc import Iterator, Mapping
from typing import Any

from nmr_platform.datasets import Recipe
from nmr_platform.learning.evaluation.bootstrap import Score
from nmr_platform.learning.evaluation.results import ModelEvaluation
from nmr_platform.learning.settings import EvaluateSettings
from nmr_platform.learning.tasks import METRICS, Task, question_of
from nmr_platform.learning.tuning import TuneSummary

__all__ = ["model_card"]

_SCORE_NAMES: dict[str, str] = {
    **{str(name): label for name, label in METRICS.items()},
    "rmse": "root mean square error",
    "mae": "mean absolute error",
    "energy": "energy score, in units of the training curves' spread",
    "prior_energy": "the same without a record",
    "width": "mean width of the prediction intervals",
    "brier": "Brier score",
    "log_loss": "log loss",
    "ece": "calibration error",
}
_IN_UNITS = {"rmse", "mae", "width", "crps", "prior_crps"}
_DIGITS = 12


def model_card(
    model: ModelEvaluation,
    summary: TuneSummary,
    recipes: Mapping[str, Recipe],
    digests: Mapping[str, str],
    settings: EvaluateSettings,
) -> str:
    """The card of an evaluated model, in Markdown.

    Args:
        model: The model on the held-out part.
        summary: What tuning left behind.
        recipes: What the curves of each kernel were drawn from.
        digests: Digest of each kernel's data set.
        settings: How the held-out part was looked at.
    """
    task, study = summary.task, model.study
    sections = {
        f"{study.family} on {study.feature_set}": [f"It answers: {question_of(task)}."],
        "Data": list(_data(task, recipes, digests)),
        "Protocol": list(_protocol(model, summary)),
        "Scores": list(_scores(model.scores, task, settings)),
        "Where it fails": list(_bins(model, task)),
        "Limits": list(_limits(model, task, recipes)),
        "Licence": ["MIT, as the package that made it."],
    }
    return "\n\n".join("\n".join([f"## {title}", "", *lines]) for title, lines in sections.items()) + "\n"


def _data(task: Task, recipes: Mapping[str, Recipe], digests: Mapping[str, str]) -> Iterator[str]:
    for kernel in task.kernels:
        recipe = recipes[kernel]
        shape = " x ".join(str(length) for length in recipe.example.lattice.shape)
        measured = ", then ".join(str(each.sequence) for each in recipe.examples.values())
        drawn = "; ".join(f"{name} {_in_words(each.model_dump(mode='json'))}" for name, each in recipe.prior.items())
        yield (
            f"* `{kernel}` (digest `{digests[kernel][:_DIGITS]}`): {recipe.n_curves} simulated curves of {shape} "
            f"spins, {recipe.disorder} disorder, measured by {measured}; drawn: {drawn}."
        )


def _in_words(distribution: dict[str, Any]) -> str:
    kind = distribution.pop("kind")
    return f"{kind} ({', '.join(f'{name} {value}' for name, value in distribution.items() if value is not None)})"


def _protocol(model: ModelEvaluation, summary: TuneSummary) -> Iterator[str]:
    study, n_test = model.study, next(iter(model.scores.values())).n
    chosen = "the best" if model.is_champion else "one"
    yield (
        f"{summary.n_train} curves for training, {n_test} held out, which neither the search nor the fit has seen. "
        f"Trial {study.best_trial} of {study.n_trials + study.n_pruned + study.n_failed} in its study, {chosen} of "
        f"{len(summary.studies)} studies by cross-validation in {len(study.cv_folds)} folds "
        f"({METRICS[summary.task.metric]} {study.cv_mean:.3f}, standard deviation over the folds {study.cv_std:.3f}); "
        "fitted again on all training curves."
    )
    if summary.disorder == "frozen":
        yield "All curves share one disorder: scores hold for that one only."


def _scores(scores: Mapping[str, Score], task: Task, settings: EvaluateSettings) -> Iterator[str]:
    yield f"| held-out score | value | {100 * settings.confidence:g} % interval |"
    yield "|---|---|---|"
    for told, score in scores.items():
        ending = next((each for each in task.parts if each and told.endswith(each)), "")
        name, unit = told.removesuffix(ending), task.parts[ending].unit if ending in task.parts else ""
        unit = f" ({unit})" if name in _IN_UNITS and unit else ""
        label = _SCORE_NAMES.get(name, name)
        if name == "coverage":
            label = f"share of the truth in {100 * settings.coverage:g} % prediction intervals"
        label = f"{task.parts[ending].target}: {label}" if ending else label
        yield f"| {label}{unit} | {score.value:.4g} | {score.lower:.4g} to {score.upper:.4g} |"


def _bins(model: ModelEvaluation, task: Task) -> Iterator[str]:
    """Scores by bin of W; those of errors rather than of R2, which compares with the spread inside a bin."""
    metric = task.metric if task.class_names else "rmse" if "" in task.parts else "energy"
    rows = model.bins[model.bins["metric"] == metric]
    worst = rows["value"].idxmin() if task.class_names else rows["value"].idxmax()
    unit = f" ({task.unit})" if metric in _IN_UNITS and task.unit else ""
    yield f"| W (MHz) | {_SCORE_NAMES[metric]}{unit} | interval | curves |"
    yield "|---|---|---|---|"
    for place, row in rows.iterrows():
        mark = " (worst)" if place == worst and len(rows) > 1 else ""
        yield (
            f"| {row['w_low']:.3g} to {row['w_high']:.3g} | {row['value']:.4g}{mark} | "
            f"{row['lower']:.4g} to {row['upper']:.4g} | {row['n']:.0f} |"
        )


def _limits(model: ModelEvaluation, task: Task, recipes: Mapping[str, Recipe]) -> Iterator[str]:
    steps = ", ".join(sorted({f"{each.step:.4g}" for recipe in recipes.values() for each in recipe.examples.values()}))
    yield (
        f"It knows the kernels {', '.join(task.kernels)}, the sequences above, a time step of {steps} us, and values "
        "inside what was drawn; outside of it, an answer is an extrapolation. `nmr predict` refuses records that it "
        "was not made for, and says which it finds unlike its training curves."
    )
    for name, what in {"noise": "noise of each component of M", "lattice": "other lattices (number of spins)"}.items():
        if name not in model.extras:
            continue
        rows = model.extras[name]
        rows = rows[rows["metric"] == task.metric]
        axis = "sigma" if name == "noise" else "n_spins"
        told = ", ".join(f"{value:.3g} at {at:.4g}" for at, value in zip(rows[axis], rows["value"], strict=True))
        yield f"{METRICS[task.metric]} against {what}: {told}."
