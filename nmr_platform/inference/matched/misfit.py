"""Does a record look like what was simulated near it? A p-value, and in words what differs."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.inference.matched.look import Look
from nmr_platform.inference.matched.looks import Looks
from nmr_platform.inference.novelty import Novelty
from nmr_platform.learning import conformal_p_values

__all__ = ["Misfit", "Neighbourhood", "parts_of", "words_of"]

# Curves around a record through which a flat piece is laid: couplings, line, calibration and phase move a curve in
# about so many directions.
_NEAREST, _DIRECTIONS = 40, 6
# Simulated records that are compared with their own neighbours in the same way.
_REFERENCES = 200
_TINY = 1e-12
_SIGNIFICANT = 0.05
_WORDS = {
    "before": "its rise before the echo",
    "top": "the top of the echo",
    "after": "its decay after the echo",
    "line": "the apparent width of the line",
    "place": "the place of the echo (`--start`, `--since` or the key `sequence` may be wrong)",
    "shape": "its shape as a whole (noise, pulses, damping or another kernel)",
}


class Misfit(NamedTuple):
    """How a record differs from what was simulated near it.

    Attributes:
        p_value: How often a simulated record of its kind differs as much, in whatever differs most.
        parts: The same for each part by itself, see `words_of`.
    """

    p_value: float
    parts: dict[str, float]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What differs, in a sentence; nothing where the record is like the simulated ones."""
        if self.p_value >= _SIGNIFICANT:
            return ()
        differing = [name for name, p in self.parts.items() if p <= 2 * min(self.parts.values())]
        what = ", ".join(words_of(name) for name in differing)
        return (
            f"No simulated record is like this one (p = {self.p_value:.2g}); what differs most: {what}. Do not trust "
            "the rest: the line, the pulses, the damping or the kernel may be others than those that were drawn.",
        )


@dataclass(frozen=True)
class Neighbourhood:
    """Simulated records, each with its own disorder, among which a record has its neighbours.

    A record is compared with the flat piece through its nearest neighbours, and what it has beyond that is compared
    with what simulated records have beyond theirs: a conformal test of the largest of several differences.

    Attributes:
        samples: The samples of every simulated record in a row, shape (n, n_samples).
        shown: What a look shows of each, ``line`` and ``place``, shape (n, 2).
        part: Which part of the record a column of ``samples`` belongs to.
    """

    samples: NDArray[np.float32]
    shown: NDArray[np.float32]
    part: NDArray[np.str_]

    @classmethod
    def of(cls, features: pd.DataFrame, seen: Looks) -> Self:
        """The neighbourhood of measurements like one.

        Args:
            features: Of simulated ones, as `Matched.features_of` has them: samples, and the two columns of a look.
            seen: The looks at it: where the echo is, and how wide.
        """
        values = features.to_numpy(dtype=np.float32)
        parts = []
        for column in features.columns[:-2]:
            # Columns are named by record and distance from its echo in points, for instance ``s1.re_-12``.
            record, _, own = str(column).rpartition(".")
            late = seen[record].record.dwell * int(own.rsplit("_", 1)[1])
            parts += [*parts_of(seen[record], np.array([late]), record)]
        return cls(values[:, :-2], values[:, -2:], np.array(parts))

    def misfit(self, features: pd.DataFrame, novelty: Novelty) -> Misfit:
        """What of a record is unlike the simulated ones.

        Args:
            features: Of the record, one row.
            novelty: What simulated records look like as a whole, of the same rows.
        """
        row = features.to_numpy(dtype=np.float32)
        own = self._differences(row[0, :-2], row[0, -2:], None)
        chosen = np.random.default_rng(0).permutation(len(self.samples))[:_REFERENCES]
        others = [self._differences(self.samples[each], self.shown[each], each) for each in chosen]
        known = {name: np.array([each[name] for each in others]) for name in own}
        likely = novelty.calibration
        shapes = 2 * np.minimum(conformal_p_values(-likely, -likely), conformal_p_values(likely, likely))
        own["shape"], known["shape"] = -float(novelty.p_values(features)[0]), -shapes[chosen]
        parts = {name: float(conformal_p_values(np.array([own[name]]), known[name])[0]) for name in own}
        # The smallest of several p-values is small more often: it is compared with the smallest of the others.
        smallest = np.min([_among_themselves(each) for each in known.values()], axis=0)
        p_value = conformal_p_values(-np.array([min(parts.values())]), -smallest)[0]
        return Misfit(float(p_value), parts)

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return np.asarray((self.samples**2).sum(axis=1), dtype=np.float32)

    def _nearest(self, samples: NDArray[np.float32], without: int | None) -> NDArray[np.intp]:
        # But for the square of ``samples`` itself, which is the same for all.
        distance = self._squares - 2 * (self.samples @ samples)
        if without is not None:
            distance[without] = np.inf
        return np.argsort(distance, kind="stable")[: len(distance) - (without is not None)]

    def _differences(
        self, samples: NDArray[np.float32], shown: NDArray[np.float32], without: int | None
    ) -> dict[str, float]:
        """What one record has beyond the flat piece through its neighbours, by part."""
        n = min(_NEAREST, max(4, len(self.samples) // 4))
        near = self._nearest(samples, without)[:n]
        centre = self.samples[near].mean(axis=0)
        around = self.samples[near] - centre
        # Of so few rows: the directions of the matrix follow from those of its small square.
        _, mixes = np.linalg.eigh(around @ around.T)
        directions = mixes[:, -min(_DIRECTIONS, n // 4) :].T @ around
        directions /= np.linalg.norm(directions, axis=1, keepdims=True) + _TINY
        beyond = samples - centre
        beyond = beyond - (beyond @ directions.T) @ directions
        # Where curves are few and far between, even the neighbours lie beside the flat piece.
        theirs = around - (around @ directions.T) @ directions
        found = {}
        for name in np.unique(self.part):
            own, usual = beyond[self.part == name], theirs[:, self.part == name]
            found[str(name)] = float((own**2).sum() / ((usual**2).sum() / n + _TINY))
        spread = self.shown[near].std(axis=0) + 1e-6
        line, place = np.abs(shown - np.median(self.shown[near], axis=0)) / spread
        return found | {"line": float(line), "place": float(place)}


def parts_of(seen: Look, late: NDArray[np.float64], record: str = "") -> NDArray[np.str_]:
    """Which part of a record points belong to, by their time from the echo in us.

    Args:
        seen: The look at the record.
        late: Times, shape (n,).
        record: Its name.

    Returns:
        ``before``, ``top`` or ``after``, of a named record ``<record>.top``, shape (n,).
    """
    half = max(1 / (np.pi * seen.line.value), 2 * seen.record.dwell)
    part = np.where(np.abs(late) <= half, "top", np.where(late < 0, "before", "after"))
    return np.char.add(f"{record}." if record else "", part)


def words_of(part: str) -> str:
    """What differs, in words.

    Args:
        part: As `parts_of` calls it, or ``line``, ``place`` or ``shape``.
    """
    record, _, own = part.rpartition(".")
    return f"{_WORDS[own]} of record `{record}`" if record else _WORDS[own]


def _among_themselves(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p-value of each among all of them, shape (n,)."""
    as_high = len(scores) - np.searchsorted(np.sort(scores), scores, side="left")
    return np.asarray((1.0 + as_high) / (len(scores) + 1.0), dtype=np.float64)
