"""The pages of the site that are written from the code hold all of it."""

import importlib.util
import re
from pathlib import Path

import pytest
import typer

from nmr_platform.cli.app import app
from nmr_platform.config import Params
from tests.test_bounds import models

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The text of each page by its name; the notebooks are run by tests of their own."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        spec.loader.exec_module(reference)
        patch.setattr(reference.tutorials, "find_spec", lambda _: None)
        folder = tmp_path_factory.mktemp("site") / "generated"
        reference.write(folder)
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}


def test_every_command_is_there_with_its_options_and_those_of_formats(pages):
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"`nmr {name}`" in pages["cli.md"]
        for parameter in command.params:
            shown = [option for option in parameter.opts if option[0] == "-" and not parameter.hidden]
            assert [option for option in shown if f"`{option}" not in pages["cli.md"]] == []
    part = pages["cli.md"].split("## `nmr init`")[1].split("## `nmr")[0]
    assert "--unit" in part


def test_every_key_of_the_parameters_has_a_meaning(pages):
    text = pages["params.md"]
    known = {model for model in models() if f"## {model.__name__}\n" in text}
    assert Params in known
    assert len(known) > 50
    for model in known:
        section = text.split(f"## {model.__name__}\n")[1].split("\n## ")[0]
        assert set(model.model_fields) <= set(re.findall(r"(?m)^\| `(\w+)` \|", section))


def test_every_room_has_a_page_of_its_api(pages):
    rooms = {path.parent.name for path in (ROOT / "nmr_platform").glob("*/__init__.py")} - {"cli", "stages"}
    assert {f"api/{room}.md" for room in rooms} <= set(pages)


def test_every_page_of_the_docs_is_in_the_table_of_contents():
    listed = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"} <= set(listed)
