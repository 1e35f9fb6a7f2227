"""Data sets made of files: curves of another program, and measured echoes with their sequences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from nmr_platform.datasets import check_target, publish
from nmr_platform.errors import ConfigurationError
from nmr_platform.exchange.format import Format
from nmr_platform.exchange.formats import (
    CORRECTIONS,
    EXPERIMENT,
    format_of,
    options_for_import,
    read_records,
    refuse_ignored,
)
from nmr_platform.exchange.records.measured import measured_curves
from nmr_platform.exchange.records.record import Record
from nmr_platform.exchange.records.several import EchoHeight, as_one_measurement, echo_heights, paired
from nmr_platform.exchange.records.told import Told
from nmr_platform.physics import Measurement
from nmr_platform.schema import read_value

__all__ = ["Imported", "import_file"]


@dataclass(frozen=True)
class Imported:
    """A data set that was made of a file.

    Attributes:
        path: Where it is.
        format: What the file was.
        curves: Number of its curves.
        samples: Length of each; of several records by their names.
        facts: Its name and digest; of a measured echo also phase (degrees), offset (MHz) and scale taken out.
        told: What the file of a measured echo says, of several records what they share.
        echoes: Time and height of the last echo of each measured record.
    """

    path: Path
    format: str
    curves: int
    samples: int | Mapping[str, int]
    facts: Mapping[str, Any]
    told: Told | None = None
    echoes: Mapping[str, EchoHeight] = field(default_factory=dict)

    def __str__(self) -> str:
        """A few sentences."""
        taken_out = "; phase {phase:.1f} degrees, offset {offset:.6f} MHz taken out" if "phase" in self.facts else ""
        several = {} if isinstance(self.samples, int) else self.samples
        lengths = " and ".join(f"{n} ({name})" for name, n in several.items()) or self.samples
        sentence = f"{self.path}: {self.curves} curves of {lengths} samples, digest {self.facts.get('digest')}"
        said = [f"{sentence}{taken_out.format(**self.facts)}."]
        if self.told is not None and str(self.told):
            said.append(f"The file says: {self.told}.")
        if self.echoes and several:
            heights = ", ".join(f"{echo.height:.4f} at {echo.time:.6g} us" for echo in self.echoes.values())
            said.append(f"|M| at the echoes: {heights}.")
        return " ".join(said)


def import_file(source: Path, out: Path, *, format: str | None = None, **options: Any) -> Imported:
    """Make a data set of curves of another program, or of measured echoes.

    Args:
        source: What to read.
        out: Data set to make, a Zarr folder; only a data set is replaced.
        format: A key of `FORMATS`; by its name if None.
        options: See `import_options`.

    Raises:
        ConfigurationError: The format has no such option, or the sequence of a measured echo is missing.
        DataError: The source cannot be read, or there is something else at ``out``.

    Example:
        >>> import numpy as np, yaml
        >>> time = np.arange(0.0, 60.0, 0.25)
        >>> np.savetxt("echo.csv", np.column_stack([time, np.exp(-(((time - 40.0) / 5.0) ** 2)), 0.0 * time]))
        >>> hahn = {"sequence": {"kind": "hahn", "tau": 20.0}, "step": 0.5, "lattice": {"shape": [4, 4]}}
        >>> rest = {"kernel": {"kind": "uniform"}, "line": {"fwhm": 0.05, "bandwidth": 0.2}}
        >>> coupling = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
        >>> _ = Path("hahn.yaml").write_text(yaml.safe_dump({**hahn, **rest, "coupling": coupling}))
        >>> print(import_file(Path("echo.csv"), Path("echo.zarr"), experiment=Path("hahn.yaml")))
        echo.zarr: 1 curves of 120 samples, digest ...; phase 90.0 degrees, offset 0.000000 MHz taken out.
    """
    check_target(out)
    chosen = format_of(source, format)
    refuse_ignored(options, options_for_import(chosen), [chosen.name])
    measurement = _measurement(options.get(EXPERIMENT.name), chosen) if chosen.measured else None
    own = {name: value for name, value in options.items() if name not in {EXPERIMENT.name, *CORRECTIONS}}
    read = read_records(source, format=chosen.name, **own)
    told: Told | None = None
    if measurement is not None:
        measured = {name: each for name, each in read.items() if isinstance(each, Record)}
        corrections = {name: value for name, value in options.items() if name in CORRECTIONS}
        curves = measured_curves(paired(measured, measurement, source), **corrections)
        records = as_one_measurement(curves, measurement)
        told = next(iter(measured.values())).told
    else:
        records = {name: each for name, each in read.items() if isinstance(each, xr.Dataset)}
    for dataset in records.values():
        dataset.attrs.pop("format_version", None)
    publish(records, out)
    first = next(iter(records.values()))
    names = ("name", "digest", *(("phase", "offset", "scale") if chosen.measured else ()))
    whole = first.attrs | {"digest": first.attrs.get("whole_digest", first.attrs.get("digest"))}
    facts = {name: whole[name] for name in names if name in whole}
    samples = {name: dataset.sizes["time"] for name, dataset in records.items()}
    echoes = echo_heights(records) if chosen.measured else {}
    return Imported(out, chosen.name, first.sizes["curve"], samples.get("", samples), facts, told, echoes)


def _measurement(path: Path | None, chosen: Format) -> Measurement:
    """The sequence of a measured echo, or those of several."""
    if path is None:
        message = f"A measured echo ({chosen.name}) needs its sequence: give `--experiment`, a YAML file."
        raise ConfigurationError(message, key="experiment")
    return read_value(path, Measurement)
