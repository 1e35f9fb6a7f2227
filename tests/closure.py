"""What code a stage imports, itself and through others, read from the sources without running them.

`python -m tests.closure` writes it into every dvc.yaml file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("nmr_platform", "pipelines")


def closure(module: str) -> set[Path]:
    """Files of this repository that importing ``module`` may read, imports inside functions included."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        for path in _files(name):
            if path not in found:
                found.add(path)
                waiting += _imported(path)
    return found


def cover(files: set[Path], folder: Path = ROOT) -> list[str]:
    """The fewest paths, relative to the repository, that hold all of ``files`` and no other module."""
    covered: list[str] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            modules = set(entry.rglob("*.py"))
            if modules and modules <= files:
                covered.append(entry.relative_to(ROOT).as_posix())
            elif modules & files:
                covered += cover(files, entry)
        elif entry in files:
            covered.append(entry.relative_to(ROOT).as_posix())
    return covered


def _files(name: str) -> Iterator[Path]:
    """The file of a module and the faces of the rooms around it, which Python runs first."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:length])
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
        elif place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")


def _imported(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a room may be a module of it.
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below ``node`` but those that only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from _run(child)


def code_of(stage: str, project: str = "") -> list[str]:
    """The code that a stage depends on, as its ``deps`` must list it.

    Args:
        stage: Name of a script in `pipelines/`.
        project: Folder of the stage's dvc.yaml, relative to the repository. Patterns of .dvcignore end at a project, so
            that one below the repository must name files: a folder would also hold what Python and numba cache there.
    """
    listed = cover(closure(f"pipelines.{stage}"))
    if not project:
        return listed
    up = "/".join(".." for _ in Path(project).parts)
    return [f"{up}/{path}" for place in listed for path in _files_in(ROOT / place)]


def _files_in(place: Path) -> list[str]:
    files = [place] if place.is_file() else sorted(place.rglob("*"))
    return [path.relative_to(ROOT).as_posix() for path in files if path.is_file() and "__pycache__" not in path.parts]


def updated(text: str, project: str = "") -> str:
    """The text of a dvc.yaml with the code of every stage as it is now; everything else is left as it stands."""
    lines: list[str] = []
    stage, listing = "", False
    for line in text.splitlines():
        if script := re.match(r"    cmd: python -m pipelines\.(\w+)", line):
            stage = script[1]
        if listing and not line.startswith("      "):
            lines += [f"      - {path}" for path in code_of(stage, project)]
            listing = False
        if listing and re.search(r"- (\.\./)*(nmr_platform|pipelines)/", line):
            continue
        listing = listing or line == "    deps:"
        lines.append(line)
    return "\n".join(lines) + "\n"


PROJECTS = ("", "studies/august2021", "studies/three-parameters")

if __name__ == "__main__":
    for project in PROJECTS:
        path = ROOT / project / "dvc.yaml"
        path.write_text(updated(path.read_text(encoding="utf-8"), project), encoding="utf-8")
