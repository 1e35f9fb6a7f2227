"""The tutorials as pages of the site: notebooks that are run, with what they show."""

import ast
import base64
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["write"]

_INSIDE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
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
    parts = []
    for number, cell in enumerate(json.loads(made.read_text(encoding="utf-8"))["cells"]):
        text = "".join(cell["source"])
        parts.append(_linked(text) if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for place, output in enumerate(cell.get("outputs", ())):
            parts.append(_shown(output.get("data", {}), page.with_name(f"{page.name}-{number}-{place}.png")))
    made.unlink()
    page.with_suffix(".md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _shown(data: dict[str, Any], picture: Path) -> str:
    """What a cell shows, as Markdown; controls, which nobody can move here, are left out."""
    held = {kind: "".join(value) if isinstance(value, list) else value for kind, value in data.items()}
    # Figures one above the other are data inside of marimo's own elements.
    drawn = [held["image/png"]] if "image/png" in held else _INSIDE.findall(held.get("text/html", ""))
    for number, content in enumerate(drawn):
        picture.with_stem(f"{picture.stem}-{number}").write_bytes(base64.b64decode(content))
    if drawn:
        names = [picture.with_stem(f"{picture.stem}-{number}").name for number in range(len(drawn))]
        return "\n\n".join(f"![What the cell above draws]({name})" for name in names)
    if "text/markdown" in held:
        return _linked(held["text/markdown"])
    if "text/html" in held and "<marimo-" not in held["text/html"]:
        return f"```{{raw}} html\n{held['text/html']}\n```"
    return f"```text\n{held['text/plain']}\n```" if held.get("text/plain") else ""


def _linked(text: str) -> str:
    """Links of a notebook to the pages of the site."""
    return text.replace("](../docs/", "](../../")
