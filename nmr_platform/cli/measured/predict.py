"""`nmr predict`: what the registered models read from an echo."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.measured.records import RecordOption, named_files
from nmr_platform.cli.options import JsonOption, ParamsOption, say
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from nmr_platform.exchange import Option

__all__ = ["predict", "predict_options"]

_DIGITS = 4
# Of the training curves, so few or fewer look as strange.
_RARE = 0.05
_ELSEWHERE = "For what is unlike the training curves, `nmr infer FILE --experiment mine.yaml` makes models of its own."


def predict(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Echoes and data sets: files and folders of any format of `nmr import`.")
    ] = None,
    record: RecordOption = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", help="Its champion; may be repeated. By default all that know such measurements."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="nmr-W@champion, models:/nmr-W/3 or a folder; may be repeated."),
    ] = None,
    *,
    coverage: Annotated[
        float | None, typer.Option(help="Probability that an interval holds the truth; the model's by default.")
    ] = None,
    params: ParamsOption = Path("params.yaml"),
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Read couplings (MHz) and kernels from echoes, with intervals, by the models of the registry.

    The p-value says how many of the training curves look at least as strange: below 0.05, do not trust the rest.

    Example: `nmr predict echo.csv --task W --unit us`, `nmr predict --record s1=one.csv --record s2=other.csv`
    """
    from nmr_platform.inference.prediction import load_models, predict_files  # noqa: PLC0415

    if task and model:
        message = "Options `--task` and `--model` must not be given together: a task stands for its champion."
        raise ConfigurationError(message, key="task", value=task)
    measurements: list[Path | dict[str, Path]] = [*(files or [])]
    measurements += [named_files(record)] if record else []
    if not measurements:
        message = "Argument `files` must name a file, or `--record` those of a measurement, but nothing is given."
        raise ConfigurationError(message, key="files")
    names = model or [f"nmr-{name}@champion" for name in task or ()]
    models = load_models(names, params.parent)
    # Of all champions, only those are asked that learnt from this measurement.
    answers = predict_files(measurements, models, coverage=coverage, every=bool(names), **options)
    strange = "" if answers["p_value"].min() > _RARE else f"\n{_ELSEWHERE}"
    say(_table(answers) + strange, {"predictions": _plain(answers)}, as_json=as_json)


def predict_options() -> list["Option"]:
    """What the readers and corrections take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return exchange.predict_options()


def _plain(answers: "pd.DataFrame") -> list[dict[str, Any]]:
    """One mapping a prediction, without the columns that its task has not."""
    return [{str(key): row[key] for key in answers if not _is_missing(row[key])} for row in answers.to_dict("records")]


def _is_missing(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _table(answers: "pd.DataFrame") -> str:
    """The answers for people; pandas neither cuts nor wraps them, however narrow the terminal."""
    import pandas as pd  # noqa: PLC0415

    rows = [
        {
            "file": Path(row["file"]).name if Path(row["file"]).exists() else row["file"],
            "curve": row["curve"],
            "task": row["task"],
            "value": _shown(row),
            "interval or probabilities": _spread(row),
            "p-value": f"{row['p_value']:.2g}",
            "warning": row["warning"],
        }
        for answer in _plain(answers)
        for row in _by_target(answer)
    ]
    return pd.DataFrame(rows).to_string(index=False)


def _by_target(row: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer as it is, or that of a joint task as one of each target."""
    if "prediction" in row:
        return [row]
    targets, units = row["quantity"].split(", "), row["unit"].split(", ")
    rows = []
    for target, unit in zip(targets, units, strict=True):
        own = {name: row[f"{name}_{target}"] for name in ("prediction", "lower", "upper")}
        others = {
            other: row[name]
            for other in targets
            for name in (f"correlation_{target}_{other}", f"correlation_{other}_{target}")
            if name in row
        }
        rows.append(
            {**row, **own, "unit": unit if unit != "1" else "", "task": f"{row['task']}: {target}", "others": others}
        )
    return rows


def _shown(row: dict[str, Any]) -> str:
    value = row["prediction"]
    return value if isinstance(value, str) else f"{value:.{_DIGITS}g} {row['unit']}".strip()


def _spread(row: dict[str, Any]) -> str:
    """The interval of a number, or the probability of every class."""
    if "lower" in row:
        interval = f"{row['lower']:.{_DIGITS}g} to {row['upper']:.{_DIGITS}g} {row['unit']}".strip()
        others = ", ".join(f"{other} {value:+.2f}" for other, value in row.get("others", {}).items())
        return f"{interval} ({row['level']:.3g}){f', correlation with {others}' if others else ''}"
    mark = "probability_"
    return ", ".join(f"{key.removeprefix(mark)} {row[key]:.2f}" for key in row if key.startswith(mark))
