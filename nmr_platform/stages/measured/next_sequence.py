"""Stage `next_sequence`: the search for the sequence that tells most of what a measurement has left open."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt
from pathlib import Path
from typing import Any, NamedTuple

from nmr_platform.datasets import Range, Recipe, quantity
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.files import read_json
from nmr_platform.inference.matched import KernelPrior, Known, Setting, known_of, narrowed, recipe_of, widths_around
from nmr_platform.learning import METRICS
from nmr_platform.pulse_design import Candidate, Contest, PulseSearchSettings
from nmr_platform.schema import validate

__all__ = ["ANSWER", "SEARCH", "Following", "Open", "open_after", "search_for"]

ANSWER = "answer.json"
"""What `nmr infer` writes beside its page."""

SEARCH: dict[str, Any] = {
    "shape": [32, 32],
    "n_curves": 160,
    "seed": 202611501,
    "startup_trials": 8,
    "pruning": {"first": 0.5, "factor": 2.0, "errors": 3.0},
    "verdict": {
        "seed": 202611502,
        "n_curves": 240,
        "best": 1,
        "families": ["extra_trees", "linear"],
        "n_trials": 3,
        "n_estimators": 150,
        "test_fraction": 0.4,
        "cv_folds": 3,
        "scenarios": {},
    },
}
"""How it is searched, but for what depends on the measurement."""

# us; shorter delays are as long as pulses.
_SHORTEST = 10.0
# A kernel less probable than this is out of the question.
_IMPROBABLE = 0.1


class Open(NamedTuple):
    """What an answer has left open.

    Attributes:
        kernels: Those that are still possible, the most probable first.
        known: Intervals of what the record told.
        noise: Noise of the record, in the unit of M with an echo of free spins of 1/2.
        line: Apparent width of its line, MHz.
        has_phase: Whether the receiver's phase was given: where it was read off the echo, what couplings do to the
            phase is lost, and only |M| of the next record will tell anything.
    """

    kernels: tuple[str, ...]
    known: Known
    noise: float
    line: float
    has_phase: bool


@dataclass(frozen=True)
class Following:
    """The sequence that tells most, and what is expected of it.

    Attributes:
        parameter: What is asked for.
        interval: Where it lies by now, in its unit; None if nothing told it.
        best: The winner of the search.
        contest: How well it and 90/180 read the parameter off new curves, of what is possible still.
        folder: Where its files are.
    """

    parameter: str
    interval: Range | None
    best: Candidate
    contest: Contest
    folder: Path

    @property
    def shares(self) -> tuple[float, float]:
        """Which share of its spread the parameter keeps after the winner, and after 90/180: sqrt(1 - R2)."""
        winner, baseline = (sqrt(1 - min(max(r2, 0.0), 1.0)) for r2 in (self.contest.value, self.contest.baseline))
        return winner, baseline

    @property
    def helps(self) -> bool:
        """Whether the winner is better than 90/180 beyond doubt."""
        return self.contest.lower > 0

    def __str__(self) -> str:
        sequence, each = self.best.sequences, self.contest
        if each.metric == "r2":
            unit = quantity(self.parameter).label
            told = f", known from {self.interval.low:.4g} to {self.interval.high:.4g} {unit}," if self.interval else ""
            winner, baseline = self.shares
            effect = f"leaves {winner:.0%} of what {self.parameter}{told} varies by; 90/180 leaves {baseline:.0%}"
        else:
            effect = (
                f"tells the kernel with a {METRICS[each.metric]} of {each.value:.3f}; 90/180 with {each.baseline:.3f}"
            )
        doubt = "" if self.helps else " Better than 90/180 it is not beyond doubt."
        return f"{sequence} ({self.best.assessed.time:g} us) {effect}.{doubt} {self.folder / 'measurement.yaml'}"

    def to_dict(self) -> dict[str, Any]:
        """The same in plain data, for programs."""
        known = {"known": [self.interval.low, self.interval.high]} if self.interval else {}
        scores = {"metric": self.contest.metric, "score": self.contest.value, "baseline": self.contest.baseline}
        gain = {"gain_lower": self.contest.lower, "gain_upper": self.contest.upper, "helps": self.helps}
        place = {"time": self.best.assessed.time, "measurement": str(self.folder / "measurement.yaml")}
        return {"parameter": self.parameter, **known, "sequence": str(self.best.sequences), **scores, **gain, **place}


def open_after(place: Path) -> Open:
    """What an answer has left open.

    Args:
        place: The folder that `nmr infer` wrote for a file, or its ``answer.json``.

    Raises:
        DataError: There is none, or it is of another kind.
    """
    path = place / ANSWER if place.is_dir() else place
    if not path.is_file():
        message = f"`{place}` must be a folder that `nmr infer` wrote for a file, but holds no {ANSWER}."
        raise DataError(message, path=place)
    answer = read_json(path, made_by="nmr infer")
    try:
        shares: Mapping[str, float] = answer["kernel"]
        noise = answer["look"]["noise"]["value"] * answer["look"]["scale"]["value"]
        line = answer["look"]["line"]["value"]
        has_phase = answer["look"].get("phase", {}).get("source") == "given"
    except (KeyError, TypeError) as error:
        message = f"`{path}` must be an answer of `nmr infer`, but lacks {error}."
        raise DataError(message, path=path) from error
    kernels = sorted((name for name, share in shares.items() if share >= _IMPROBABLE), key=lambda name: -shares[name])
    return Open(tuple(kernels), known_of(answer), float(noise), float(line), has_phase)


def search_for(
    parameter: str, left: Open, setting: Setting, priors: Mapping[str, KernelPrior], *, time: float, n_trials: int
) -> tuple[dict[str, Recipe], PulseSearchSettings]:
    """The search for the Hahn echo that tells most of a parameter, within what is known already.

    Args:
        parameter: A quantity, or ``kernel``.
        left: What is open.
        setting: What the user says of the experiment; its sequences were measured.
        priors: Of every kernel that is possible.
        time: Longest duration of the sequence, us.
        n_trials: Sequences to try.

    Returns:
        What is possible still, by kernel, and the search.

    Raises:
        ConfigurationError: The answer leaves one kernel and it is asked for, or the parameter is none.
    """
    kernels = left.kernels if parameter == "kernel" else left.kernels[:1]
    if parameter == "kernel" and len(kernels) < 2:
        message = f"Option `--parameter` must name what is open, but the kernel is not: it is {kernels[0]}."
        raise ConfigurationError(message, key="parameter", value=parameter)
    recipes = {name: _possible(name, priors[name], left, setting) for name in kernels}
    classes = {"kind": "classification", "kernels": list(kernels)}
    asked: dict[str, Any] = {"classes": classes} if parameter == "kernel" else {"targets": [parameter]}
    judged_by = {"estimator": "trees", "n_estimators": 150} if parameter == "kernel" else {"estimator": "ridge"}
    measured = next(iter(setting.by_record.values())).model_dump(mode="json")
    varied = {
        "theta1": {"kind": "uniform", "low": 30.0, "high": 120.0},
        "theta2": {"kind": "uniform", "low": 60.0, "high": 210.0},
        "tau": {"kind": "log_uniform", "low": min(_SHORTEST, time / 5), "high": time / 2},
    }
    signal = "complex" if left.has_phase else "magnitude"
    template = measured if measured["kind"] == "hahn" else {"kind": "hahn", "tau": time / 4}
    values = {
        **SEARCH,
        "kernel": kernels[0],
        "space": {"sequences": [{"sequence": template, "vary": varied}], "limits": {"time": time}},
        "objective": {"kind": "score", "cv_folds": 5, **asked, **judged_by},
        "features": {"kind": "pointwise", "signal": signal, "window": "record", "decimate": 6},
        "n_trials": n_trials,
        "verdict": {**SEARCH["verdict"], **asked},
    }
    return recipes, validate(PulseSearchSettings, values)


def _possible(name: str, prior: KernelPrior, left: Open, setting: Setting) -> Recipe:
    """What is still possible under one kernel, seen by the receiver of the record, on the lattice of the search."""
    first = setting.replace(sequence=next(iter(setting.by_record.values())), sequences=None)
    recipe = recipe_of(name, prior, first, inf, widths_around(left.line), SEARCH["n_curves"])
    experiment = {**recipe.experiment, "receiver": {"noise": left.noise}}
    drawn = {key: each for key, each in recipe.prior.items() if not key.startswith("lattice.")}
    lattice = {**experiment["lattice"], "shape": SEARCH["shape"]}
    return narrowed(recipe.replace(experiment={**experiment, "lattice": lattice}, prior=drawn), left.known)
