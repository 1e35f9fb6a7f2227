"""Files and folders that appear whole or not at all."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmr_platform.errors import DataError

__all__ = ["read_json", "staged_folder", "write_json", "write_text"]

_DIGITS = 6


def write_text(path: Path, text: str) -> None:
    """Write a file and let it appear by one atomic rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.partial")
    staging.write_text(text, encoding="utf-8")
    staging.replace(path)


def write_json(path: Path, content: Mapping[str, Any], *, rounded: bool = False) -> None:
    """Write a record as JSON; ``rounded`` keeps six digits, for numbers that people and `dvc metrics diff` read."""
    write_text(path, json.dumps(_rounded(content) if rounded else content, indent=2) + "\n")


def read_json(path: Path, *, made_by: str) -> Any:
    """Read a record that the stage ``made_by`` wrote.

    Raises:
        DataError: The file is missing or damaged; the message names the command that makes it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"File `{path}` does not exist yet; make it with `{made_by}`."
        raise DataError(message, path=path) from error
    except json.JSONDecodeError as error:
        message = f"File `{path}` is damaged ({error}); make it again with `{made_by}`."
        raise DataError(message, path=path) from error


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of ``path`` when the block ends well."""
    # One name for all processes: what a killed one left beside the outputs would count as data for DVC.
    staging = path.with_name(f".{path.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)
    staging.rename(path)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
