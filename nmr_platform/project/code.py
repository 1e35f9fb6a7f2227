"""What stages of a project depend on whose code is installed: files with the checksums of what each of them imports.

In the repository a stage depends on the files that it imports. An installed package lies elsewhere, at another place on
every machine; there a first stage writes what lies in it, whenever DVC runs, and the others depend on what it wrote:
they run again if the code that they import has changed, and no other.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import nmr_platform
from nmr_platform.files import write_text
from nmr_platform.project.shipped import shipped

__all__ = ["FOLDER", "depending_on_files_of_code", "write_code"]

FOLDER = "code"
"""Where the checksums are in a project."""

_PACKAGE = Path(nmr_platform.__file__).parent
_STAGE = """\
  # The code of the stages is installed, and not in this folder. This stage always runs and writes the checksums of what
  # each script imports (`sha256sum --check` in the folder of the installed packages reads them); the others run if
  # theirs have changed. Keep the files in git: they say on which code `dvc.lock` was made.
  code:
    cmd: python -m nmr_platform code
    always_changed: true
    outs:
"""


def write_code(root: Path) -> list[Path]:
    """Write the checksums of the installed code that each script of the pipeline imports.

    Args:
        root: Folder of the project; the files are ``code/<script>.txt`` in it.

    Returns:
        The files.
    """
    written = []
    for script, places in _imported().items():
        lines = [f"{sha256(path.read_bytes()).hexdigest()}  {name}" for name, path in _files(places)]
        written.append(root / FOLDER / f"{script}.txt")
        write_text(written[-1], "\n".join(lines) + "\n")
    return written


def depending_on_files_of_code(text: str) -> str:
    """The text of a ``dvc.yaml`` of which each stage depends on its file of checksums instead of code.

    Args:
        text: That of the repository.
    """
    lines: list[str] = []
    script = ""
    for line in text.splitlines():
        script = _script(line, script)
        if _is_code(line):
            file = f"      - {FOLDER}/{script}.txt"
            lines += [file] if lines[-1] != file else []
        elif line == "stages:":
            outputs = [f"      - {FOLDER}/{name}.txt:\n          cache: false\n" for name in _imported(text)]
            lines += [line, _STAGE + "".join(outputs)]
        # Who has no repository has no tests of it.
        elif "tests.closure" not in line:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _imported(text: str | None = None) -> dict[str, list[str]]:
    """The places in the package that each script imports, as ``dvc.yaml`` lists them."""
    found: dict[str, list[str]] = {}
    script = ""
    for line in (text or shipped()["dvc.yaml"].read_text(encoding="utf-8")).splitlines():
        script = _script(line, script)
        if _is_code(line):
            places = found.setdefault(script, [])
            places += [place] if (place := line.strip(" -")) not in places else []
    return found


def _script(line: str, before: str) -> str:
    """The script that the stage runs in which this line is."""
    found = re.match(r"    cmd: python -m pipelines\.(\w+)", line)
    return found[1] if found else before


def _is_code(line: str) -> bool:
    return line.startswith(f"      - {_PACKAGE.name}/")


def _files(places: list[str]) -> Iterator[tuple[str, Path]]:
    """The files of places in the package, by their path from the folder that holds it."""
    for place in places:
        path = _PACKAGE.parent / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(_PACKAGE.parent).as_posix(), file
