"""Larger searches by name: one YAML file each, on the prior of a preset of the data sets."""

from pathlib import Path

from nmr_platform.datasets import DataSettings, read_preset
from nmr_platform.errors import ConfigurationError
from nmr_platform.pulse_design.settings import PulseSearchSettings
from nmr_platform.schema import Schema, read_yaml, validate
from nmr_platform.simulation import Integrator

__all__ = ["SEARCHES", "read_search"]

_FOLDER = Path(__file__).parent

SEARCHES = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


class _Preset(Schema):
    """A search and the data whose prior it has.

    Attributes:
        data: Name of a preset of the data sets.
        integrator: Of the search, in place of the data's.
        pulse_search: The search.
    """

    data: str
    integrator: Integrator
    pulse_search: PulseSearchSettings


def read_search(name: str) -> tuple[DataSettings, PulseSearchSettings]:
    """The prior and the search that ``name`` stands for.

    Raises:
        ConfigurationError: There is no such preset.
    """
    if name not in SEARCHES:
        message = f"Argument `preset` must be one of {', '.join(SEARCHES)}, but is {name!r}."
        raise ConfigurationError(message, key="preset", value=name)
    preset = validate(_Preset, read_yaml(_FOLDER / f"{name}.yaml"))
    return read_preset(preset.data).replace(integrator=preset.integrator), preset.pulse_search
