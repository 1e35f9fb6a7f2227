"""`nmr infer`: from an instrument's file to an answer with its uncertainty, by models made for this measurement."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.options import JsonOption, TrackerKind, TrackerOption, say

if TYPE_CHECKING:
    from nmr_platform.exchange import Option

__all__ = ["infer", "infer_options"]

# Of predicting: simulated curves are not read here, and records are not brought onto the axis of a model, which is made
# for their own.
_MEANINGLESS = {"resample", "outside", "kernel", "disorder", "step", "first_step", "sweep"}
_GIVEN = ("phase", "offset", "scale")


def infer(
    files: Annotated[list[Path], typer.Argument(help="Measured echoes of one experiment, of any format.")],
    experiment: Annotated[
        Path, typer.Option("--experiment", help="YAML with its `sequence`; what else it says is not measured.")
    ],
    *,
    prior: Annotated[
        Path | None, typer.Option(help="YAML of distributions by dotted key, of one kernel or of each by its kind.")
    ] = None,
    kernels: Annotated[str, typer.Option(help="Possible kernels, with commas; by default all.")] = "",
    budget: Annotated[str, typer.Option(help="Time such as 600s or 10min, or curves of each kernel.")] = "10min",
    noise: Annotated[float | None, typer.Option(help="Noise on each part, in the file's unit; else measured.")] = None,
    dead_time: Annotated[float | None, typer.Option(help="us after a pulse that are left out; else none.")] = None,
    refine: Annotated[bool, typer.Option(help="Search for the best candidates and simulate them again.")] = True,
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("inferred"),
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Read couplings (MHz) and kernel from measured echoes, by models that are simulated and learnt for them.

    It runs in any folder; what was simulated and learnt is kept there in `.nmr`, and serves the next file.

    Example: `nmr infer echo.csv --experiment hahn.yaml --unit us --start 34`
    """
    from nmr_platform.datasets import BarWatcher  # noqa: PLC0415
    from nmr_platform.inference.matched import Given, Inferrer, Setting, parse_budget, priors_of  # noqa: PLC0415
    from nmr_platform.progress import progress_bar  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.stages.measured.infer import answer_files, read_measured, shifted  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    given = {name: options.pop(name) for name in _GIVEN if name in options}
    receiver = {name: options.pop(name) for name in ("conjugate", "since") if name in options}
    setting = read_value(experiment, Setting)
    records = {path: shifted(read_measured(path, **options), setting, **receiver) for path in files}
    inferrer = Inferrer(
        setting,
        priors_of(tuple(filter(None, kernels.split(","))), prior),
        Given(noise=noise, dead_time=dead_time, **given),
        parse_budget(budget),
        Workspace(Path.cwd()),
        make_tracker(tracker, root=Path.cwd()),
        watch=BarWatcher,
        bar=progress_bar,
        refines=refine,
    )
    answers = answer_files(inferrer, records, out, ["nmr", *sys.argv[1:]])
    for path, answer in zip(files, answers, strict=True):
        say(_sentences(path, answer), answer, as_json=as_json)


def infer_options() -> list["Option"]:
    """What the readers take, and how their records may be corrected."""
    from nmr_platform import exchange  # noqa: PLC0415

    return [option for option in exchange.predict_options() if option.name not in _MEANINGLESS]


def _sentences(path: Path, answer: dict[str, Any]) -> str:
    lines = [f"{path}: {answer['report']}", *(f"Warning: {text}" for text in answer["misfit"]["warnings"])]
    for name, each in answer["quantities"].items():
        told = "" if each["informative"] else "; the record does not tell it: as wide as the prior"
        interval = f"{each['lower']:.4g} to {each['upper']:.4g}, {each['level']:.0%}"
        lines.append(f"  {name:5} {each['value']:.4g} {each['unit']} ({interval}{told})")
    lines += [f"  kernel {name}: {share:.2f}" for name, share in answer["kernel"].items()]
    lines += [] if answer["kernel_informative"] else ["  The record does not tell the kernel."]
    return "\n".join(lines)
