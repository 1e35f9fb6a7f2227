"""`nmr infer`: from an instrument's file to an answer with its uncertainty, by models made for this measurement."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.measured.records import RecordOption, named_files
from nmr_platform.cli.options import JsonOption, TrackerKind, TrackerOption, say
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    from nmr_platform.exchange import Option

__all__ = ["infer", "infer_options"]

# Of predicting: simulated curves are not read here, and records are not brought onto the axis of a model, which is made
# for their own.
_MEANINGLESS = {"resample", "outside", "kernel", "disorder", "step", "first_step"}
_GIVEN = ("phase", "offset", "scale")


def infer(
    *,
    experiment: Annotated[
        Path,
        typer.Option(
            "--experiment", help="YAML with its `sequence` or `sequences`; what else it says is not measured."
        ),
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of any format: each one sample, with one record or several.")
    ] = None,
    record: RecordOption = None,
    prior: Annotated[
        Path | None, typer.Option(help="YAML of distributions by dotted key, of one kernel or of each by its kind.")
    ] = None,
    kernels: Annotated[str, typer.Option(help="Possible kernels, with commas; by default all.")] = "",
    budget: Annotated[
        str, typer.Option(help="Time such as 600s or 10min, or curves of each kernel (20 or more).")
    ] = "10min",
    noise: Annotated[float | None, typer.Option(help="Noise on each part, in the file's unit; else measured.")] = None,
    dead_time: Annotated[float | None, typer.Option(help="us after a pulse that are left out; else none.")] = None,
    refine: Annotated[bool, typer.Option(help="Search for the best candidates and simulate them again.")] = True,
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("inferred"),
    tracker: TrackerOption = TrackerKind.MLFLOW,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Read couplings (MHz) and kernel from measured echoes, by models that are simulated and learnt for them.

    Several records of one sample, under several sequences or a list of delays, make one answer.

    It runs in any folder; what was simulated and learnt is kept there in `.nmr`, and serves the next file.

    Example: `nmr infer echo.csv --experiment hahn.yaml --unit us --start 34`, `nmr infer --record short=a.csv
    --record long=b.csv --experiment two.yaml`, `nmr infer ser --experiment hahn.yaml --since last`
    """
    from nmr_platform.datasets import BarWatcher  # noqa: PLC0415
    from nmr_platform.inference.matched import Given, Inferrer, Setting, parse_budget, priors_of  # noqa: PLC0415
    from nmr_platform.progress import progress_bar  # noqa: PLC0415
    from nmr_platform.schema import read_value  # noqa: PLC0415
    from nmr_platform.stages.measured.infer import answer_all, read_measured  # noqa: PLC0415
    from nmr_platform.tracking import make_tracker  # noqa: PLC0415
    from nmr_platform.workspace import Workspace  # noqa: PLC0415

    given = {name: options.pop(name) for name in _GIVEN if name in options}
    setting = read_value(experiment, Setting)
    measured: list[Path | dict[str, Path]] = [*(files or [])]
    measured += [named_files(record)] if record else []
    if not measured:
        message = "Argument `files` must name a file, or `--record` those of a sample, but nothing is given."
        raise ConfigurationError(message, key="files")
    samples = [read_measured(each, setting, **options) for each in measured]
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
    answers = answer_all(inferrer, samples, out, ["nmr", *sys.argv[1:]])
    for sample, answer in zip(samples, answers, strict=True):
        say(_sentences(sample.title, answer), answer, as_json=as_json)


def infer_options() -> list["Option"]:
    """What the readers take, and how their records may be corrected."""
    from nmr_platform import exchange  # noqa: PLC0415

    return [option for option in exchange.predict_options() if option.name not in _MEANINGLESS]


def _sentences(title: str, answer: dict[str, Any]) -> str:
    lines = [f"{title}: {answer['report']}", *(f"Warning: {text}" for text in answer["misfit"]["warnings"])]
    for name, each in answer["records"].items():
        lines.append(f"  record {name + ': ' if name else ''}{each['sequence']}")
        lines += [f"  the file says: {each['told']}"] if each["told"] else []
    lines += [f"  {name}: {_shown(each)}" for name, each in answer["look"].items()]
    for name, each in answer["quantities"].items():
        told = "" if each["informative"] else "; the record does not tell it: as wide as the prior"
        interval = f"{each['lower']:.4g} to {each['upper']:.4g}, {each['level']:.0%}"
        lines.append(f"  {name:5} {each['value']:.4g} {each['unit']} ({interval}{told})")
    lines += [f"  kernel {name}: {share:.2f}" for name, share in answer["kernel"].items()]
    lines += [] if answer["kernel_informative"] else ["  The record does not tell the kernel."]
    return "\n".join(lines)


def _shown(each: dict[str, Any]) -> str:
    """A number that was read off the record, or given."""
    error = f" +- {each['error']:.2g}" if each["error"] else ""
    unit = f" {each['unit']}" if each["unit"] else ""
    return f"{each['value']:.4g}{error}{unit} ({each['source']})"
