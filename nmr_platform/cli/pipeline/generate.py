"""`nmr generate`: data sets, from params.yaml or by the name of a preset."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.options import DesignedOption, ParamsOption, say
from nmr_platform.cli.running import making, opened
from nmr_platform.errors import ConfigurationError
from nmr_platform.progress import no_progress, progress_bar

if TYPE_CHECKING:
    from nmr_platform.datasets import DataSettings, Executor, Generated
    from nmr_platform.workspace import Workspace

__all__ = ["generate"]

PARAMS = Path("params.yaml")


def generate(
    kernel: Annotated[
        str | None, typer.Option("--kernel", help="One kernel of params.yaml or the preset; all of them by default.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="august2021, june2021, evaluation2021, demo or tiny.")
    ] = None,
    params: ParamsOption = PARAMS,
    designed: DesignedOption = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the data set, ending in .zarr.")] = None,
    n_curves: Annotated[int | None, typer.Option("--n-curves", min=1, help="Instead of the file's number.")] = None,
    disorder: Annotated[str | None, typer.Option("--disorder", help="fresh or frozen, instead of the file's.")] = None,
    integrator: Annotated[
        str | None, typer.Option("--integrator", help="euler, midpoint or fast, instead of the file's.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", help="Instead of the file's, as YAML: '{kind: dask, workers: 4}'.")
    ] = None,
    shards: Annotated[
        Path | None, typer.Option("--shards", help="Folder of finished shards, seen by all workers; .nmr/shards.")
    ] = None,
    drop_failed: Annotated[
        bool, typer.Option("--drop-failed", help="Publish without the curves that cannot be simulated.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Simulate 1 % of an existing data set again and compare bit for bit.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make the damaged parts of an existing data set anew.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as JSON, one object a line.")] = False,
) -> None:
    """Simulate data sets; an interrupted run continues, and a longer one simulates only the new curves.

    Example: `nmr generate --preset august2021 --kernel gaussian --n-curves 100`

    Example: `nmr generate --kernel gaussian --verify`
    """
    from nmr_platform import datasets  # noqa: PLC0415
    from nmr_platform.stages.simulate import simulate_dataset  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    if verify and repair:
        message = "Options --verify and --repair must not be given together, but are."
        raise ConfigurationError(message, key="verify")
    changes = {"n_curves": n_curves, "disorder": disorder, "integrator": integrator}
    if verify or repair:
        _refuse_meaningless({**changes, "drop_failed": drop_failed or None})
    if designed and preset is not None:
        message = "Options --designed and --preset must not be given together: a preset has measurements of its own."
        raise ConfigurationError(message, key="designed")
    workspace = Workspace(params.parent, is_designed=designed)
    how: dict[str, Any] = {
        "shard_folder": shards or workspace.shards,
        "executor": _executor(executor, params),
        "watcher": datasets.JsonWatcher(typer.echo) if as_json else datasets.BarWatcher(),
    }
    if out is not None and (verify or repair):
        _treat_existing(out, how, verify=verify, as_json=as_json)
        return
    settings = _settings(preset, params, changes, designed=designed)
    for name, path in _paths(settings, preset, kernel, out, workspace).items():
        if verify or repair:
            _treat_existing(path, how, verify=verify, as_json=as_json)
            continue
        with making(workspace, path):
            made = simulate_dataset(settings.recipe(name), path, drop_failed=drop_failed, **how)
        _say_made(made, as_json=as_json)


def _refuse_meaningless(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            flag = f"--{name.replace('_', '-')}"
            message = f"Option {flag} must not be given with --verify or --repair, which take the data set as it is."
            raise ConfigurationError(message, key=name, value=value)


def _settings(preset: str | None, params: Path, changes: dict[str, Any], *, designed: bool) -> "DataSettings":
    """What to simulate: a preset or the parameter file's data, with the options' changes."""
    from nmr_platform.datasets import DataSettings, read_preset  # noqa: PLC0415
    from nmr_platform.schema import validate  # noqa: PLC0415
    from nmr_platform.stages.simulate import SimulateParams  # noqa: PLC0415

    settings = read_preset(preset) if preset is not None else opened(params, SimulateParams, designed=designed)[0].data
    values = {name: getattr(settings, name) for name in DataSettings.model_fields}
    return validate(DataSettings, values | {name: value for name, value in changes.items() if value is not None})


def _paths(
    settings: "DataSettings", preset: str | None, kernel: str | None, out: Path | None, workspace: "Workspace"
) -> dict[str, Path]:
    """Where the data set of each kernel asked for lies."""
    names = [kernel] if kernel is not None else list(settings.kernels)
    if out is not None:
        if len(names) > 1:
            message = f"Option --out names one data set, so --kernel must be one of {', '.join(names)}, but is missing."
            raise ConfigurationError(message, key="kernel")
        return {names[0]: out}
    if preset is not None:
        return {name: workspace.preset(preset, name) for name in names}
    return {name: workspace.simulated(name) for name in names}


def _executor(text: str | None, params: Path) -> "Executor":
    """The executor of the option, else of the parameter file if there is one."""
    from nmr_platform.datasets import make_executor, parse_executor  # noqa: PLC0415
    from nmr_platform.schema import read_sections  # noqa: PLC0415
    from nmr_platform.stages.simulate import SimulateParams  # noqa: PLC0415

    if text is not None:
        return make_executor(parse_executor(text))
    return make_executor(read_sections(params, SimulateParams).executor if params.exists() else None)


def _treat_existing(path: Path, how: dict[str, Any], *, verify: bool, as_json: bool) -> None:
    from nmr_platform import datasets  # noqa: PLC0415
    from nmr_platform.datasets import n_verified  # noqa: PLC0415

    if not verify:
        _say_made(datasets.repair(path, **how), as_json=as_json)
        return
    n_curves = next(iter(datasets.load_records(path).values())).sizes["curve"]
    bar = progress_bar(f"verify {path.stem}", n_verified(n_curves), "curves")
    with nullcontext(no_progress) if as_json else bar as advance:
        verified = datasets.verify(path, progress=advance)
    say(
        f"{path}: all checksums of its {n_curves} curves are right, and {len(verified.curves)} simulated again are "
        "the same bit for bit.",
        {"event": "verified", "path": str(path), "curves": verified.curves},
        as_json=as_json,
    )


def _say_made(made: "Generated", *, as_json: bool) -> None:
    left_out = f", {len(made.failures)} left out" if made.failures else ""
    say(
        f"{made.path}: {made.n_curves} curves, {made.n_simulated} simulated now{left_out}, digest {made.digest}, "
        f"{made.acceptance:.0%} of the draws accepted.",
        {
            "event": "published",
            "path": str(made.path),
            "digest": made.digest,
            "curves": made.n_curves,
            "simulated": made.n_simulated,
            "failed": len(made.failures),
            "acceptance": made.acceptance,
        },
        as_json=as_json,
    )
