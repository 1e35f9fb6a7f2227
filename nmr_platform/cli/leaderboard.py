"""`nmr leaderboard`: which model reads what best, what that costs, and what cannot be told apart."""

from pathlib import Path
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, say
from nmr_platform.progress import progress_bar

if TYPE_CHECKING:
    from nmr_platform.stages.leaderboard import Entry

__all__ = ["leaderboard"]


def leaderboard(
    task: Annotated[
        list[str] | None, typer.Option("--task", help="Name of a task, also designed-NAME; all of them by default.")
    ] = None,
    params: ParamsOption = Path("params.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Rank all models by paired differences on the same held-out curves; print a Markdown table for each task.

    A rank is 1 and the number of models that beat this one beyond doubt, so that tied models share it; a model behind
    the leader has a score that is smaller by so much. Times are in s (all trials of the search together) and ms (from
    the record of one curve to its answer, on this machine as busy as it is now), sizes in MB.

    Example: `nmr leaderboard --task W --task designed-W`
    """
    from nmr_platform.schema import read_sections  # noqa: PLC0415
    from nmr_platform.stages import leaderboard as stage  # noqa: PLC0415
    from nmr_platform.stages.standing import read_scores  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    read, workspace = read_sections(params, stage.LeaderboardParams), Workspace(params.parent)
    asked = stage.tasks_of(read, task or ())
    n_models = sum(len(read_scores(workspace, name)["models"]) for name in asked)
    with progress_bar("ask every model", n_models, "models") as advance:
        found = {name: stage.leaderboard(read, workspace, name, each, progress=advance) for name, each in asked.items()}
    tables = [f"## {name}\n\n{stage.verdict(entries, read)}\n\n{_table(entries)}" for name, entries in found.items()]
    record = {name: [_record(each) for each in entries] for name, entries in found.items()}
    say("\n\n".join(tables), {"tasks": record}, as_json=as_json)


def _record(entry: "Entry") -> dict[str, Any]:
    family, _, features = entry.standing.model.partition("/")
    score, behind = entry.standing.score, entry.standing.behind
    return {
        "family": family,
        "features": features,
        "champion": entry.champion,
        "metric": entry.metric,
        "score": score.value,
        "lower": score.lower,
        "upper": score.upper,
        "rank": entry.standing.rank,
        "behind": behind.value,
        "behind_lower": behind.lower,
        "behind_upper": behind.upper,
        "repeats": [*entry.repeats],
        "published": entry.published,
        "trial_seconds": entry.trial_seconds,
        "curve_seconds": entry.curve_seconds,
        "megabytes": entry.megabytes,
    }


def _table(entries: "list[Entry]") -> str:
    """Lines of a Markdown table."""
    metric = entries[0].metric
    titles = (
        "rank",
        "model",
        "features",
        metric,
        "behind the leader",
        "other splits",
        "published",
        "trials (s)",
        "ms a curve",
        "MB",
    )
    rows = [titles, ("---",) * len(titles), *(_cells(_record(each), first=each is entries[0]) for each in entries)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(own: dict[str, Any], *, first: bool) -> tuple[str, ...]:
    return (
        str(own["rank"]),
        own["family"] + (" (champion)" if own["champion"] else ""),
        own["features"],
        f"{own['score']:.3f} ({own['lower']:.3f} to {own['upper']:.3f})",
        f"{own['behind_lower']:+.3f} to {own['behind_upper']:+.3f}" if not first else "",
        f"{fmean(own['repeats']):.3f} ± {pstdev(own['repeats']):.3f}" if own["repeats"] else "",
        "" if own["published"] is None else f"{own['published']:.3g}",
        "" if own["trial_seconds"] is None else f"{own['trial_seconds']:.1f}",
        f"{1e3 * own['curve_seconds']:.2f}",
        f"{own['megabytes']:.2f}",
    )
