"""Options that several commands share."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["DesignedOption", "JsonOption", "ParamsOption", "TaskOption", "TrackerKind", "TrackerOption", "say"]


class TrackerKind(StrEnum):
    """Where runs are recorded."""

    MLFLOW = "mlflow"
    NONE = "none"


ParamsOption = Annotated[
    Path, typer.Option("--params", dir_okay=False, help="Parameter file; its folder is the project's root.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object, for programs.")]
DesignedOption = Annotated[
    bool, typer.Option("--designed", help="Of the measurement that the file's section `designed` names.")
]
TaskOption = Annotated[str, typer.Option("--task", help="Name of a task in params.yaml.")]
TrackerOption = Annotated[TrackerKind, typer.Option("--tracker", help="Where runs are recorded.")]


def say(sentence: str, record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result for a person, or for a program."""
    typer.echo(json.dumps(record) if as_json else sentence)
