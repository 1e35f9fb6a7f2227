"""Blind trials of `nmr infer`: how often its intervals hold the truth of a measurement that nobody has seen.

A trial is a synthetic laboratory drawn by a seed of its own: kernel, couplings, line, sequence, lattice, sampling,
receiver. Its record is written as a file of a spectrometer, and the command gets that file, the sequence and the time
of its first point, as a user would give them. Trials lie in a folder of their own and are not repeated: a run that was
killed, or asked for more of them, goes on.

With `--samples 10` each laboratory measures ten samples, with kernels, couplings, disorder, lattices and receivers of
their own, and all but the first are answered by models that are there already. The samples of one laboratory are not
independent trials, so that intervals of shares are those of resampled laboratories.

With `--several` each sample is measured under two more sequences, of those that tell most in the larger study, and the
records make one answer.

With `--misspecified` each measurement is of a kind that the command does not reckon with, and the table says how often
it was warned of.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.tables import print_table
from nmr_platform.datasets import QUANTITIES, DataSettings, Recipe, read_preset
from nmr_platform.files import write_json
from nmr_platform.inference.matched.setting import PRESET
from nmr_platform.physics import Experiment, Hahn
from nmr_platform.progress import progress_bar
from nmr_platform.schema import validate
from nmr_platform.simulation import simulate
from tests.exchange.instrument_files import write_echo

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_SEED = 202611901
# Laboratories have numbers below this.
_MOST = 10_000
_FORMATS = {"record": ("--unit", "us"), "bruker": (), "tecmag": ()}
_SIDES = (64, 96, 128)
# Draws of a prior that its own 90 % intervals are read off.
_PRIOR_DRAWS = 400
_LEVEL, _RESAMPLES = 0.9, 4000
_SIGNIFICANT = 0.05
# us, MHz; simulated steps are no longer than this, and no receiver is farther off resonance.
_LONGEST_STEP, _FARTHEST = 0.2, 0.005
# What a measurement may have that the command does not reckon with.
_WRONG = {
    "another kernel": "the true one is not among `--kernels`",
    "a second line": "40 kHz away, 0.3 as high",
    "weak pulses": "by 5 %, where the experiment file says that they are right",
    "damping": "by exp(-t / 20 us)",
}
# Beside the laboratory's own sequence: us, degrees.
_MORE = {
    "tipped": {"tau": 27.0, "theta1": 86.6, "theta2": 184.0},
    "stored": {"tau": 60.0, "theta1": 90.0, "theta2": 120.0},
}
_SECOND_LINE, _DAMPING, _WEAK = (0.04, 0.3), 20.0, 0.95  # MHz and share; us; factor


class _How(NamedTuple):
    """How a trial is done.

    Attributes:
        budget: As for `nmr infer`.
        wrong: What the command does not reckon with, if anything.
        several: Whether the sample is measured under three sequences.
        refine: Whether candidates are searched for, too.
    """

    budget: str
    wrong: str
    several: bool
    refine: bool


@dataclass(frozen=True)
class _Laboratory:
    """What a trial measures with.

    Attributes:
        number: Of the laboratory.
        kernel: Kind of the kernel.
        tau: Time between the pulses, us.
        fwhm: Width of the line, MHz.
        dwell: Time between the points, us.
        noise: Standard deviation on each part, over the height of the echo.
        phase: Of the receiver, degrees.
        offset: Of the receiver, MHz.
        volts: Amplification.
        dead_time: After the second pulse, us.
        sides: Sites along x and y.
        format: What the file is written as.
    """

    number: int
    kernel: str
    tau: float
    fwhm: float
    dwell: float
    noise: float
    phase: float
    offset: float
    volts: float
    dead_time: float
    sides: tuple[int, int]
    format: str

    @classmethod
    def draw(cls, number: int, rng: np.random.Generator, kernels: Sequence[str]) -> "_Laboratory":
        """Draw everything from broad families."""

        def log_uniform(low: float, high: float) -> float:
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        dwell = round(log_uniform(0.1, 1.0), 2)
        return cls(
            number,
            kernel=str(rng.choice(kernels)),
            tau=round(dwell * round(log_uniform(20.0, 150.0) / dwell), 6),
            fwhm=log_uniform(0.03, 0.12),
            dwell=dwell,
            noise=log_uniform(0.001, 0.03),
            phase=float(rng.uniform(-180.0, 180.0)),
            offset=float(rng.uniform(-_FARTHEST, _FARTHEST)),
            volts=log_uniform(1e-6, 1.0),
            dead_time=float(rng.uniform(2.0, 8.0)),
            sides=(int(rng.choice(_SIDES)), int(rng.choice(_SIDES))),
            format=[*_FORMATS][number % len(_FORMATS)],
        )

    def of_sample(self, sample: int, kernels: Sequence[str]) -> "_Laboratory":
        """The same with another sample and another tuning of the receiver; sample 0 is its own."""
        rng = np.random.default_rng(np.random.SeedSequence(_SEED, spawn_key=(self.number, sample)))
        other = self.draw(self.number, rng, kernels)
        own = ("kernel", "phase", "offset", "volts", "sides")
        return replace(self, **{name: getattr(other, name) for name in own}) if sample else self

    @property
    def first_point(self) -> float:
        """Time from the last pulse to the first point, us."""
        return float(self.dwell * np.ceil(self.dead_time / self.dwell))

    def sequences(self, *, several: bool) -> dict[str, dict[str, Any]]:
        """What a sample is measured under, by name; delays are whole times between points."""
        more = {name: {**each, "tau": self.dwell * round(each["tau"] / self.dwell)} for name, each in _MORE.items()}
        own: dict[str, dict[str, Any]] = {"own": {"tau": self.tau}}
        return {name: {"kind": "hahn", **each} for name, each in (own | (more if several else {})).items()}

    @property
    def experiment(self) -> dict[str, Any]:
        """What an experiment has beside kernel and coupling."""
        return {
            "lattice": {"shape": list(self.sides)},
            "line": {"kind": "lorentzian", "fwhm": self.fwhm, "bandwidth": 1.0},
            "sequence": {"kind": "hahn", "tau": self.tau},
            "step": self.dwell / np.ceil(self.dwell / _LONGEST_STEP),
        }


def main(arguments: Sequence[str]) -> None:
    """Run the trials that are missing, and print what all of them say."""
    parser = ArgumentParser("python -m benchmarks blind", description=__doc__)
    parser.add_argument("trials", type=int, nargs="?", default=200, help="how many")
    parser.add_argument("--budget", default="10min", help="of each, as for `nmr infer`")
    parser.add_argument("--samples", type=int, default=1, help="how many of the trials a laboratory makes")
    parser.add_argument("--several", action="store_true", help="measure each sample under three sequences")
    parser.add_argument("--no-refine", action="store_true", help="warnings are those of the comparison alone")
    parser.add_argument("--folder", type=Path, default=_ROOT / ".nmr" / "blind", help="where the trials lie")
    parser.add_argument("--misspecified", action="store_true", help="measure what the command does not reckon with")
    asked = parser.parse_args(arguments)
    kind = f"{'misspecified-' if asked.misspecified else ''}{'several-' if asked.several else ''}{asked.budget}"
    kind += "-unrefined" if asked.no_refine else ""
    folder = asked.folder.absolute() / (kind if asked.samples == 1 else f"{kind}-of-{asked.samples}")
    with progress_bar("blind trials", asked.trials, "trials") as advance:
        found = []
        for number in range(asked.trials):
            wrong = [*_WRONG][number % len(_WRONG)] if asked.misspecified else ""
            place = divmod(number, asked.samples)
            how = _How(asked.budget, wrong, several=asked.several, refine=not asked.no_refine)
            found.append(_trial(place, folder / f"{place[0]:03d}", how))
            advance(1)
    rows = pd.DataFrame([row for rows in found for row in rows])
    if asked.misspecified:
        _print_warned(rows, asked.budget)
    else:
        _print(rows, asked.budget)


def _trial(place: tuple[int, int], folder: Path, how: _How) -> list[dict[str, Any]]:
    """What became of one trial, a row for each quantity; run if it has not been.

    Args:
        place: Numbers of laboratory and sample.
        folder: Of the laboratory, whose samples share what was learnt for it.
        how: How it is done.
    """
    own = folder / f"sample-{place[1]}"
    said = own / "trial.json"
    if not said.exists():
        # What was simulated before a kill stays in `.nmr`; the file itself is written anew.
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        write_json(said, _measure_and_infer(place, own, how))
    trial = json.loads(said.read_text())
    shared = {name: trial[name] for name in ("seconds", "right", "refused", "wrong", "warned")}
    shared |= {"trial": f"{place[0]}-{place[1]}", "laboratory": place[0]}
    return [{**shared, **row} for row in trial["quantities"]] or [shared]


def _measure_and_infer(place: tuple[int, int], folder: Path, how: _How) -> dict[str, Any]:
    number, sample_number = place
    settings = read_preset(PRESET)
    kernels = [*settings.kernels]
    drawing = np.random.default_rng(np.random.SeedSequence(_SEED, spawn_key=(number,)))
    laboratory = _Laboratory.draw(number, drawing, kernels).of_sample(sample_number, kernels)
    # Sample 0 of every laboratory is the curve of its number.
    curve = number + _MOST * sample_number
    truth = _recipe(settings, laboratory).curve(curve)
    rng = np.random.default_rng(np.random.SeedSequence(_SEED, spawn_key=(number, sample_number, 1)))
    sequences = laboratory.sequences(several=how.several)
    signals = {
        name: _received(truth.experiment.replace(sequence=validate(Hahn, each)), laboratory, _SEED + curve, how.wrong)
        for name, each in sequences.items()
    }
    # One receiver has one noise, whatever the sequence.
    noise = laboratory.noise * np.abs(signals["own"]).max()
    files = {}
    for name, m in signals.items():
        (folder / name).mkdir()
        noisy = m + noise * (rng.normal(size=(len(m), 2)) @ np.array([1, 1j]))
        files[name] = write_echo(laboratory.format, folder / name, noisy, step=laboratory.dwell)  # type: ignore[no-untyped-call]
    known: dict[str, Any] = {"drive": {"calibration": 1.0}} if how.wrong == "weak pulses" else {}
    known |= {"sequences": sequences} if how.several else {"sequence": sequences["own"]}
    write_json(folder / "mine.yaml", known)
    paths = {name: path.relative_to(folder.parent).as_posix() for name, path in files.items()}
    command = [sys.executable, "-m", "nmr_platform", "infer", "--json", "--tracker", "none", "--budget", how.budget]
    command += [f"--record={name}={path}" for name, path in paths.items()] if how.several else [*paths.values()]
    command += ["--experiment", f"{folder.name}/mine.yaml", "--out", f"{folder.name}/inferred"]
    command += ["--since", "last", "--start", f"{laboratory.first_point:.6f}", *_FORMATS[laboratory.format]]
    command += [] if how.refine else ["--no-refine"]
    if how.wrong == "another kernel":
        command += ["--kernels", ",".join(sorted({*kernels} - {laboratory.kernel}))]
    begun = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    ended = subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    result: dict[str, Any] = {
        "laboratory": asdict(laboratory),
        "seconds": seconds,
        "refused": "",
        "right": None,
        "wrong": how.wrong,
        "warned": None,
    }
    if ended.returncode:
        return result | {"refused": ended.stderr.strip().splitlines()[-1], "quantities": []}
    answer = json.loads(ended.stdout.splitlines()[-1])
    truths = {name: QUANTITIES[name].of(truth.experiment) for name in ("W", "X", "Z")}
    rows = [
        {
            "quantity": name,
            "truth": true,
            "held": answer["quantities"][name]["lower"] <= true <= answer["quantities"][name]["upper"],
            "share": (answer["quantities"][name]["upper"] - answer["quantities"][name]["lower"]) / _width(name),
            "informative": answer["quantities"][name]["informative"],
        }
        for name, true in truths.items()
    ]
    right = max(answer["kernel"], key=answer["kernel"].get) == laboratory.kernel
    p_value, refined = answer["misfit"]["p_value"], [each["p_value"] for each in answer["refined"]]
    # Where no kernel has a candidate at all, that is said, too.
    warned = min(p_value, max(refined, default=0.0 if how.refine else 1.0)) < _SIGNIFICANT
    return result | {"right": right, "warned": warned, "p_value": p_value, "refined": refined, "quantities": rows}


def _received(experiment: Experiment, laboratory: _Laboratory, seed: int, wrong: str) -> NDArray[np.complex128]:
    """What the receiver makes of a sample under one sequence, but for its noise, in volts, shape (n,)."""
    if wrong == "weak pulses":
        experiment = experiment.replace(drive=experiment.drive.replace(calibration=_WEAK))
    echo = simulate(experiment, seed=seed, integrator="midpoint")
    echo_time = float(experiment.time[experiment.echo_indices[-1]])
    first, step = echo_time / 2 + laboratory.first_point, experiment.step
    kept = slice(round(first / step), None, round(laboratory.dwell / step))
    late, m = echo.time[kept] - echo_time, echo.m[kept].astype(np.complex128)
    if wrong == "a second line":
        m *= 1 + _SECOND_LINE[1] * np.exp(2j * np.pi * _SECOND_LINE[0] * late)
    if wrong == "damping":
        m *= np.exp(-late / _DAMPING)
    m *= np.exp(1j * (np.deg2rad(laboratory.phase) + 2 * np.pi * laboratory.offset * late))
    return np.asarray(laboratory.volts * m)


def _recipe(settings: DataSettings, laboratory: _Laboratory) -> Recipe:
    recipe = settings.recipe(laboratory.kernel)
    kept = {name: value for name, value in recipe.experiment.items() if name not in laboratory.experiment}
    return recipe.replace(seed=_SEED, experiment={**kept, **laboratory.experiment})


@cache
def _width(name: str) -> float:
    """Width of the prior's interval of a quantity over all kernels, MHz."""
    recipes = [each.replace(seed=_SEED) for each in map(read_preset(PRESET).recipe, read_preset(PRESET).kernels)]
    curves = (recipe.curve(number) for recipe in recipes for number in range(_PRIOR_DRAWS))
    low, high = np.quantile([QUANTITIES[name].of(curve.experiment) for curve in curves], [0.05, 0.95])
    return float(high - low)


def _share(held: pd.Series, laboratories: pd.Series) -> str:
    """A share with its 95 % interval: of resampled laboratories, or the exact one where each trial has its own."""
    n, yes = len(held), held.astype(bool).to_numpy()
    if laboratories.nunique() == n:
        within = binomtest(int(yes.sum()), n).proportion_ci(method="wilson")
        return f"{yes.mean():.2f} ({within.low:.2f} to {within.high:.2f})"
    counts = pd.DataFrame({"yes": yes, "one": 1}).groupby(laboratories.to_numpy()).sum().to_numpy()
    drawn = np.random.default_rng(0).integers(len(counts), size=(_RESAMPLES, len(counts)))
    yes_of, all_of = counts[drawn].sum(axis=1).T
    low, high = np.quantile(yes_of / all_of, [0.025, 0.975])
    return f"{yes.mean():.2f} ({low:.2f} to {high:.2f})"


def _print_warned(found: pd.DataFrame, budget: str) -> None:
    """How often each kind was warned of; a refusal is a warning, too."""
    trials = found.drop_duplicates("trial")
    rows = []
    for wrong, each in trials.groupby("wrong", sort=False):
        warned = each["warned"].fillna(value=False).astype(bool) | (each["refused"] != "")
        rows.append((str(wrong), _WRONG[str(wrong)], str(len(each)), _share(warned, each["laboratory"])))
    header = ("what is not reckoned with", "", "trials", "warned of")
    print_table("Misspecified trials of `nmr infer`", header, rows, note=f"A budget of {budget} each.")


def _print(found: pd.DataFrame, budget: str) -> None:
    trials = found.drop_duplicates("trial")
    asked = trials[trials["refused"] == ""]
    rows = []
    for name, each in found.dropna(subset=["quantity"]).groupby("quantity"):
        told = f"{each['informative'].mean():.0%}"
        covered = _share(each["held"], each["laboratory"])
        rows.append((str(name), str(len(each)), covered, f"{each['share'].median():.2f}", told))
    right = _share(asked["right"], asked["laboratory"])
    note = (
        f"{len(trials)} trials of {trials['laboratory'].nunique()} laboratories with a budget of {budget}; "
        f"{len(trials) - len(asked)} refused. Kernel right: {right}. Warned of: {asked['warned'].mean():.2f}. "
        f"Wall time {asked['seconds'].median():.0f} s (median), on {os.cpu_count()} cores."
    )
    header = ("quantity", "trials", f"in {_LEVEL:.0%} intervals", "width over the prior's", "informative")
    print_table("Blind trials of `nmr infer`", header, rows, note=note)
