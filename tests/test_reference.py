"""The pages of the site that are written from the code hold all of it."""

import importlib.util
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
import typer

from nmr_platform.cli.app import app
from nmr_platform.config import Params
from tests.test_bounds import models

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reference():
    """The module of the site that writes pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(reference, tmp_path_factory):
    """The text of each page by its name; the notebooks are run by tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
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


@pytest.fixture
def tutorial(reference, tmp_path, monkeypatch):
    """The page of a notebook whose cells are these: source, and what it shows."""

    def page(*cells):
        made = [
            {"cell_type": kind, "source": source, "outputs": [{"data": data}] if data else []}
            for kind, source, data in cells
        ]

        def export(command, **_):
            Path(command[-1]).write_text(json.dumps({"cells": made}), encoding="utf-8")

        monkeypatch.setattr(reference.tutorials.subprocess, "run", export)
        reference.tutorials._write_page(tmp_path / "one.py", tmp_path / "one")
        return (tmp_path / "one.md").read_text(encoding="utf-8")

    return page


def test_a_tutorial_begins_with_its_title_and_its_texts_are_not_read_twice(tutorial):
    page = tutorial(
        ("code", "import os", None),
        ("markdown", "# One\n\n```yaml\na: 1\n```", None),
        ("code", 'mo.md(f"W is {w}")', {"text/markdown": "W is 3"}),
        ("code", 'text = """\n```yaml\n"""', None),
    )
    assert page.index("# One") < page.index("import os") < page.index("W is 3")
    assert "mo.md" not in page
    assert '````python\ntext = """\n```yaml\n"""\n````' in page


def test_what_a_tutorial_lays_one_above_the_other_comes_through_in_order(tutorial, tmp_path):
    picture = b64encode(b"drawn").decode()
    address = f"data:image/png;base64,{picture}"
    html = (
        "<div style='x'><span class='contents'>Best: <code>90x</code></span><pre class='xs'>a &lt; b</pre>"
        f"<marimo-mime-renderer data-data='&quot;{address}&quot;'></marimo-mime-renderer>"
        f"<img src='{address}' alt='forest'>"
        '<table border="1" class="dataframe"><tr><td>3</td></tr></table><marimo-slider></marimo-slider></div>'
    )
    page = tutorial(("code", "shown()", {"text/html": html}))
    parts = ["Best: ", "a < b\n````", "(one-0-0-0.png)", "forest\n\n![forest](one-0-0-1.png)", "<table class="]
    assert [page.find(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert (tmp_path / "one-0-0-1.png").read_bytes() == b"drawn"
    for foreign in ("contents", "dataframe", "border", "marimo-"):
        assert foreign not in page
