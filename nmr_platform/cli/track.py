"""`nmr studies` and `nmr track`: where studies stand, what MLflow shows of them, and where a model comes from."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.cli.options import JsonOption, ParamsOption, say

__all__ = ["studies", "track"]

PARAMS = Path("params.yaml")
NameArgument = Annotated[str, typer.Argument(help="Registered model, for instance nmr-W.")]
VersionOption = Annotated[str, typer.Option("--version", help="Number or alias.")]

track = typer.Typer(help="Rebuild and trace what MLflow shows.", no_args_is_help=True)


def studies(params: ParamsOption = PARAMS, as_json: JsonOption = False) -> None:
    """List every study with its trials and best score.

    Example: `nmr studies`
    """
    from nmr_platform.studies import closing_storage, list_studies  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    with closing_storage(Workspace(params.parent).studies, reading=True) as storage:
        listed = list_studies(storage)
    lines = [f"{'finished':>8} {'pruned':>6} {'failed':>6} {'running':>7} {'best':>10}  {'last trial':<19}  study"]
    for each in listed:
        best = "" if each.best is None else f"{each.best:.4g}"
        lines.append(
            f"{each.finished:>8} {each.pruned:>6} {each.failed:>6} {each.running:>7} {best:>10}  {each.last:<19}  "
            f"{each.name}"
        )
    say(
        "\n".join(lines) if listed else "There are no studies yet: `nmr tune --task W` makes one.",
        {"studies": [asdict(each) for each in listed]},
        as_json=as_json,
    )


@track.command("sync")
def sync(params: ParamsOption = PARAMS, as_json: JsonOption = False) -> None:
    """Show in MLflow every study, trial, score, table, figure and model that it lacks, from study storage and outputs.

    What is there already is not doubled: after a server was away, this completes it; after it was lost, rebuilds it.

    Example: `nmr track sync`
    """
    from nmr_platform.stages.sync import sync_tracking  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    done = sync_tracking(Workspace(params.parent))
    say(
        f"{done.trials} trials of {done.studies} studies and {done.results} results are in {done.store}.",
        asdict(done),
        as_json=as_json,
    )


@track.command("origin")
def origin(
    name: NameArgument, version: VersionOption = "champion", params: ParamsOption = PARAMS, as_json: JsonOption = False
) -> None:
    """Say which commit, data, study and trial a registered model comes from, and the command that makes it again.

    Example: `nmr track origin nmr-W`
    """
    from nmr_platform.tracking import resolve_store  # noqa: PLC0415
    from nmr_platform.tracking.mlflow import find_version, open_client, origin_of  # noqa: PLC0415

    traced = origin_of(find_version(open_client(resolve_store(root=params.parent), reading=True), name, version))
    say(str(traced), asdict(traced), as_json=as_json)


@track.command("reproduce")
def reproduce(
    name: NameArgument,
    version: VersionOption = "champion",
    into: Annotated[
        Path | None, typer.Option("--into", help="New folder for the commit; .nmr/reproduced/NAME-VERSION by default.")
    ] = None,
    params: ParamsOption = PARAMS,
    as_json: JsonOption = False,
) -> None:
    """Make a registered model again from its commit: simulate, extract, tune, evaluate; compare score and data.

    Example: `nmr track reproduce nmr-W --version 1`
    """
    from nmr_platform.stages.reproduce import reproduce_version  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    done = reproduce_version(Workspace(params.parent), name, version, into)
    say(
        f"Reproduced {name} version {done.version} in {done.folder}: {done.metric} {done.score:.6g}, "
        f"as registered ({done.registered:.6g}).",
        {**asdict(done), "folder": str(done.folder)},
        as_json=as_json,
    )
