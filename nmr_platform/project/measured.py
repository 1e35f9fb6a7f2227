"""The parameters of a project for a measured echo: its experiment, as far as the echo tells it, in params.yaml."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from scipy.signal import find_peaks

from nmr_platform.config import read_params
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Record, read_records
from nmr_platform.features import FeaturesSettings
from nmr_platform.inference.matched import Given, Look, Setting, echo_and_pulse, looks_of
from nmr_platform.project.shipped import shipped
from nmr_platform.schema import validate
from nmr_platform.stages.measured.infer import read_measured

__all__ = ["WIDENED", "Seen", "params_of", "read_off"]

# Where the comments of params.yaml stand.
_COLUMN = 33
# A record that begins so many points later than its dead time lacks what a simulated one begins with.
_LATE = 2.0
# Of the delays that a pulse search may take, the shortest in units of the measured one.
_SHORTEST = 0.25
# What the number read off the flanks does not know.
WIDENED = "couplings along x and y make an echo look as one of a wider line"
# |M| at the echo of free spins.
_FREE = 0.5


@dataclass(frozen=True)
class Seen:
    """What a measured echo tells of its experiment.

    Attributes:
        look: The record and what it shows.
        experiment: What ``data.experiment`` of params.yaml holds: MHz, us and degrees; no kernel and no coupling.
        n_beside: Points that the record has on each side of the echo.
        is_whole: Whether it begins after the first pulse, as that of a simulation, and not later.
        guessed: Whether nobody said the sequence, so that it is a Hahn echo whose delay was read off the record.
    """

    look: Look
    experiment: dict[str, Any]
    n_beside: int
    is_whole: bool
    guessed: bool


def read_off(path: Path, setting: Setting | None, given: Given, **options: Any) -> Seen:
    """Read the experiment off a measured echo.

    Args:
        path: A file of any format, with one record.
        setting: The sequence, and what else is known; a Hahn echo of 90 and 180 degrees if None, whose delay is half
            the time of the highest echo.
        given: What is known of the record, and need not be read off it.
        options: What `read_measured` and the format's reader take.

    Raises:
        ConfigurationError: Nobody says the sequence, and times do not count from the first pulse.
        DataError: There is no echo, or more than one record.
    """
    guessed = setting is None
    if setting is None:
        setting = Setting(sequence={"kind": "hahn", "tau": _delay(path, **options)})  # type: ignore[arg-type]
    sample = read_measured(path, setting, **options)
    if len(sample.records) > 1:
        message = (
            f"`{path}` holds {len(sample.records)} records, but option `--from-echo` reads one: choose by `--index`."
        )
        raise DataError(message, path=path)
    [record] = sample.records.values()
    dwell = record.dwell
    [experiment] = sample.setting.of_free_spins(dwell).experiments.values()
    found = looks_of({"": record}, {"": experiment}, {"": given})[""]
    shared = sample.setting.shared(dwell, _short(found.line.value))
    every = ceil(dwell / shared["step"] - 1e-9)
    unit = found.scale.value if found.scale.source == "given" else _FREE / _highest(found)
    receiver = {
        "noise": _short(found.noise.value * unit),
        "dead_time": _short(found.dead_time.value),
        "every": every,
    }
    step = setting.step or dwell / every
    live = found.record.time[np.abs(found.record.signal) > 0]
    echo, pulse = echo_and_pulse(experiment)
    first, last = max(live[0], pulse + found.dead_time.value), live[-1]
    n_beside = int(min(echo - first, last - echo) / dwell)
    is_whole = bool(live[0] <= found.dead_time.value + _LATE * dwell)
    return Seen(found, {**shared, "receiver": receiver, "step": step}, n_beside, is_whole, guessed)


def params_of(seen: Seen) -> str:
    """The text of a ``params.yaml`` whose curves are records of the measured experiment.

    Kernels, priors and seeds are those of the repository; windows have the same length in time, or as much of it as the
    record holds.

    Args:
        seen: What the echo tells.

    Raises:
        ConfigurationError: The pipeline cannot do with this experiment what its other parameters ask for.
    """
    yaml = _yaml()
    values = yaml.load(shipped()["params.yaml"].read_text(encoding="utf-8"))
    before = values["data"]["experiment"]["step"]
    _set_experiment(values["data"]["experiment"], seen)
    kept = seen.experiment["receiver"]["every"] * seen.experiment["step"]
    _fit_windows(values, before / kept, seen)
    _fit_search(values["pulse_search"]["space"]["sequences"][0]["vary"], seen.experiment["sequence"])
    text = io.StringIO()
    yaml.dump(values, text)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_text(text.getvalue(), encoding="utf-8")
        try:
            read_params(path)
        except ConfigurationError as error:
            message = str(error).replace(str(path), path.name)
            raise ConfigurationError(message, key=error.key, value=error.value) from error
    return text.getvalue()


def _delay(path: Path, *, since: str = "first", conjugate: bool = False, **options: Any) -> float:
    """Half the time of the highest echo, us: a free decay at the beginning has no flank before it, and is none."""
    del conjugate
    if since != "first":
        message = "Option `--since` needs `--experiment`: without a sequence, times count from the first pulse."
        raise ConfigurationError(message, key="since", value=since)
    record = next(iter(read_records(path, **options).values()))
    if not isinstance(record, Record):
        message = f"`{path}` must be a measured echo, but is a data set of simulated curves."
        raise DataError(message, path=path)
    peaks, shape = find_peaks(np.abs(record.signal), prominence=0.0)
    at = float(record.time[peaks[shape["prominences"].argmax()]]) if len(peaks) else 0.0
    if at <= 0:
        message = f"`{path}` has no echo after the first pulse: give `--start`, or the sequence by `--experiment`."
        raise DataError(message, path=path)
    return _short(at / 2)


def _highest(seen: Look) -> float:
    """The largest magnitude of the echo, in the unit of the file."""
    near = np.abs(seen.record.time - seen.expected_echo) <= max(1 / (np.pi * seen.line.value), 2 * seen.record.dwell)
    return float(np.abs(seen.record.signal[near]).max())


def _set_experiment(section: Any, seen: Seen) -> None:
    """Lay the measured experiment over that of the file, and say of each number where it comes from."""
    file, measured = seen.look.record.source.name, seen.experiment
    for key, value in measured.items():
        _lay_over(section, key, value)
    error = f" +- {seen.look.line.error:.2g}" if seen.look.line.error else ""
    scale = "" if seen.look.scale.source == "given" else " if the echo is 1/2 high"
    _say(section["line"], {"fwhm": f"MHz, full width at half maximum, or less: {WIDENED};{error} in {file}"})
    _say(
        section["receiver"],
        {
            "noise": f"units of M{scale}, on each part: {file}",
            "dead_time": f"us after a pulse: {file}",
            "every": "time steps between samples",
        },
    )
    _say(section, {"step": f"us, time step; {seen.look.record.dwell:.6g} us between samples in {file}"})
    sequence = seen.look.experiment.sequence
    _say(section["sequence"], {key: sequence.unit_of(key) or "number" for key in section["sequence"] if key != "kind"})
    if seen.guessed:
        _say(section["sequence"], {"tau": f"us between the pulses; half the time of the echo in {file}"})


def _lay_over(section: Any, key: str, value: Any) -> None:
    """Set a key; what is the same, or empty by default, stays as it is written."""
    if isinstance(value, Mapping) and value:
        if key not in section:
            section[key] = CommentedMap()
        for name, each in value.items():
            _lay_over(section[key], name, each)
        for name in [name for name in section[key] if key == "sequence" and name not in value]:
            del section[key][name]
    elif value not in (None, {}, []) and section.get(key) != value:
        section[key] = value


def _fit_windows(values: Any, ratio: float, seen: Seen) -> None:
    """Keep the windows as long in time as they were, as far as the record goes, and the sets called what they are."""
    for owner, tuned in ((values, (values["tune"], values["disorder_comparison"])), (values["designed"], None)):
        sets = owner["features"]["sets"]
        names = _names(sets)
        for item in sets:
            _fit_window(item, ratio, seen if owner is values else None)
        renamed = dict(zip(names, _names(sets), strict=True))
        for section in tuned or (owner["tune"],):
            key = "feature_set" if "feature_set" in section else "feature_sets"
            named = section[key]
            if isinstance(named, str):
                section[key] = renamed[named]
            else:
                named[:] = [renamed[name] for name in named]
    _fit_window(values["pulse_search"]["features"], ratio, None)


def _fit_window(item: Any, ratio: float, seen: Seen | None) -> None:
    if "decimate" in item:
        item["decimate"] = max(1, round(item["decimate"] * ratio))
    if seen is None:
        return
    if item.get("window") != "record" or not seen.is_whole:
        item.pop("window", None)
        wanted = max(1, round(item.get("half_width", 150) * ratio))
        item["half_width"] = min(wanted, seen.n_beside)


def _names(sets: Any) -> list[str]:
    return [item.name for item in validate(FeaturesSettings, {"sets": [dict(item) for item in sets]}).sets]


def _fit_search(vary: Any, sequence: Mapping[str, Any]) -> None:
    """Search among the keys that the measured sequence has, delays no longer than the measured one."""
    for key in [key for key in vary if key not in sequence]:
        del vary[key]
    if "tau" in vary:
        vary["tau"].update(low=_short(_SHORTEST * sequence["tau"]), high=sequence["tau"])


def _say(section: Any, meanings: Mapping[str, str]) -> None:
    """Set the comments of keys."""
    for key, meaning in meanings.items():
        section.yaml_add_eol_comment(meaning, key, column=_COLUMN)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _yaml() -> YAML:
    """A reader and writer that keeps comments and the look of lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml
