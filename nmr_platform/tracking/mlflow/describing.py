"""The description of a study's run: what was asked, on what data, what came out, and where to look next."""

import json
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Run

from nmr_platform.tracking.mlflow.scores import best_trial, main_metric
from nmr_platform.tracking.mlflow.values import LONGEST_NOTE, NOTE, is_held_out
from nmr_platform.tracking.mlflow.views import experiment_page

__all__ = ["ABOUT", "describe_run"]

ABOUT = "nmr.about"
"""Tag with what the study itself says of what it asks and does."""

_DIGITS = 12


def describe_run(client: MlflowClient, run_id: str) -> None:
    """Write the description of a run anew, if its study says what it does.

    Args:
        client: The open store.
        run_id: The run.
    """
    run = client.get_run(run_id)
    if ABOUT not in run.data.tags:
        return
    # Pages fold long descriptions, so what came out stands at the top.
    question, _, about = run.data.tags[ABOUT].partition("\n\n")
    lines = [question, "", *_scores(run), "", about, "", *_links(run, best_trial(client, run))]
    text = "\n".join(lines)[:LONGEST_NOTE]
    if run.data.tags.get(NOTE) != text:
        client.set_tag(run_id, NOTE, text)


def _scores(run: Run) -> Iterator[str]:
    """Held-out and cross-validated score, or those of the sequence found and of 90/180."""
    found, metric = run.data.metrics, main_metric(run.data.metrics)
    if f"test_{metric}" in found:
        value, lower, upper = (found.get(f"test_{metric}{form}", float("nan")) for form in ("", "_lower", "_upper"))
        yield f"* Held-out `test_{metric}`: **{value:.3f}**, interval {lower:.3f} to {upper:.3f}"
    if metric:
        mean, spread = found[f"cv_{metric}"], found.get(f"cv_{metric}_std", float("nan"))
        yield f"* Cross-validated `cv_{metric}`: {mean:.3f}, standard deviation over the folds {spread:.3f}"
    elif "best_score" in found:
        base = f", of 90/180 {found['baseline_score']:.3f}" if "baseline_score" in found else ""
        yield f"* Score of the best sequence: **{found['best_score']:.3f}**{base}"


def _links(run: Run, best: Run | None) -> Iterator[str]:
    experiment = run.info.experiment_id
    if best is not None:
        yield f"* Best trial: [{best.info.run_name}](#/experiments/{experiment}/runs/{best.info.run_id})"
    for item in run.inputs.dataset_inputs:
        if not is_held_out(item):
            yield f"* Data: {_data(item)}"
    yield f"* Beside others: [leaderboard]({experiment_page(experiment, 'leaderboard')})"
    yield "* Report: `reports/index.html`, which `nmr report` writes"


def _data(item: DatasetInput) -> str:
    source = json.loads(item.dataset.source)
    place = source.get("uri", source.get("url", ""))
    facts = "".join(f", {name} {value}" for name, value in json.loads(item.dataset.profile or "{}").items())
    return f"`{item.dataset.name}`, digest `{item.dataset.digest[:_DIGITS]}`, `{place}`{facts}"
