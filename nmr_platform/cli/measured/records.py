"""The option `--record`: the files of one sample that was measured under several sequences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nmr_platform.errors import ConfigurationError

__all__ = ["RecordOption", "named_files"]

RecordOption = Annotated[
    list[str] | None,
    typer.Option("--record", metavar="NAME=FILE", help="A record of one sample, repeated for each of its sequences."),
]


def named_files(records: Sequence[str]) -> dict[str, Path]:
    """Files by the name of the record.

    Args:
        records: Values of the option, ``NAME=FILE``.

    Raises:
        ConfigurationError: One is not of this form, or a name comes twice.
    """
    named: dict[str, Path] = {}
    for text in records:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in named:
            message = f"Option `--record` must be NAME=FILE, each name once, but is {text!r}."
            raise ConfigurationError(message, key="record", value=text)
        named[name] = Path(path)
    return named
