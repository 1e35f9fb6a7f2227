"""What explains a measurement best: candidates simulated again and again, and the band that their echoes lie in.

An answer comes from curves that were simulated before the record was looked at. Here the record leads: a search over
what the answer leaves possible, for the mean echo that is nearest to it; all candidates share a few draws of the
disorder, so that they differ by their parameters alone. The best of them, under disorder and noise that no search has
seen, then say where a record like theirs may lie.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, Trial

from nmr_platform.datasets import (
    QUANTITIES,
    Constant,
    Curve,
    Expression,
    LogUniform,
    Range,
    Recipe,
    TruncatedNormal,
    Uniform,
    quantities_of,
    simulate_curves,
    unrecorded,
)
from nmr_platform.errors import DataError
from nmr_platform.inference.matched.answer import EXPERIMENT
from nmr_platform.inference.matched.looks import Looks, digest_of
from nmr_platform.inference.matched.matched import Matched
from nmr_platform.inference.matched.misfit import parts_of, words_of
from nmr_platform.inference.matched.posterior import Known, narrowed, outside
from nmr_platform.learning import conformal_p_values
from nmr_platform.studies import (
    Outcome,
    StudyRun,
    closing_storage,
    finished_trials,
    keep_run,
    open_study,
    run_trials,
    score_of,
)
from nmr_platform.tracking import RunEntry, Tracker

__all__ = ["Band", "Refined", "refine"]

# Draws of the disorder: for the mean echo of a candidate, for the scatter around one, and for the band; the fewest
# echoes that are a band.
_MEAN, _SCATTER, _BAND, _FEWEST = 4, 12, 10, 19
# So many candidates share the band; standard deviations of a calibration that are searched.
_BEST, _WIDTHS = 4, 2.0
_STARTUP = 0.4
_LEVEL = 0.9
_SIGNIFICANT = 0.05
_TINY = 1e-12
_HOPELESS = 1e3
_SHOWN = "W", "X", "Z", "xi"
# Couplings and what they are times the sum of the kernel.
_COUPLINGS = {"coupling.alpha_x": "X", "coupling.alpha_z": "Z"}
_AXIAL = Expression(kind="expression", value="coupling.alpha_x")


class Band(NamedTuple):
    """A record beside what its candidates look like.

    Attributes:
        time: us, shape (n,).
        measured: The corrected record, in the unit of M, shape (n,).
        lower: Lower end of the 90 % band, real and imaginary part by themselves, shape (n,).
        upper: Upper end of it.
        residual: What is left of the record, over the scatter, real and imaginary part by themselves, shape (n,).
    """

    time: NDArray[np.float64]
    measured: NDArray[np.complex128]
    lower: NDArray[np.complex128]
    upper: NDArray[np.complex128]
    residual: NDArray[np.complex128]


@dataclass(frozen=True)
class Refined:
    """A measurement beside its best candidates.

    Attributes:
        kernel: That of the candidates.
        values: Quantities and drawn numbers of the best one, by name, as columns of data sets are called.
        chi_square: Mean square of what the best one leaves of the records, over the scatter of disorder and noise.
        p_value: How often records of the candidates lie as far from their band.
        differs: Where they lie outside most, in words.
        bands: Each record by its name.
    """

    kernel: str
    values: Mapping[str, float]
    chi_square: float
    p_value: float
    differs: str
    bands: Mapping[str, Band]

    @property
    def warnings(self) -> tuple[str, ...]:
        """That no candidate is like the record, in a sentence, or nothing."""
        if self.p_value >= _SIGNIFICANT:
            return ()
        return (
            f"The best candidates of the {self.kernel} kernel, simulated again, are not like the record "
            f"(p = {self.p_value:.2g}); what differs most: {self.differs}.",
        )


def refine(
    seen: Looks,
    matched: Matched,
    kernel: str,
    known: Known,
    n_trials: int,
    *,
    tracker: Tracker,
    storage: Path,
    progress: Callable[[int], None],
) -> Refined:
    """Search for what explains a measurement, and simulate the best candidates again.

    Args:
        seen: The looks at its records.
        matched: What was simulated for it.
        kernel: The kernel of the candidates.
        known: Intervals of quantities within which they lie.
        n_trials: Candidates that are tried.
        tracker: Where the search is shown, in the experiment `EXPERIMENT`.
        storage: Folder of the study journal: what it holds is not tried again.
        progress: Told how many trials are over.

    Raises:
        DataError: No candidate has an echo.
    """
    fit = _Fit.of(seen, matched, narrowed(matched.recipes(1)[kernel], known), known)
    identity = {
        "record": digest_of(seen),
        "matched": matched.digest,
        "kernel": kernel,
        "space": {name: [each.low, each.high] for name, each in fit.space.items()},
    }
    name = f"refine/{_source(seen).stem}-{digest_of(seen)}/{kernel}-{zlib.crc32(repr(identity).encode()):08x}"
    with closing_storage(storage) as opened:
        study = open_study(
            opened, name, identity, seed=0, sampler="cmaes", startup_trials=max(2, int(_STARTUP * n_trials))
        )
        facts = {"kernel": kernel, "record": digest_of(seen)}
        keep_run(study, RunEntry(EXPERIMENT, name, facts, {"kind": "refine"}), "minus chi square")
        run = StudyRun.open(study, tracker)

        def show(trial: FrozenTrial) -> None:
            run.log_trial(trial)
            progress(1)

        with run.closing():
            run_trials(study, n_trials, fit, on_settled=show)
            run.log_summary()
        best = sorted(finished_trials(study), key=score_of, reverse=True)[:_BEST]
    if not best:
        raise _none_like(seen, kernel)
    return fit.beside([trial.params for trial in best], -score_of(best[0]), kernel)


@dataclass(frozen=True)
class _Fit:
    """A measurement, the candidates for it, and how far from it their echoes are.

    Attributes:
        seen: The looks at its records.
        own: The corrected records in a row, shape (n,).
        live: Where they were recorded, shape (n,).
        matched: What was simulated for them.
        recipe: Of the candidates.
        space: What is searched, by key; X and Z instead of the couplings, where these are what makes them up: range and
            exponent of the kernel change them by orders of magnitude.
        scatter: Variance that disorder and noise leave on each part of a candidate's echo, shape (n,).
    """

    seen: Looks
    own: NDArray[np.complex128]
    live: NDArray[np.bool_]
    matched: Matched
    recipe: Recipe
    space: Mapping[str, FloatDistribution]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, seen: Looks, matched: Matched, recipe: Recipe, known: Known) -> "_Fit":
        drawn = [recipe.curve(number) for number in range(_SCATTER)]
        space = {key: found for key, each in recipe.prior.items() if (found := _searched(each)) is not None}
        if set(_COUPLINGS) <= set(space) and recipe.prior.get("coupling.alpha_y") == _AXIAL:
            for key, name in _COUPLINGS.items():
                del space[key]
                values = [QUANTITIES[name].of(curve.experiment) for curve in drawn]
                told = known.get(name, Range(low=min(values), high=max(values)))
                space[name] = FloatDistribution(told.low, told.high)
        live = np.concatenate([~unrecorded(each.record.signal[None])[0] for each in seen.values()])
        fit = cls(seen, _in_a_row(seen), live, matched, recipe, space, np.ones(len(live)))
        pairs = [fit.echoes(fit.values_of(curve), 2, "scatter") for curve in drawn]
        around = [_variance(pair) for pair in pairs if len(pair) == 2]
        if not around:
            raise _none_like(seen, recipe.name)
        noise = np.concatenate(
            [np.full(len(each.record.signal), (each.noise.value * each.scale.value) ** 2) for each in seen.values()]
        )
        return replace(fit, scatter=np.median(around, axis=0) + noise)

    def __call__(self, trial: Trial) -> Outcome:
        """The objective: minus the mean square of what a candidate's mean echo leaves of the record.

        A candidate outside what is possible, or without an echo, counts as pruned.
        """
        values = {key: trial.suggest_float(key, each.low, each.high, log=each.log) for key, each in self.space.items()}
        # The noise of a magnitude does not cancel in the mean.
        noisy = not self.matched.has_phase
        off = self._outside(values)
        if off or not len(echoes := self.echoes(values, _MEAN, "mean", noisy=noisy)):
            return Outcome(-_HOPELESS * (1 + off), pruned=True)
        away = np.abs(self.own - echoes.mean(axis=0)) ** 2 / (2 * self.scatter * (1 + 1 / len(echoes)))
        chi_square = float(away[self.live].mean())
        return Outcome(-chi_square, metrics={"chi_square": chi_square})

    def echoes(
        self, values: Mapping[str, float], n: int, stream: str, *, noisy: bool = False
    ) -> NDArray[np.complex128]:
        """A candidate's echoes under n draws of the disorder, corrected as the record is, shape (<= n, n_samples)."""
        seed = zlib.crc32(f"{digest_of(self.seen)} {stream}".encode())
        recipe = self._recipe_at(values).replace(n_curves=n, seed=seed)
        simulated = simulate_curves([_coupled(recipe.curve(number), values) for number in range(n)], recipe)
        curves = {
            name: (each.time, np.array([echoes[name].m for echoes in simulated]))
            for name, each in recipe.examples.items()
        }
        looks = self.matched.looks_at(curves, seed, noisy=noisy)
        found = [_in_a_row(each) for each in looks if each is not None]
        return np.array(found).reshape(len(found), len(self.own))

    def beside(self, candidates: list[dict[str, float]], chi_square: float, kernel: str) -> Refined:
        """The record beside what the candidates look like under fresh disorder and noise."""
        band = np.concatenate(
            [self.echoes(values, _BAND, f"band {number}", noisy=True) for number, values in enumerate(candidates)]
        )
        if len(band) < _FEWEST:
            raise _none_like(self.seen, kernel)
        part = np.concatenate(
            [parts_of(each, each.record.time - each.expected_echo, name) for name, each in self.seen.items()]
        )
        places = {name: self.live & (part == name) for name in np.unique(part[self.live])}
        # Each part in units of how far the band's own members lie off.
        sizes = {name: _distance(self.own, band, at) / np.median(_distances(band, at)) for name, at in places.items()}
        off = np.array([_distance(self.own, band, self.live)])
        ends = (1 - _LEVEL) / 2, (1 + _LEVEL) / 2
        lower, upper = (np.quantile(band.real, q, axis=0) + 1j * np.quantile(band.imag, q, axis=0) for q in ends)
        best = _coupled(self._recipe_at(candidates[0]).curve(0), candidates[0])
        left = (self.own - band.mean(axis=0)) / (np.sqrt(_variance(band)) + _TINY)
        return Refined(
            kernel,
            values=_values(best, self.recipe),
            chi_square=chi_square,
            p_value=float(conformal_p_values(off, _distances(band, self.live))[0]),
            differs=words_of(str(max(sizes, key=lambda name: sizes[name]))),
            bands=self._bands(self.own, lower, upper, np.where(self.live, left, 0)),
        )

    def _bands(self, *rows: NDArray[np.complex128]) -> dict[str, Band]:
        """What belongs to each record of what stands in a row, shape (n,)."""
        ends = np.cumsum([len(each.record.signal) for each in self.seen.values()])
        parts = zip(*(np.split(row, ends[:-1]) for row in rows), strict=True)
        return {name: Band(each.record.time, *own) for (name, each), own in zip(self.seen.items(), parts, strict=True)}

    def values_of(self, curve: Curve) -> dict[str, float]:
        """What is searched, as a curve has it."""
        return {
            key: QUANTITIES[key].of(curve.experiment) if key in QUANTITIES else float(curve.drawn[key])
            for key in self.space
        }

    def _outside(self, values: Mapping[str, float]) -> float:
        """How far a candidate lies outside what is possible, in widths of that."""
        asked = {name: each for name, each in self.recipe.constraints.items() if name in QUANTITIES}
        return outside(_coupled(self._recipe_at(values).curve(0), values), self.recipe, asked)

    def _recipe_at(self, values: Mapping[str, float]) -> Recipe:
        """The recipe whose curves have these values, but for couplings that `_coupled` gives them."""
        prior = self.recipe.prior
        fixed = {key: value for key, value in values.items() if key not in QUANTITIES}
        held = {key: each.low for key in _COUPLINGS if isinstance(each := prior.get(key), Range)}
        constants = {key: Constant(kind="constant", value=value) for key, value in {**held, **fixed}.items()}
        return self.recipe.replace(prior={**prior, **constants}, constraints={})


def _coupled(curve: Curve, values: Mapping[str, float]) -> Curve:
    """A curve whose couplings make up X and Z, where these are given: on its own lattice."""
    if not set(_COUPLINGS.values()) <= set(values):
        return curve
    x, z = (values[name] / curve.experiment.kernel_sum for name in _COUPLINGS.values())
    coupling = curve.experiment.coupling.replace(alpha_x=x, alpha_y=x, alpha_z=z)
    return curve._replace(measurement=curve.measurement.replace(coupling=coupling))


def _none_like(seen: Looks, kernel: str) -> DataError:
    message = f"No candidate of the {kernel} kernel has an echo like that of `{_source(seen)}`."
    return DataError(message, path=_source(seen))


def _source(seen: Looks) -> Path:
    return next(iter(seen.values())).record.source


def _in_a_row(seen: Looks) -> NDArray[np.complex128]:
    """The corrected records, one after the other."""
    return np.concatenate([each.corrected.signal for each in seen.values()])


def _searched(drawn: Any) -> FloatDistribution | None:
    """Where a drawn number is searched; None where it stays drawn."""
    if isinstance(drawn, TruncatedNormal):
        low, high = drawn.mean - _WIDTHS * drawn.std, drawn.mean + _WIDTHS * drawn.std
        return FloatDistribution(max(low, drawn.low), min(high, drawn.high))
    if isinstance(drawn, Uniform | LogUniform) and drawn.low < drawn.high:
        return FloatDistribution(drawn.low, drawn.high, log=isinstance(drawn, LogUniform) and drawn.low > 0)
    return None


def _variance(echoes: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Of each part, the mean of both."""
    return np.asarray((echoes.real.var(axis=0, ddof=1) + echoes.imag.var(axis=0, ddof=1)) / 2)


def _distance(echo: NDArray[np.complex128], others: NDArray[np.complex128], where: NDArray[np.bool_]) -> float:
    """Mean square distance of an echo from the mean of others, over their scatter."""
    spread = _variance(others)[where]
    # Of few draws the scatter at one point may be small by chance.
    spread = spread + spread.mean() / 10 + _TINY
    return float((np.abs(echo - others.mean(axis=0))[where] ** 2 / (2 * spread)).mean())


def _distances(band: NDArray[np.complex128], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """That of every echo of a band from its others, shape (n,)."""
    return np.array([_distance(each, np.delete(band, number, 0), where) for number, each in enumerate(band)])


def _values(curve: Curve, recipe: Recipe) -> dict[str, float]:
    """Quantities and drawn numbers of a candidate, but for the lattice, which is drawn anew each time."""
    known = quantities_of(curve.experiment)
    drawn = {name: curve.drawn[key] for name, key in recipe.columns.items() if not key.startswith("lattice")}
    if "kernel.exponent" in recipe.prior:
        drawn["exponent"] = known["exponent"]
    asked = {name: known[name] for name in _SHOWN if np.isfinite(known.get(name, np.nan))}
    return {**asked, **{name: float(value) for name, value in drawn.items()}}
