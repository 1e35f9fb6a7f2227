"""Stage `optimise_pulses`: search for a sequence that tells the couplings apart better than 90/180."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmr_platform.checksums import write_checksums
from nmr_platform.datasets import DataSettings, Recipe
from nmr_platform.files import staged_folder, write_json
from nmr_platform.learning import METRICS
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design import (
    BASELINE,
    KEPT,
    PulseSearch,
    PulseSearchSettings,
    RecordCache,
    Verdict,
    compare,
    help_search,
    read_search,
    search_pulses,
)
from nmr_platform.schema import Schema
from nmr_platform.stages.display import show_folder, this_session, write_run
from nmr_platform.stages.pulses.figures import draw_pulses
from nmr_platform.stages.pulses.files import write_pulses
from nmr_platform.studies import closing_storage
from nmr_platform.tracking import Tracker
from nmr_platform.workspace import Workspace

__all__ = ["PulseOutcome", "PulseParams", "help_to_optimise", "optimise", "optimise_preset", "optimise_pulses"]


class PulseParams(Schema):
    """What the stage reads of params.yaml.

    Attributes:
        data: What is simulated.
        pulse_search: How pulse sequences are searched.
    """

    data: DataSettings
    pulse_search: PulseSearchSettings


@dataclass(frozen=True)
class PulseOutcome:
    """What came of a search, and what became of it on new curves.

    Attributes:
        settings: Of the search.
        search: The candidates.
        verdict: The best against 90/180.
    """

    settings: PulseSearchSettings
    search: PulseSearch
    verdict: Verdict

    @property
    def target(self) -> str:
        """The question of the headlines."""
        return next(iter(self.settings.verdict.tasks(self.settings.kernel)))

    def __str__(self) -> str:
        n, best, won = len(self.search.candidates), self.search.best.sequences, self.verdict.of(self.target)
        return (
            f"Best of {n}: {best}. On {self.verdict.n_test} new curves {METRICS[won.metric]} of {self.target} "
            f"is {won.value:.3f} against {won.baseline:.3f} for 90/180, gain {won.lower:+.3f} to {won.upper:+.3f}."
        )

    def to_dict(self) -> dict[str, Any]:
        """The winner in plain data, for programs."""
        won = self.verdict.of(self.target)
        return {
            **self.search.best.params,
            "sequence": str(self.search.best.sequences),
            "target": self.target,
            "baseline": won.baseline,
            "best": won.value,
            "lower": won.lower,
            "upper": won.upper,
        }


def optimise_pulses(params: PulseParams, workspace: Workspace, tracker: Tracker) -> PulseOutcome:
    """Run or continue the search of params.yaml, judge its winners on new curves, and write tables and figures.

    Args:
        params: What the stage reads of params.yaml.
        workspace: Where studies are kept, and where results are written.
        tracker: Where the search is shown.
    """
    priors = _priors(params.data, params.pulse_search)
    outcome = optimise(priors, params.pulse_search, workspace, workspace.pulses, tracker)
    write_json(workspace.metrics("pulses"), _metrics(outcome), rounded=True)
    return outcome


def optimise_preset(
    name: str,
    workspace: Workspace,
    tracker: Tracker,
    *,
    out: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> PulseOutcome:
    """Run or continue the search called ``name``.

    Args:
        name: Of a preset.
        workspace: Where studies are kept.
        tracker: Where the search is shown.
        out: Folder to write to; ``results/pulses-<name>`` by default.
        changes: Settings of the search that differ, for instance ``n_trials``.

    Raises:
        ConfigurationError: There is no such preset.
    """
    data, settings = read_search(name)
    folder = out or workspace.pulses.with_name(f"pulses-{name}")
    settings = settings.replace(**(changes or {}))
    return optimise(_priors(data, settings), settings, workspace, folder, tracker)


def help_to_optimise(data: DataSettings, settings: PulseSearchSettings, workspace: Workspace, tracker: Tracker) -> None:
    """Try candidates of a search beside the process that runs it, until there is none left to start.

    Args:
        data: Whose priors the curves are drawn from.
        settings: Of the search, the same as in the other process.
        workspace: Where studies are kept.
        tracker: Where candidates are shown.
    """
    settings = settings.grown(workspace.root)
    priors = _recipes(_priors(data, settings), settings)
    help_search(priors, settings, storage=workspace.studies, tracker=tracker, cache=workspace.records)


def optimise(
    priors: Mapping[str, Recipe], settings: PulseSearchSettings, workspace: Workspace, folder: Path, tracker: Tracker
) -> PulseOutcome:
    """Run or continue a search, judge its winners on new curves, and write tables and figures.

    Args:
        priors: What curves are drawn from, by kernel.
        settings: Of the search.
        workspace: Where studies are kept.
        folder: Where to write.
        tracker: Where the search is shown.
    """
    settings = settings.grown(workspace.root)
    with progress_bar("search pulses", settings.n_trials, "sequences") as advance:
        search = search_pulses(
            _recipes(priors, settings),
            settings,
            storage=workspace.studies,
            tracker=tracker,
            cache=workspace.records,
            progress=advance,
        )
    new = {
        name: _recipe(priors[name], settings, seed, settings.verdict.n_curves)
        for name, seed in settings.verdict.seeds(settings.kernel).items()
    }
    candidates = {BASELINE: search.baseline.sequences}
    candidates |= {f"best {k}": each.sequences for k, each in enumerate(search.best_few(settings.verdict.best), 1)}
    if search.kept is not None:
        candidates[KEPT] = search.kept.sequences
    n_models = len(candidates) * len(settings.verdict.tasks(settings.kernel)) * (1 + len(settings.verdict.scenarios))
    with progress_bar("judge on new curves", n_models, "models") as advance:
        verdict = compare(
            new,
            candidates,
            settings.verdict,
            settings.features,
            storage=workspace.studies.with_name("verdict"),
            cache=RecordCache(workspace.records, settings.cache_megabytes),
            progress=advance,
        )
    outcome = PulseOutcome(settings, search, verdict)
    figures = draw_pulses(search, verdict)
    with staged_folder(folder) as staging:
        write_pulses(staging, search, verdict, settings, candidates, new[settings.kernel].example, figures)
        write_run(staging, search.run, _flat(verdict))
        write_checksums(staging)
    with closing_storage(workspace.studies) as storage:
        show_folder(folder, tracker, storage, this_session(tracker, workspace.root))
    return outcome


def _priors(data: DataSettings, settings: PulseSearchSettings) -> dict[str, Recipe]:
    """The data sets that a search and its verdict draw from."""
    return {
        name: data.recipe(name)
        for name in {**dict.fromkeys(settings.kernels), **settings.verdict.seeds(settings.kernel)}
    }


def _recipes(priors: Mapping[str, Recipe], settings: PulseSearchSettings) -> dict[str, Recipe]:
    return {
        name: _recipe(priors[name], settings, settings.seed_of(name), settings.n_curves) for name in settings.kernels
    }


def _recipe(base: Recipe, settings: PulseSearchSettings, seed: int, n_curves: int) -> Recipe:
    """The prior of a data set on the lattice of the search, with the imperfections that it averages over."""
    lattice = {**base.experiment.get("lattice", {}), "shape": list(settings.shape)}
    return base.replace(
        seed=seed,
        n_curves=n_curves,
        experiment={**base.experiment, "lattice": lattice},
        prior={**base.prior, **settings.imperfections},
    )


def _metrics(outcome: PulseOutcome) -> dict[str, object]:
    chosen = outcome.verdict.of(outcome.target)
    return {
        **{name: value for name, value in outcome.search.best.params.items() if isinstance(value, int | float)},
        "baseline": chosen.baseline,
        "best": chosen.value,
        "gain_lower": chosen.lower,
        "gain_upper": chosen.upper,
    }


def _flat(verdict: Verdict) -> dict[str, float]:
    """The contests of the first sequence as metrics of a run."""
    flat: dict[str, float] = {}
    for each in verdict.contests:
        if each.name == "best 1":
            place = "" if each.scenario == verdict.contests[0].scenario else f".{_plain(each.scenario)}"
            parts = {"baseline": each.baseline, "best": each.value, "lower": each.lower, "upper": each.upper}
            flat |= {f"verdict_{each.metric}_{each.target}_{part}{place}": value for part, value in parts.items()}
    return flat


def _plain(text: str) -> str:
    """Text that MLflow takes as part of a name."""
    return "".join(letter if letter.isalnum() or letter in "._- " else "" for letter in text).strip()
