"""The files of the repository that come with the package."""

import tomllib
from pathlib import Path

__all__ = ["shipped"]

_PLACE = "nmr_platform/project/files"
_PACKED = Path(__file__).parent / "files"
_ROOT = Path(__file__).parents[2]


def shipped() -> dict[str, Path]:
    """Where each file of a new project lies, by its path there.

    A wheel has them beside this module, as `pyproject.toml` says; in the repository they are what is packed.

    Example:
        >>> [name for name in shipped() if name.endswith(".yaml")]
        ['params.yaml', 'dvc.yaml', 'python_env.yaml']
    """
    if _PACKED.is_dir():
        places = {"": _PACKED}
    else:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        places = {target.removeprefix(f"{_PLACE}/"): _ROOT / source for source, target in packed.items()}
    return {
        (Path(name) / file.relative_to(place)).as_posix(): file
        for name, place in places.items()
        for file in ([place] if place.is_file() else sorted(place.rglob("*")))
        if file.is_file() and "__pycache__" not in file.parts
    }
