"""The tutorials as pages of the site: notebooks that are run, with what they show."""

import ast
import base64
import json
import re
import subprocess
import sys
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["write"]

_INSIDE = re.compile(
    r"<(img|marimo-mime-renderer)\b[^>]*data:image/png;base64,(?P<data>[A-Za-z0-9+/=]+)[^>]*>(</marimo-mime-renderer>)?"
)
_WRITTEN = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)
_LAYOUT = re.compile(r"</?(div|marimo-(?!mime-renderer))[^>]*>")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def write(folder: Path) -> str:
    """Write a page for each notebook; where marimo is not installed, none is run.

    Args:
        folder: Where to.

    Returns:
        The page that lists them.

    Raises:
        subprocess.CalledProcessError: A notebook fails.
    """
    opening = "Notebooks as plain Python files: `marimo edit notebooks/NAME.py` opens one to change and run it."
    lines, pages = ["# Tutorials\n", f"{opening}\n"], []
    runs = find_spec("marimo") is not None
    titles = {
        path: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.stem) for path in NOTEBOOKS.glob("*.py")
    }
    for path, title in sorted(titles.items(), key=lambda each: each[1]):
        if runs:
            pages.append(f"tutorials/{path.stem}")
            _write_page(path, folder / pages[-1])
        name = f"[{title.splitlines()[0]}]({pages[-1]}.md)" if runs else title.splitlines()[0]
        lines.append(f"* {name} (`notebooks/{path.name}`)")
    listed = "\n".join(pages)
    return "\n".join(lines) + f"\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def _write_page(path: Path, page: Path) -> None:
    """Run a notebook and write its cells and what they show."""
    page.parent.mkdir(parents=True, exist_ok=True)
    made = page.with_suffix(".ipynb")
    command = [sys.executable, "-m", "marimo", "export", "ipynb", str(path), "--include-outputs", "-f", "-o", str(made)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    cells = json.loads(made.read_text(encoding="utf-8"))["cells"]
    # A page begins with its title, and not with what is imported.
    cells.sort(key=lambda cell: not "".join(cell["source"]).startswith("# "))
    parts = []
    for number, cell in enumerate(cells):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(_linked(text))
        elif not _is_text(text):
            parts.append(f"````python\n{text}\n````")
        for place, output in enumerate(cell.get("outputs", ())):
            parts += _shown(output.get("data", {}), page.with_name(f"{page.name}-{number}-{place}.png"))
    made.unlink()
    page.with_suffix(".md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _is_text(source: str) -> bool:
    """Whether a cell is nothing but a text with numbers in it, which need not be read twice."""
    body = ast.parse(source).body
    return len(body) == 1 and ast.unparse(body[0]).startswith("mo.md(")


def _shown(data: dict[str, Any], picture: Path) -> list[str]:
    """What a cell shows, as Markdown; controls, which nobody can move here, are left out."""
    held = {kind: "".join(value) if isinstance(value, list) else value for kind, value in data.items()}
    if "image/png" in held:
        return [_drawn(held["image/png"], picture, "")]
    if "text/markdown" in held:
        return [_linked(held["text/markdown"])]
    if "text/html" not in held:
        return [_written(held["text/plain"])] if held.get("text/plain") else []
    # What lies one above the other are elements of a layout; figures there are data inside of marimo's own elements.
    parts, last, html = [], 0, _LAYOUT.sub("", held["text/html"])
    for number, found in enumerate(_INSIDE.finditer(html)):
        parts += _laid(html[last : found.start()])
        caption = re.search(r"alt=['\"]([^'\"]+)", found[0])
        drawn = _drawn(found["data"], picture.with_stem(f"{picture.stem}-{number}"), caption[1] if caption else "")
        parts.append(drawn)
        last = found.end()
    return parts + _laid(html[last:])


def _drawn(content: str, picture: Path, caption: str) -> str:
    """A picture, below what it is called."""
    picture.write_bytes(base64.b64decode(content))
    return (f"{caption}\n\n" if caption else "") + f"![{caption or 'What the cell above draws'}]({picture.name})"


def _laid(html: str) -> list[str]:
    """A piece of HTML as the theme of the site lays it out, without the classes of another."""
    parts = []
    for number, text in enumerate(_WRITTEN.split(html)):
        if number % 2:
            parts.append(_written(unescape(text)))
        elif text.strip() and "<marimo-" not in text:
            plain = re.sub(r" (class|border)=(['\"])[^'\"]*\2", "", text)
            plain = re.sub(r"<(table|code)", r"<\1 class='docutils literal'", plain)
            parts.append(f"```{{raw}} html\n<div>{plain}</div>\n```")
    return parts


def _written(text: str) -> str:
    """What a command or a cell writes."""
    return f"````{{code-block}} text\n:class: shown\n\n{text}\n````"


def _linked(text: str) -> str:
    """Links of a notebook to the pages of the site."""
    return text.replace("](../docs/", "](../../")
