"""A training set for one measurement: its sequence, its points, its noise, and what is not known drawn around the look.

Simulated records are treated exactly as the measured one: brought onto its points, cut where it is cut, covered by its
noise, and looked at in the same way. Phase, offset and amplification of a receiver are taken out by that look whatever
they are, so that simulated receivers need none; how far the look is misled by the couplings is part of what is learnt.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log, sqrt
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
from nmr_platform.inference.matched.look import Given, Look, look
from nmr_platform.inference.matched.setting import KernelPrior, Setting
from nmr_platform.physics import Experiment
from nmr_platform.schema import validate

__all__ = ["Matched", "Misled", "Tables", "recipe_of", "widths_around"]

# Measured numbers are taken in cells of this ratio: records of one experiment fall into one and share a training set.
_CELL = 1.25
# Cells on either side for which a training set is good: records of one experiment may lie on both sides of a border.
_REACH = 1.1
# Couplings make an echo somewhat wider than its line, or much narrower: a strong one leaves a rest that rings on.
# Widths are tried from this share of what the echo shows, up to so many MHz or this multiple.
_NARROWEST, _WIDEST, _MULTIPLE = 1 / 3, 0.25, 2.0
# A try-out's curves whose echo shows what the record's does tell which widths are possible; no fewer than these.
_FEWEST_ALIKE, _BEYOND = 16, 1.5
_SIDES = 64, 96, 128
_CALIBRATION = {"kind": "normal", "mean": 1.0, "std": 0.03, "low": 0.9, "high": 1.1}
# Share of the records that are misled less than what is told: as a standard deviation has it.
_MOSTLY = 0.68
_LEAST_NOISE = 1e-6
# Columns of a feature table that samples are averaged into.
_BINS = 100


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
        dropped: Simulated curves that show no echo where the measured record does.
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
        record: Where its points lie and which were recorded; the signal itself does not matter.
        given: What was not estimated.
        line: Width of the line that the echo shows, in cells, MHz.
        noise: Noise over the height of the echo, in cells; in the unit of M where the scale is known.
        widths: Between which the line's width is drawn where the user does not say it, MHz.
    """

    setting: Setting
    priors: Mapping[str, KernelPrior]
    record: Record
    given: Given
    line: float
    noise: float
    widths: tuple[float, float]

    @classmethod
    def of(cls, seen: Look, setting: Setting, priors: Mapping[str, KernelPrior], given: Given) -> Self:
        """The training set for a record, with all widths of the line that an echo like it may have.

        Args:
            seen: The look at it.
            setting: What the user says of the measurement.
            priors: Of every kernel that is asked for.
            given: What was not estimated.
        """
        line, noise = (_cell(each) for each in _line_and_noise(seen, given))
        return cls(setting, priors, seen.record, given, line, noise, widths_around(line))

    def at(self, line: float, noise: float, widths: tuple[float, float]) -> Self:
        """The same for another line and noise, see the attributes."""
        return replace(self, line=line, noise=noise, widths=(widths[0], widths[1]))

    def possible_widths(self, datasets: Mapping[str, xr.Dataset]) -> tuple[float, float]:
        """Between which widths the line of a record lies whose echo shows `line`.

        Args:
            datasets: A try-out: of every kernel, as `recipes` describes them.

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

    def serves(self, seen: Look) -> bool:
        """Whether line and noise of a record are among those that this one is made for."""
        pairs = zip(_line_and_noise(seen, self.given), (self.line, self.noise), strict=True)
        return all(abs(log(found / own)) <= _REACH * log(_CELL) for found, own in pairs)

    @property
    def experiment(self) -> Experiment:
        """The experiment on free spins, for looks at records."""
        return self.setting.of_free_spins(self.record.dwell)

    @property
    def digest(self) -> str:
        """Identity: records that share it share a training set."""
        live = ~unrecorded(self.record.signal[None])[0]
        content = {
            "recipes": [recipe.curve_digest for recipe in self.recipes(1).values()],
            "times": [self.record.start, self.record.dwell, len(live)],
            "recorded": hashlib.sha256(np.packbits(live).tobytes()).hexdigest(),
            "known": sorted(name for name, value in self.given.model_dump().items() if value is not None),
            "noise": self.noise,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def recipes(self, n_curves: int) -> dict[str, Recipe]:
        """The data set of every kernel.

        Args:
            n_curves: Curves of each.

        Raises:
            ConfigurationError: The setting or a prior is not acceptable.
        """
        dwell, widths = self.record.dwell, self.widths
        return {
            name: recipe_of(name, each, self.setting, dwell, widths, n_curves) for name, each in self.priors.items()
        }

    def features_of(self, looks: list[Look]) -> dict[str, pd.DataFrame]:
        """The feature tables of records, measured or simulated.

        Args:
            looks: At each of n records on the points of `record`.

        Returns:
            Tables by name, n rows each.
        """
        signals = np.array([each.corrected.signal for each in looks])
        time, n = self.record.time, signals.shape[1]
        echo = int(np.abs(time - looks[0].expected_echo).argmin())
        taken = Acquisition(echo_index=echo, step=self.record.dwell, n_samples=n)
        signal: Literal["complex", "magnitude"] = "complex" if self.record.has_phase else "magnitude"
        taken_from = PointwiseFeatures(signal=signal, window="record", decimate=max(1, n // _BINS))
        seen = {"look_line": [log(each.line.value) for each in looks], "look_echo": [each.echo.value for each in looks]}
        shown = pd.DataFrame(seen, dtype=np.float32)
        return {taken_from.name: pd.concat([extract(signals, taken_from, taken), shown], axis=1)}

    def tables(self, datasets: Mapping[str, xr.Dataset]) -> Tables:
        """Simulated curves, treated as the measured record was.

        Args:
            datasets: Of every kernel, as `recipes` describes them.

        Raises:
            DataError: None of them shows an echo.
        """
        looks: list[Look] = []
        labels = []
        for dataset in datasets.values():
            seed = zlib.crc32(str(dataset.attrs["digest"]).encode())
            treated = self.looks_at(dataset["time"].to_numpy(), dataset["m"].to_numpy(), seed)
            kept = [each is not None for each in treated]
            labels.append(labels_of(dataset).loc[kept])
            looks += [each for each in treated if each is not None]
        if not looks:
            message = f"No simulated curve has an echo like that of `{self.record.source}`; is the prior right?"
            raise DataError(message, path=self.record.source)
        known = pd.concat(labels, ignore_index=True)
        width: Any = known["fwhm"].to_numpy() if "fwhm" in known else self.experiment.line.model_dump().get("fwhm", 1.0)
        ratio = np.log([each.line.value for each in looks]) - np.log(width)
        misled = Misled(
            *(
                float(np.quantile(np.abs(each), _MOSTLY))
                for each in (
                    [each.phase.value for each in looks],
                    [each.offset.value for each in looks],
                    ratio,
                )
            )
        )
        n_curves = sum(dataset.sizes["curve"] for dataset in datasets.values())
        return Tables(self.features_of(looks), known, misled, n_curves - len(looks))

    def looks_at(
        self, time: NDArray[np.float64], m: NDArray[np.complex64], seed: int, *, noisy: bool = True
    ) -> list[Look | None]:
        """Looks at simulated records that are treated as the measured one was; None where there is no echo to be seen.

        Args:
            time: us, shape (n_time,).
            m: Simulated M(t), shape (n, n_time).
            seed: Of the receivers' noise.
            noisy: Whether they have any.
        """
        experiment, live = self.experiment, ~unrecorded(self.record.signal[None])[0]
        rng = np.random.default_rng(seed)
        curves: NDArray[np.complex128] = CubicSpline(time, m.astype(np.complex128), axis=1)(self.record.time)
        receiver = rng.normal(size=(*curves.shape, 2)) @ np.array([1, 1j])
        noises = noisy * self.noise * _CELL ** rng.uniform(-_REACH, _REACH, len(curves))
        return [
            self._look(np.where(live, curve, 0), np.where(live, own, 0), float(noise), experiment)
            for curve, own, noise in zip(curves, receiver, noises, strict=True)
        ]

    def _look(
        self, curve: NDArray[np.complex128], receiver: NDArray[np.complex128], noise: float, experiment: Experiment
    ) -> Look | None:
        """The look at a simulated record; None if there is no echo to be seen."""
        clean = replace(self.record, signal=curve)
        try:
            unit = 1.0
            if self.given.scale is None:
                unit = look(clean, experiment, self.given.of_simulated(0.0)).height.value
            noisy = curve + noise * unit * receiver
            seen = noisy if self.record.has_phase else np.abs(noisy).astype(np.complex128)
            return look(replace(clean, signal=seen), experiment, self.given.of_simulated(noise * unit))
        except DataError:
            return None


def widths_around(line: float) -> tuple[float, float]:
    """All widths that a line may have whose echo shows ``line``, whatever the couplings; in MHz."""
    return line * _NARROWEST, max(line * _MULTIPLE, _WIDEST)


def recipe_of(
    name: str,
    prior: KernelPrior,
    setting: Setting,
    dwell: float,
    widths: tuple[float, float],
    n_curves: int,
) -> Recipe:
    """The data set of a kernel, with what the user does not say of the experiment drawn beside its prior.

    Args:
        name: Of the kernel.
        prior: Its prior.
        setting: What the user says of the measurement.
        dwell: Time between the points of the record, us.
        widths: Between which the line's width is drawn where the user does not say it, MHz.
        n_curves: Number of curves.

    Raises:
        ConfigurationError: The setting or the prior is not acceptable.
    """
    values = {
        "name": name,
        "n_curves": n_curves,
        "seed": zlib.crc32(name.encode()),
        "integrator": "fast",
        "experiment": {**setting.shared(dwell, sqrt(widths[0] * widths[1])), "kernel": prior.kernel},
        "prior": {**_nuisances(setting, widths), **{key: d.model_dump() for key, d in prior.prior.items()}},
        "constraints": {key: range_.model_dump() for key, range_ in prior.constraints.items()},
    }
    return validate(Recipe, values)


def _nuisances(setting: Setting, widths: tuple[float, float]) -> dict[str, Any]:
    """What is drawn because the user does not say it."""
    drawn: dict[str, Any] = {}
    if setting.draws_line:
        drawn["line.fwhm"] = {"kind": "log_uniform", "low": widths[0], "high": widths[1]}
    if setting.drive is None:
        drawn["drive.calibration"] = _CALIBRATION
    if setting.lattice is None:
        drawn |= {f"lattice.shape.{axis}": {"kind": "choice", "values": _SIDES} for axis in (0, 1)}
    return drawn


def _line_and_noise(seen: Look, given: Given) -> tuple[float, float]:
    """Width of the line, MHz, and noise over the height of the echo, or in the unit of M where the scale is known."""
    known = given.scale is not None
    noise = seen.noise.value * (seen.scale.value if known else 1 / seen.height.value)
    return seen.line.value, max(noise, _LEAST_NOISE)


def _cell(value: float) -> float:
    """The middle of the cell that a number falls into."""
    return float(f"{_CELL ** round(log(value) / log(_CELL)):.6g}")
