"""Optuna's own pictures of a study, as matplotlib figures."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial

from nmr_platform.studies.sampler import OUTSIDE
from nmr_platform.studies.trials import finished_trials, score_of

if TYPE_CHECKING:
    # For type checkers only: a command that lists studies does not wait for figures.
    from matplotlib.figure import Figure

__all__ = ["draw_study"]

# Importances come from a forest fitted to the trials; with fewer they say nothing, and take longer than the trials.
_FEWEST_TRIALS = 10
_CONTOUR_PARAMS = 3


def draw_study(study: Study, label: str = "score") -> "dict[str, Figure]":
    """Draw the history, the timeline, the importances of the parameters and contours of the most important ones.

    Importances and contours need a few finished trials of different scores, and parameters that were varied. A study
    with two objectives also gets its Pareto front.

    Args:
        study: The study.
        label: What its score is called.
    """
    import matplotlib  # noqa: PLC0415

    finished = finished_trials(study)
    pair = len(study.directions) > 1
    target = {"target": score_of, "target_name": label}
    pictures: dict[str, Callable[[], Any]] = {}
    plots = optuna.visualization.matplotlib
    if finished:
        pictures["history"] = lambda: plots.plot_optimization_history(study, **target)
        pictures["timeline"] = lambda: plots.plot_timeline(study)
    if pair and finished:
        pictures["front"] = lambda: plots.plot_pareto_front(study, target_names=[label, "cost"])
    searched = [trial for trial in finished if OUTSIDE not in trial.user_attrs]
    varied = _varied(searched)
    if varied and len(finished) >= _FEWEST_TRIALS and len({score_of(trial) for trial in searched}) > 1:
        importances = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=varied, target=score_of
        )
        pictures["parameter_importances"] = lambda: plots.plot_param_importances(
            study, evaluator=_known(importances), params=varied, **target
        )
        if len(varied) > 1:
            chosen = list(importances)[:_CONTOUR_PARAMS]
            pictures["contour"] = lambda: plots.plot_contour(study, params=chosen, **target)
    # Optuna sets a style for the whole process, which would turn every later figure grey.
    with warnings.catch_warnings(), matplotlib.rc_context():
        # Optuna says of its matplotlib pictures that they are experimental, and matplotlib that they do not fit.
        warnings.simplefilter("ignore")
        return {name: _finished(draw()) for name, draw in pictures.items()}


def _known(importances: dict[str, float]) -> Any:
    """An evaluator of importances that are known already: to compute them again takes longer than to draw them."""

    # Made here, for the base class brings scikit-learn along.
    class Known(optuna.importance.BaseImportanceEvaluator):  # type: ignore[misc, unused-ignore]
        def evaluate(self, *_: object, **__: object) -> dict[str, float]:
            return importances

    return Known()


def _varied(trials: list[FrozenTrial]) -> list[str]:
    """Parameters that every one of some trials has, with more than one value."""
    names = set.intersection(*(set(trial.params) for trial in trials)) if trials else set()
    return sorted(name for name in names if len({trial.params[name] for trial in trials}) > 1)


def _finished(drawn: Any) -> "Figure":
    """The figure of one axes or an array of them, no longer held by pyplot."""
    from matplotlib import pyplot  # noqa: PLC0415

    axes = drawn.flat[0] if hasattr(drawn, "flat") else drawn
    figure: Figure = axes.figure
    pyplot.close(figure)
    return figure
