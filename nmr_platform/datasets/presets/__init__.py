"""Data sets of the literature, and two of our own, by name: one YAML file each, as the `data` part of params.yaml."""

from pathlib import Path

from nmr_platform.datasets.recipe.settings import DataSettings
from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import read_yaml, validate

__all__ = ["PRESETS", "read_preset"]

_FOLDER = Path(__file__).parent

PRESETS = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def read_preset(name: str) -> DataSettings:
    """The data sets that ``name`` stands for.

    Raises:
        ConfigurationError: There is no such preset.
    """
    if name not in PRESETS:
        message = f"Argument `preset` must be one of {', '.join(PRESETS)}, but is {name!r}."
        raise ConfigurationError(message, key="preset", value=name)
    return validate(DataSettings, read_yaml(_FOLDER / f"{name}.yaml"), where="data")
