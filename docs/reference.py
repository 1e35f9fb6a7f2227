"""Pages of the site that are written from the code: API, command line, parameters, tutorials."""

import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import tutorials
import typer
from typer.cli import get_docs_for_click

from nmr_platform.cli.app import app
from nmr_platform.config import Params
from nmr_platform.schema import Schema, schemas_in

__all__ = ["write"]

BAR = "\\|"
ROOMS = (
    "physics",
    "simulation",
    "datasets",
    "exchange",
    "features",
    "studies",
    "learning",
    "learning.models",
    "learning.tuning",
    "learning.evaluation",
    "inference",
    "inference.prediction",
    "inference.matched",
    "pulse_design",
    "plots",
    "tracking",
    "reporting",
    "explorer",
    "project",
    "schema",
    "files",
    "errors",
)


def write(folder: Path) -> None:
    """Write all pages anew.

    Args:
        folder: Where to.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "api").mkdir(parents=True)
    for name, text in {
        "cli": _commands(),
        "params": _parameters(),
        "tutorials": tutorials.write(folder),
        **_api(),
    }.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _api() -> dict[str, str]:
    pages = {f"api/{room}": _room(room) for room in ROOMS}
    listed = "\n".join(f"api/{room}" for room in ROOMS)
    summary = "\n".join(f"* [{room}](api/{room}.md): {_summary(f'nmr_platform.{room}')}" for room in ROOMS)
    face = "```{eval-rst}\n.. automodule:: nmr_platform\n   :no-index:\n```\n"
    pages["api"] = f"# API\n\n{face}\n{summary}\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    return pages


def _room(room: str) -> str:
    name = f"nmr_platform.{room}"
    # What a room above offers is described there.
    above = import_module(name.rpartition(".")[0])
    shared = sorted({*above.__all__} & {*import_module(name).__all__})
    exclude = f"   :exclude-members: {', '.join(shared)}\n" if shared else ""
    return (
        f"# {room}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n   :imported-members:\n"
        f"   :show-inheritance:\n{exclude}```\n"
    )


def _summary(name: str) -> str:
    return (import_module(name).__doc__ or "").splitlines()[0]


def _commands() -> str:
    """What `--help` says of every command, with the options that formats declare."""
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        group.commands[name] = getattr(command, "whole", lambda command=command: command)()
    context = typer.Context(group, info_name="nmr")
    text = get_docs_for_click(obj=group, ctx=context, name="nmr", title="Command line")
    # In the list of commands, the whole sentence instead of its first words, and a link.
    for name, command in group.commands.items():
        sentence = " ".join((command.help or "").split("\n\n")[0].split())
        text = re.sub(rf"(?m)^\* `{name}`: .*$", lambda _, n=name, s=sentence: f"* [`nmr {n}`](#nmr-{n}): {s}", text)
    return text


def _parameters() -> str:
    """Every key of params.yaml with its type, default, unit and meaning, model by model."""
    parts = [
        "# Parameters\n",
        "What `params.yaml` may hold, from the classes that read it. Keys without a default must be there; of kinds, "
        "`kind` chooses one.\n",
    ]
    for model in _models(Params):
        opening, meanings = _explained(model)
        parts += [f"(params-{model.__name__.lower()})=\n## {model.__name__}\n", f"{opening}\n"]
        rows = [_row(model, key, meanings.get(key, "")) for key in model.model_fields]
        parts += ["| key | type | default | meaning |\n|---|---|---|---|", *rows, ""] if rows else []
    return "\n".join(parts)


def _models(first: type[Schema]) -> Iterator[type[Schema]]:
    seen: dict[type[Schema], None] = {}
    waiting = [first]
    while waiting:
        model = waiting.pop(0)
        if model not in seen:
            seen[model] = None
            waiting += [each for field in model.model_fields.values() for each in schemas_in(field.annotation)]
    return iter(seen)


def _explained(model: type[Schema]) -> tuple[str, dict[str, str]]:
    """The opening of a class's docstring, and what it and those that it is made from say of its keys."""
    meanings: dict[str, str] = {}
    for each in model.__mro__:
        found = re.search(r"Attributes:\n(.*?)(\n\n\S|\n *\n *[A-Z]\w+:\n|\Z)", each.__doc__ or "", re.DOTALL)
        for name, text in re.findall(r"(?m)^\s{4,8}(\w+): ((?:.|\n(?!\s{4,8}\w+: ))+)", found[1]) if found else ():
            meanings.setdefault(name, " ".join(text.split()))
    opening = (model.__doc__ or "").split("\n\n")[0]
    return " ".join(opening.split()), meanings


def _row(model: type[Schema], key: str, meaning: str) -> str:
    field = model.model_fields[key]
    inner = list(dict.fromkeys(schemas_in(field.annotation)))
    links = ", ".join(f"[{each.__name__}](#params-{each.__name__.lower()})" for each in inner)
    kind = links or f"`{_type(field.annotation)}`"
    default = "" if field.is_required() else f"`{_default(field.get_default(call_default_factory=True))}`"
    unit = f" ({model.unit_of(key)})" if model.unit_of(key) else ""
    cells = (f"`{key}`", kind, default, f"{meaning}{unit}")
    return f"| {' | '.join(text.replace('|', BAR) for text in cells)} |"


def _type(annotation: Any) -> str:
    is_plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    shown = annotation.__name__ if is_plain else str(annotation)
    return re.sub(r"typing\.|annotated_types\.|collections\.abc\.|Annotated\[(\w+)[^\]]*\]", r"\1", shown)[:60]


def _default(value: Any) -> str:
    return "its defaults" if isinstance(value, Schema) else str(value)[:40] or "''"
