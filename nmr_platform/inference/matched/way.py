"""The whole way from the records of a sample to an answer: look, match, simulate, learn, answer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import xarray as xr
from pydantic import PositiveFloat

from nmr_platform.datasets import Watcher, generate, load_records, simulate_curves
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Record
from nmr_platform.files import read_json, write_json
from nmr_platform.inference.matched.answer import Answer, Learnt, learn
from nmr_platform.inference.matched.kept import read_learnt, write_learnt
from nmr_platform.inference.matched.look import Given, Look
from nmr_platform.inference.matched.looks import Looks, clearest_first, digest_of, looks_of
from nmr_platform.inference.matched.matched import Matched, Misled, dwell_of
from nmr_platform.inference.matched.posterior import known_of
from nmr_platform.inference.matched.refine import Refined, refine
from nmr_platform.inference.matched.setting import KernelPrior, Setting
from nmr_platform.learning import TuneSettings
from nmr_platform.progress import Bar, no_bar
from nmr_platform.schema import CurveCount, Schema, validate
from nmr_platform.tracking import DatasetEntry, NullTracker, Tracker
from nmr_platform.workspace import Workspace

__all__ = ["TUNE", "Budget", "Inference", "Inferrer", "infer", "parse_budget"]

TUNE = validate(
    TuneSettings,
    {
        "n_trials": 3,
        "families": ["extra_trees", "smooth"],
        "cv_folds": 3,
        "startup_trials": 3,
        "pruner": "none",
    },
)
"""How models are searched."""

# What a training set is made for, where others look for one that serves them, and what a try-out found.
_CELL, _TRIED = "serves.json", "tried.json"
# Curves of each kernel that a try-out has at most.
_TRY_OUT = 60
# A line that may be this many times wider than it is narrow is none that was read.
_UNREAD = 5.0
# Of the seconds; learning takes the rest.
_SIMULATING = 0.5
_FEWEST, _MOST, _EVERY = 60, 2000, 20
# Curves of each kernel that a user may ask for: no model is told from fewer.
_FEWEST_ASKED, _MOST_ASKED = 20, 1_000_000
# Kernels that are at least so probable as this share of the most probable one are refined first; candidates of each.
_LIKELY, _CANDIDATES = 0.5, 40
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Budget(Schema):
    """How much may be simulated.

    Attributes:
        seconds: Of simulation and learning together, about; None if ``curves`` says it.
        curves: Of each kernel; None if ``seconds`` says it.
    """

    seconds: PositiveFloat | None = 600.0
    curves: CurveCount | None = None


def parse_budget(text: str) -> Budget:
    """Read a budget: a time with its unit, or a number of curves for each kernel.

    Args:
        text: For instance ``600s``, ``10min`` or ``400``.

    Raises:
        ConfigurationError: It is neither.

    Example:
        >>> parse_budget("10min").seconds, parse_budget("400").curves
        (600.0, 400)
    """
    if text.isdecimal() and _FEWEST_ASKED <= int(text) <= _MOST_ASKED:
        return Budget(seconds=None, curves=int(text))
    for unit, seconds in _UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdecimal() and float(number) > 0:
            return Budget(seconds=float(number) * seconds)
    message = (
        "Option `--budget` must be a time such as 600s or 10min, or a number of curves of each kernel between "
        f"{_FEWEST_ASKED} and {_MOST_ASKED}, but is {text!r}."
    )
    raise ConfigurationError(message, key="budget", value=text)


@dataclass(frozen=True)
class Inference:
    """All that was found out about a measurement.

    Attributes:
        looks: What its records show by themselves, by name.
        matched: What was simulated for it.
        misled: How far the couplings mislead such a look.
        curves: Simulated curves that were learnt from and tried on, of all kernels.
        answer: What it tells.
        refined: The records beside the best candidates of every likely kernel, and of the others if none of these fits;
            empty if not asked for.
        warnings: What speaks against it, in sentences.
    """

    looks: Looks
    matched: Matched
    misled: Misled
    curves: int
    answer: Answer
    refined: tuple[Refined, ...]
    warnings: tuple[str, ...]

    @property
    def look(self) -> Look:
        """That at the record with the clearest echo, which shows the receiver."""
        return next(iter(self.looks.values()))

    @property
    def digest(self) -> str:
        """Identity of all points that were measured, 16 hexadecimal digits."""
        return digest_of(self.looks)


@dataclass
class Inferrer:
    """Answers for measurements of one kind; what was simulated and learnt for one serves the next.

    Attributes:
        setting: What the user says of the measurement.
        priors: Of every kernel that is asked for.
        given: What need not be estimated.
        budget: How much may be simulated.
        workspace: Where simulated curves and studies are kept.
        tracker: Where studies are shown.
        tune: How models are searched.
        refines: Whether the best candidates are searched for and simulated again.
        watch: Makes what sees a data set being simulated.
        bar: Makes what shows how far learning is.

    Example:
        >>> inferrer = Inferrer(Setting(sequence={"kind": "hahn", "tau": 20.0}), {})
        >>> inferrer.budget.seconds
        600.0
    """

    setting: Setting
    priors: Mapping[str, KernelPrior]
    given: Given = field(default_factory=Given)
    budget: Budget = field(default_factory=Budget)
    workspace: Workspace = field(default_factory=Workspace)
    tracker: Tracker = field(default_factory=NullTracker)
    tune: TuneSettings = field(default_factory=lambda: TUNE)
    refines: bool = True
    watch: Callable[[], Watcher] = Watcher
    bar: Bar = no_bar
    _made: dict[str, tuple[Learnt, Misled, int]] = field(default_factory=dict)

    def of(self, setting: Setting) -> "Inferrer":
        """The same for a measurement of which something else is known."""
        return self if setting == self.setting else replace(self, setting=setting, _made={})

    def look(self, records: Record | Mapping[str, Record]) -> dict[str, Look]:
        """What records show by themselves, see `looks_of`; one alone has the empty text as its name."""
        named = {"": records} if isinstance(records, Record) else records
        experiments = self.setting.of_free_spins(dwell_of(named)).experiments
        return looks_of(clearest_first(named, experiments), experiments, dict.fromkeys(named, self.given))

    def infer(self, records: Record | Mapping[str, Record]) -> Inference:
        """Answer for one sample.

        Args:
            records: The record of each sequence by its name, or the only one; times count from the end of the first
                pulse.

        Raises:
            ConfigurationError: The setting or a prior is not acceptable.
            DataError: No record has an echo where its sequence expects it, or the budget is too small.
        """
        seen = self.look(records)
        matched = self._matched(seen)
        if matched.digest not in self._made:
            self._made[matched.digest] = self._learn(matched)
        learnt, misled, curves = self._made[matched.digest]
        answer = learnt.answer(matched.features_of([seen]), seen)
        refined, against = self._refined(seen, matched, answer) if self.refines else ((), ())
        warnings = (*next(iter(seen.values())).warnings, *_of_line(matched, answer), *answer.misfit.warnings, *against)
        return Inference(seen, matched, misled, curves, answer, refined, warnings)

    def _refined(self, seen: Looks, matched: Matched, answer: Answer) -> tuple[tuple[Refined, ...], tuple[str, ...]]:
        """The best candidates of likely kernels, of the others if none fits, and what is said if still none does."""
        shares = answer.kernel
        likely = _LIKELY * max(shares.values())
        known = known_of({"quantities": {name: asdict(each) for name, each in answer.quantities.items()}})
        found: list[Refined] = []
        against: list[str] = []
        for tried, kernel in enumerate(sorted(shares, key=lambda name: -shares[name])):
            if shares[kernel] < likely and len(against) < tried:
                return tuple(found), ()
            with self.bar(f"refine {kernel}", _CANDIDATES, "candidates") as advance:
                how: dict[str, Any] = {"tracker": self.tracker, "storage": self.workspace.studies}
                try:
                    best = refine(seen, matched, kernel, known, _CANDIDATES, progress=advance, **how)
                except DataError as none_like:
                    against.append(str(none_like))
                    continue
            found.append(best)
            against += best.warnings
        return tuple(found), tuple(against) if len(against) == len(shares) else ()

    def _matched(self, seen: Looks) -> Matched:
        """The training set for a measurement: one that there is and that serves it, if possible."""
        own = Matched.of(seen, self.setting, self.priors, self.given)
        for cell in sorted(self._folder.glob(f"*/{_CELL}")):
            other = own.at(**read_json(cell, made_by="nmr infer"))
            if other.serves(seen) and other.digest == cell.parent.name:
                return other
        return own.at(own.line, own.noise, self._tried_widths(own)) if self.setting.draws_line else own

    def _tried_widths(self, wide: Matched) -> tuple[float, float]:
        """Which widths of the line go with what the echo shows, by a try-out of all of them."""
        folder = self._folder / wide.digest
        if not (folder / _TRIED).exists():
            n_curves = min(_TRY_OUT, self.budget.curves or _TRY_OUT)
            datasets = {name: each for name, (each, _) in self._simulated(wide, n_curves, folder).items()}
            low, high = wide.possible_widths(datasets)
            write_json(folder / _TRIED, {"low": low, "high": high})
        tried = read_json(folder / _TRIED, made_by="nmr infer")
        return tried["low"], tried["high"]

    @property
    def _folder(self) -> Path:
        return self.workspace.root / ".nmr" / "infer"

    def _learn(self, matched: Matched) -> tuple[Learnt, Misled, int]:
        folder = self._folder / matched.digest
        n_curves = self._n_curves(matched, folder / "budget.json")
        identity = {"curves": n_curves, "tune": self.tune.model_dump(mode="json")}
        known = read_learnt(folder / "learnt", identity)
        if known is None:
            known = self._made_anew(matched, n_curves, folder)
            write_learnt(folder / "learnt", identity, *known)
            write_json(
                folder / _CELL, {"line": matched.line, "noise": dict(matched.noise), "widths": [*matched.widths]}
            )
        return known

    def _made_anew(self, matched: Matched, n_curves: int, folder: Path) -> tuple[Learnt, Misled, int]:
        simulated = self._simulated(matched, n_curves, folder)
        entries = [entry for _, entry in simulated.values()]
        tables = matched.tables({name: records for name, (records, _) in simulated.items()})
        learnt = learn(
            tables,
            [*simulated],
            self.tune,
            tracker=self.tracker,
            storage=self.workspace.studies,
            datasets=entries,
            bar=self.bar,
        )
        return learnt, tables.misled, len(tables.labels)

    def _simulated(
        self, matched: Matched, n_curves: int, folder: Path
    ) -> dict[str, tuple[dict[str, xr.Dataset], DatasetEntry]]:
        """The records of every kernel, and how they are shown."""
        found = {}
        for name, recipe in matched.recipes(n_curves).items():
            path = folder / f"{name}.zarr"
            made = generate(recipe, path, shard_folder=self.workspace.shards, watcher=self.watch())
            entry = DatasetEntry(name, made.digest, path.as_posix(), profile={"curves": made.n_curves})
            found[name] = load_records(path), entry
        return found

    def _n_curves(self, matched: Matched, kept: Path) -> int:
        """Curves of each kernel; what a time was once found to allow is kept for the next file."""
        if self.budget.curves is not None:
            return self.budget.curves
        seconds = self.budget.seconds or 0.0
        known = read_json(kept, made_by="nmr infer") if kept.exists() else {}
        if known.get("seconds") != seconds:
            recipes = matched.recipes(2)
            for recipe in recipes.values():
                simulate_curves([recipe.curve(0)], recipe)
            begun = time.perf_counter()
            for recipe in recipes.values():
                simulate_curves([recipe.curve(0), recipe.curve(1)], recipe)
            each = (time.perf_counter() - begun) / 2
            affordable = int(_SIMULATING * seconds / each) // _EVERY * _EVERY
            known = {"seconds": seconds, "curves": min(max(affordable, _FEWEST), _MOST)}
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_json(kept, known)
        return int(known["curves"])


def _of_line(matched: Matched, answer: Answer) -> tuple[str, ...]:
    """What is said where the echo does not tell the width of the line."""
    low, high = matched.widths
    told = answer.quantities.get("fwhm")
    if told is None or told.upper < _UNREAD * told.lower:
        return ()
    return (
        f"The echo does not tell the line: widths from {low:.2g} to {high:.2g} MHz go with what couplings left of it. "
        "All were reckoned with; if it is known from elsewhere, give `line: {fwhm: ..}` in the experiment file.",
    )


def infer(
    measurements: Sequence[Record | Mapping[str, Record]],
    setting: Setting,
    priors: Mapping[str, KernelPrior],
    **how: Any,
) -> list[Inference]:
    """Answer for samples that were measured in one way by models that are made for it.

    Args:
        measurements: Of each sample its record, or the record of each sequence by its name; times count from the end
            of the first pulse.
        setting: What is known of the experiment; its sequences at least.
        priors: Of every kernel that is possible, see `priors_of`.
        how: Further arguments of `Inferrer`.

    Returns:
        One for each.

    Raises:
        ConfigurationError: The setting or a prior is not acceptable.
        DataError: A measurement has no echo where a sequence expects it, or the budget is too small.
    """
    inferrer = Inferrer(setting, priors, **how)
    return [inferrer.infer(records) for records in measurements]
