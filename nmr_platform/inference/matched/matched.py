"""A training set for one measurement: its sequences, points, noise, and what is not known drawn around the look.

Simulated records are treated exactly as the measured ones: brought onto their points, cut where they are cut, covered
by their noise, and looked at in the same way. Phase, offset and amplification of a receiver are taken out by that look
whatever they are, so that simulated receivers need none; how far the look is misled by the couplings is part of what is
learnt.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nmr_platform.datasets import Recipe, labels_of, unrecorded
from nmr_platform.errors import DataError
from nmr_platform.exchange import Record
from nmr_platform.features import Acquisition, PointwiseFeatures, extract
from nmr_platform.inference.matched.drawn import recipe_of, widths_around
from nmr_platform.inference.matched.look import Given, look
from nmr_platform.inference.matched.looks import Looks, looks_of
from nmr_platform.inference.matched.setting import KernelPrior, Setting
from nmr_platform.physics import Experiment

__all__ = ["Curves", "Matched", "Misled", "Tables", "dwell_of"]

Curves = Mapping[str, tuple[NDArray[np.float64], NDArray[np.complex64]]]
"""Simulated curves of each record: times in us, shape (n_time,), and M(t), shape (n, n_time)."""

# Measured numbers are taken in cells of this ratio: records of one experiment fall into one and share a training set.
_CELL = 1.25
# Cells on either side for which a training set is good: records of one experiment may lie on both sides of a border.
_REACH = 1.1
# A try-out's curves whose echo shows what the record's does tell which widths are possible; no fewer than these.
_FEWEST_ALIKE, _BEYOND = 16, 1.75
# Share of the records that are misled less than what is told: as a standard deviation has it.
_MOSTLY = 0.68
_LEAST_NOISE = 1e-6
# Columns of a feature table that samples are averaged into; no fewer for each of many records.
_BINS, _FEWEST_BINS = 100, 25


class Misled(NamedTuple):
    """How far the couplings mislead a look: two of three simulated records are misled less.

    Attributes:
        phase: Error of the phase, degrees.
        offset: Error of the offset, MHz.
        line: Error of the logarithm of the line's width.
    """

    phase: float
    offset: float
    line: float


class Tables(NamedTuple):
    """What is learnt from.

    Attributes:
        features: Tables by name, rows in the order of ``labels``.
        labels: Kernel, disorder and parameters of every curve.
        misled: See `Misled`.
        dropped: Simulated curves that show no echo where the first measured record does.
    """

    features: dict[str, pd.DataFrame]
    labels: pd.DataFrame
    misled: Misled
    dropped: int


@dataclass(frozen=True)
class Matched:
    """What a training set is made for.

    Attributes:
        setting: What the user says of the measurement.
        priors: Of every kernel that is asked for.
        records: Where the points of each lie and which were recorded, by name, the one that shows the receiver first;
            the signals themselves do not matter.
        given: What was not estimated.
        line: Width of the line that the first echo shows, in cells, MHz.
        noise: Noise of each record over the height of the first echo, in cells; in the unit of M where the scale is
            known.
        widths: Between which the line's width is drawn where the user does not say it, MHz.
    """

    setting: Setting
    priors: Mapping[str, KernelPrior]
    records: Mapping[str, Record]
    given: Given
    line: float
    noise: Mapping[str, float]
    widths: tuple[float, float]

    @classmethod
    def of(cls, seen: Looks, setting: Setting, priors: Mapping[str, KernelPrior], given: Given) -> Self:
        """The training set for a measurement, with all widths of the line that an echo like its first may have.

        Args:
            seen: The looks at its records.
            setting: What the user says of the measurement.
            priors: Of every kernel that is asked for.
            given: What was not estimated.
        """
        line = _cell(_line(seen))
        noise = {name: _cell(each) for name, each in _noise(seen, given).items()}
        records = {name: each.record for name, each in seen.items()}
        return cls(setting, priors, records, given, line, noise, widths_around(line))

    def at(self, line: float, noise: Mapping[str, float], widths: tuple[float, float]) -> Self:
        """The same for another line and noise, see the attributes."""
        return replace(self, line=line, noise=noise, widths=(widths[0], widths[1]))

    def possible_widths(self, datasets: Mapping[str, Mapping[str, xr.Dataset]]) -> tuple[float, float]:
        """Between which widths the line of a record lies whose echo shows `line`.

        Args:
            datasets: A try-out: of every kernel its records, as `recipes` describes them.

        Returns:
            The narrowest and the widest of those that the try-out had such echoes of, and a little more, in MHz.

        Raises:
            DataError: None of the curves shows an echo.
        """
        tables = self.tables(datasets)
        seen = next(iter(tables.features.values()))["look_line"]
        off = np.abs(seen - log(self.line)).to_numpy()
        n_alike = max(_FEWEST_ALIKE, int((off <= _REACH * log(_CELL)).sum()))
        alike = tables.labels["fwhm"].to_numpy()[np.argsort(off, kind="stable")[:n_alike]]
        low, high = float(alike.min()) / _BEYOND, float(alike.max()) * _BEYOND
        return float(f"{max(low, self.widths[0]):.6g}"), float(f"{min(high, self.widths[1]):.6g}")

    def serves(self, seen: Looks) -> bool:
        """Whether line and noise of a measurement are among those that this one is made for."""
        found = _noise(seen, self.given)
        if [*self.noise] != [*found]:
            return False
        pairs = [(_line(seen), self.line), *((found[name], own) for name, own in self.noise.items())]
        return all(abs(log(value / own)) <= _REACH * log(_CELL) for value, own in pairs)

    @property
    def first(self) -> str:
        """Name of the record that shows the receiver."""
        return next(iter(self.records))

    @property
    def has_phase(self) -> bool:
        """Whether all records have more than their magnitude."""
        return all(record.has_phase for record in self.records.values())

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The experiment of each record on free spins, for looks at it."""
        return self.setting.of_free_spins(dwell_of(self.records)).experiments

    @property
    def digest(self) -> str:
        """Identity: measurements that share it share a training set."""
        points = {
            name: {
                "times": [record.start, record.dwell, len(record.signal)],
                "recorded": hashlib.sha256(np.packbits(_live(record)).tobytes()).hexdigest(),
            }
            for name, record in self.records.items()
        }
        content = {
            "recipes": [recipe.curve_digest for recipe in self.recipes(1).values()],
            "records": points,
            "first": self.first,
            "known": sorted(name for name, value in self.given.model_dump().items() if value is not None),
            "noise": dict(self.noise),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def recipes(self, n_curves: int) -> dict[str, Recipe]:
        """The data set of every kernel.

        Args:
            n_curves: Curves of each.

        Raises:
            ConfigurationError: The setting or a prior is not acceptable.
        """
        dwell, widths = dwell_of(self.records), self.widths
        return {
            name: recipe_of(name, each, self.setting, dwell, widths, n_curves) for name, each in self.priors.items()
        }

    def features_of(self, looks: Sequence[Looks]) -> dict[str, pd.DataFrame]:
        """The feature tables of measurements, real or simulated.

        Args:
            looks: At each of n measurements, whose records have the points of `records`.

        Returns:
            Tables by name, n rows each.
        """
        signals = {name: np.array([each[name].corrected.signal for each in looks]) for name in self.records}
        taken = {
            name: Acquisition(
                echo_index=int(np.abs(record.time - looks[0][name].expected_echo).argmin()),
                step=record.dwell,
                n_samples=len(record.signal),
            )
            for name, record in self.records.items()
        }
        points = sum(each.n_samples for each in taken.values())
        decimate = max(1, points // max(_BINS, _FEWEST_BINS * len(taken)))
        signal: Literal["complex", "magnitude"] = "complex" if self.has_phase else "magnitude"
        taken_from = PointwiseFeatures(signal=signal, window="record", decimate=decimate)
        first = [each[self.first] for each in looks]
        seen = {"look_line": [log(each.line.value) for each in first], "look_echo": [each.echo.value for each in first]}
        shown = pd.DataFrame(seen, dtype=np.float32)
        return {taken_from.name: pd.concat([extract(signals, taken_from, taken), shown], axis=1)}

    def tables(self, datasets: Mapping[str, Mapping[str, xr.Dataset]]) -> Tables:
        """Simulated curves, treated as the measured records were.

        Args:
            datasets: Of every kernel its records, as `recipes` describes them.

        Raises:
            DataError: None of them shows an echo.
        """
        looks: list[Looks] = []
        labels = []
        for records in datasets.values():
            first = records[self.first]
            seed = zlib.crc32(str(first.attrs["digest"]).encode())
            curves = {name: (each["time"].to_numpy(), each["m"].to_numpy()) for name, each in records.items()}
            treated = self.looks_at(curves, seed)
            labels.append(labels_of(first).loc[[each is not None for each in treated]])
            looks += [each for each in treated if each is not None]
        if not looks:
            source = self.records[self.first].source
            message = f"No simulated curve has an echo like that of `{source}`; is the prior right?"
            raise DataError(message, path=source)
        known = pd.concat(labels, ignore_index=True)
        line = self.experiments[self.first].line
        width: Any = known["fwhm"].to_numpy() if "fwhm" in known else line.model_dump().get("fwhm", 1.0)
        seen = [each[self.first] for each in looks]
        ratio = np.log([each.line.value for each in seen]) - np.log(width)
        misled = Misled(
            *(
                float(np.quantile(np.abs(each), _MOSTLY))
                for each in (
                    [each.phase.value for each in seen],
                    [each.offset.value for each in seen],
                    ratio,
                )
            )
        )
        n_curves = sum(records[self.first].sizes["curve"] for records in datasets.values())
        return Tables(self.features_of(looks), known, misled, n_curves - len(looks))

    def looks_at(self, curves: Curves, seed: int, *, noisy: bool = True) -> list[Looks | None]:
        """Looks at simulated measurements that are treated as the real one; None where there is no echo to be seen.

        Args:
            curves: Of each record by name, time in us, shape (n_time,), and simulated M(t), shape (n, n_time).
            seed: Of the receivers' noise.
            noisy: Whether they have any.
        """
        experiments, rng = self.experiments, np.random.default_rng(seed)
        treated = [_Treated.of(curves[name], record, rng) for name, record in self.records.items()]
        levels = [noisy * self.noise[name] * each.levels for name, each in zip(self.records, treated, strict=True)]
        return [
            self._looks(
                {
                    name: (each.clean[number], each.receiver[number])
                    for name, each in zip(self.records, treated, strict=True)
                },
                {name: float(each[number]) for name, each in zip(self.records, levels, strict=True)},
                experiments,
            )
            for number in range(len(levels[0]))
        ]

    def _looks(
        self,
        curves: Mapping[str, tuple[NDArray[np.complex128], NDArray[np.complex128]]],
        noise: Mapping[str, float],
        experiments: Mapping[str, Experiment],
    ) -> Looks | None:
        """The looks at a simulated measurement, of each record its signal and noise; None if no echo is to be seen."""
        clean = {name: replace(self.records[name], signal=signal) for name, (signal, _) in curves.items()}
        try:
            unit = 1.0
            if self.given.scale is None:
                known = self.given.of_simulated(0.0)
                unit = look(clean[self.first], experiments[self.first], known).height.value
            seen = {}
            for name, (signal, receiver) in curves.items():
                noisy = signal + noise[name] * unit * receiver
                has_phase = self.records[name].has_phase
                seen[name] = replace(clean[name], signal=noisy if has_phase else np.abs(noisy).astype(np.complex128))
            return looks_of(
                seen, experiments, {name: self.given.of_simulated(each * unit) for name, each in noise.items()}
            )
        except DataError:
            return None


class _Treated(NamedTuple):
    """Simulated curves where a measured record has its points, zero where that was not recorded.

    Attributes:
        clean: Without noise, shape (n, n_samples).
        receiver: Noise of one in each part, shape (n, n_samples).
        levels: What it is multiplied by within its cell, shape (n,).
    """

    clean: NDArray[np.complex128]
    receiver: NDArray[np.complex128]
    levels: NDArray[np.float64]

    @classmethod
    def of(
        cls, simulated: tuple[NDArray[np.float64], NDArray[np.complex64]], record: Record, rng: np.random.Generator
    ) -> Self:
        time, m = simulated
        live = _live(record)
        clean: NDArray[np.complex128] = CubicSpline(time, m.astype(np.complex128), axis=1)(record.time)
        receiver = rng.normal(size=(*clean.shape, 2)) @ np.array([1, 1j])
        return cls(np.where(live, clean, 0), np.where(live, receiver, 0), _CELL ** rng.uniform(-_REACH, _REACH, len(m)))


def dwell_of(records: Mapping[str, Record]) -> float:
    """The shortest time between points of some records, us."""
    return min(record.dwell for record in records.values())


def _line(seen: Looks) -> float:
    """Width of the line that the first echo shows, MHz."""
    return next(iter(seen.values())).line.value


def _noise(seen: Looks, given: Given) -> dict[str, float]:
    """Noise of each record over the height of the first echo, or in the unit of M where the scale is known."""
    first = next(iter(seen.values()))
    unit = 1 / first.height.value if given.scale is None else first.scale.value
    return {name: max(each.noise.value * unit, _LEAST_NOISE) for name, each in seen.items()}


def _live(record: Record) -> NDArray[np.bool_]:
    """Which points were recorded."""
    return ~unrecorded(record.signal[None])[0]


def _cell(value: float) -> float:
    """The middle of the cell that a number falls into."""
    return float(f"{_CELL ** round(log(value) / log(_CELL)):.6g}")
