"""Views of an experiment's page that the platform installs, and their addresses.

MLflow 3.17 keeps a view that people share as a tag of the experiment, a compressed state of the page. That is a format
of its own and no interface: tests/browser opens every view by its address.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mlflow import MlflowClient
from mlflow.entities import Run

from nmr_platform.tracking.mlflow.scores import PARENT, best_trial, main_metric, trials_of

__all__ = ["PageLink", "View", "experiment_page", "install_views", "page_links", "views_of"]

_TAG = "mlflow.sharedViewState."
# Without it, the pages open on chat models wherever nobody has chosen otherwise.
_KIND = {"workflowType": "machine_learning"}
_TABLE, _CHARTS = "TABLE", "CHART"

# What parents alone have: MLflow's searches cannot ask for the lack of a tag.
_PARENTS = "metrics.n_trials > 0"
_MOST_COLUMNS = 24
_RUN_NAME = "attributes.`Run Name`"
_NAME_WIDTH = 340
_GRID_HEIGHT = 800
_SCORE_FORMS = ("", "_lower", "_upper")
# Pictures that tell most of a study, by its main score; see `artifacts.COMPARED`.
_PICTURES = {"r2": ("parity", "importances", "history"), "": ("verdict", "sequence", "history")}
_PICTURES_OF_CLASSES = ("confusion", "importances", "history")


@dataclass(frozen=True)
class View:
    """A view of an experiment's page.

    Attributes:
        key: Its name in addresses.
        name: Its name for people.
        state: What MLflow keeps of a page: search, order, columns, charts.
        mode: ``TABLE`` or ``CHART``.
    """

    key: str
    name: str
    state: Mapping[str, Any]
    mode: str = _TABLE

    def tag(self, created: int) -> tuple[str, str]:
        """Name and value of the experiment's tag that holds the view.

        Args:
            created: When the experiment was made, milliseconds since the epoch; the view is as old.
        """
        state = base64.b64encode(zlib.compress(json.dumps(self.state).encode())).decode()
        envelope = {"name": self.name, "createdAt": created, "updatedAt": created, "state": f"deflate;{state}"}
        return f"{_TAG}{self.key}", json.dumps(envelope)


@dataclass(frozen=True)
class PageLink:
    """An address that opens a view.

    Attributes:
        experiment: Name of the experiment.
        view: Name of the view.
        address: The address.
    """

    experiment: str
    view: str
    address: str

    def __str__(self) -> str:
        return f"{self.experiment}, {self.view}: {self.address}"


def install_views(client: MlflowClient, experiment: str) -> None:
    """Install the views of an experiment; those that are there as they shall be are not written again.

    Args:
        client: The open store.
        experiment: Identifier of the experiment.
    """
    found, parents = client.get_experiment(experiment), client.search_runs([experiment], _PARENTS)
    for view in views_of(parents, _best_of_all(client, parents)):
        name, value = view.tag(found.creation_time)
        if found.tags.get(name) != value:
            client.set_experiment_tag(experiment, name, value)


def views_of(parents: Sequence[Run], best: Run | None) -> Iterator[View]:
    """The views that fit what an experiment's studies have measured.

    Args:
        parents: The studies.
        best: The best trial of the best of them; None if there is none.
    """
    measured = {name for run in parents for name in run.data.metrics}
    metric = main_metric(measured)
    score = f"test_{metric}" if metric and f"test_{metric}" in measured else "best_score"
    yield _table("leaderboard", "leaderboard", _PARENTS, score, _leaders(measured, metric))
    if best is not None:
        parent = next(run for run in parents if run.info.run_id == best.data.tags[PARENT])
        key, name = ("trials", "trials of the best study") if metric else ("pulse-search", "pulse search")
        yield _table(key, name, trials_of(parent), f"cv_{metric}" if metric else "score", _tried(parent, best, metric))
    yield _charts("pictures", "curves and pictures", score, _PICTURES.get(metric, _PICTURES_OF_CLASSES))


def page_links(client: MlflowClient, pages: str) -> list[PageLink]:
    """Addresses of all installed views, experiments in alphabetical order.

    Args:
        client: The open store.
        pages: Address of MLflow's pages, for instance ``http://127.0.0.1:5000``.
    """
    links = []
    for found in sorted(client.search_experiments(), key=lambda each: str(each.name)):
        for key in _MODES:
            if held := found.tags.get(f"{_TAG}{key}"):
                page = f"{pages}/{experiment_page(found.experiment_id, key)}"
                links.append(PageLink(found.name, json.loads(held)["name"], page))
    return links


def experiment_page(experiment: str, key: str) -> str:
    """Address of a view, below that of MLflow's pages.

    Args:
        experiment: Identifier of the experiment.
        key: The view's `View.key`.
    """
    asked = {"viewStateShareKey": key, "compareRunsMode": _MODES[key], **_KIND}
    return f"#/experiments/{experiment}/runs?{urlencode(asked)}"


_MODES = {"leaderboard": _TABLE, "trials": _TABLE, "pulse-search": _TABLE, "pictures": _CHARTS}


def _best_of_all(client: MlflowClient, parents: Sequence[Run]) -> Run | None:
    """The best trial of the study of largest score; None if no trial has one."""
    scored = [run for run in parents if "best_score" in run.data.metrics]
    best = max(scored, key=lambda run: float(run.data.metrics["best_score"]), default=None)
    return None if best is None else best_trial(client, best)


def _leaders(measured: Iterable[str], metric: str) -> list[str]:
    """Columns of the leaderboard that there is something to show in."""
    scores = [f"test_{metric}{form}" for form in _SCORE_FORMS] + [f"cv_{metric}", f"cv_{metric}_std"]
    verdicts = sorted(name for name in measured if name.startswith("verdict_") and "." not in name)
    wanted = scores if metric else ["best_score", "baseline_score", *verdicts]
    wanted += ["n_trials", "n_pruned", "n_failed", "search_seconds"]
    settings = ["params.`family`", "params.`feature_set`", "params.`n_features`"] if metric else []
    return [f"metrics.`{name}`" for name in wanted if name in set(measured)] + settings


def _tried(parent: Run, best: Run, metric: str) -> list[str]:
    """Columns of a study's trials: the score and those of the folds, what was varied, the rest."""
    settings = set(parent.data.tags.get("nmr.settings", "").split(","))
    scores = [f"cv_{metric}", f"cv_{metric}_std"] if metric else ["score", "score_error"]
    folds = sorted(name for name in best.data.metrics if name.startswith("fold_"))
    metrics = [name for name in scores if name in best.data.metrics] + folds
    rest = sorted(set(best.data.metrics) - set(metrics))
    params = [name for name in best.data.params if name not in settings]
    return [
        *(f"metrics.`{name}`" for name in metrics),
        *(f"params.`{name}`" for name in params),
        *(f"metrics.`{name}`" for name in rest),
    ]


def _table(key: str, name: str, only: str, score: str, columns: Sequence[str]) -> View:
    shown = list(columns[:_MOST_COLUMNS])
    state = {
        **_search(only, score),
        "selectedColumns": shown,
        "columnOrder": [_RUN_NAME, *shown],
        "columnWidths": {_RUN_NAME: _NAME_WIDTH},
    }
    return View(key, name, state)


def _charts(key: str, name: str, score: str, shown: Sequence[str]) -> View:
    """Searches racing each other, the scores as bars, and one picture of every study beside the others."""
    curves, pictures = "curves", "pictures"
    charts: list[dict[str, Any]] = [
        {
            "type": "LINE",
            "metricKey": "best_so_far",
            "selectedMetricKeys": ["best_so_far"],
            "xAxisKey": "step",
            "useGlobalXaxisKey": False,
            "lineSmoothness": 0,
            "useGlobalLineSmoothing": False,
            "metricSectionId": curves,
        },
        {"type": "BAR", "metricKey": score, "metricSectionId": curves},
        {"type": "IMAGE", "imageKeys": list(shown), "step": 0, "showRunParams": False, "metricSectionId": pictures},
    ]
    common = {"deleted": False, "isGenerated": False, "runsCountToCompare": 10}
    made = [{"uuid": f"{key}-{place}", **common, **chart} for place, chart in enumerate(charts)]
    section = {"display": True, "isReordered": False, "deleted": False, "isGenerated": False}
    sections = [
        {"uuid": curves, "name": curves, **section, "columns": 2},
        {"uuid": pictures, "name": pictures, **section, "columns": 1, "cardHeight": _GRID_HEIGHT},
    ]
    state = {**_search(_PARENTS, score), "compareRunCharts": made, "compareRunSections": sections}
    return View(key, name, state, _CHARTS)


def _search(only: str, score: str) -> dict[str, Any]:
    return {"searchFilter": only, "orderByKey": f"metrics.`{score}`", "orderByAsc": False}
