"""Stage `optimise_pulses`: search for a sequence that tells the couplings apart better than 90/180."""

from pathlib import Path

import numpy as np
import yaml
from matplotlib.figure import Figure

from nmr_platform import plots
from nmr_platform.config import Params
from nmr_platform.datasets import Recipe
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Hahn
from nmr_platform.progress import progress_bar
from nmr_platform.pulse_design import BASELINE, PulseSearch, Verdict, compare, hahn_with, search_pulses
from nmr_platform.stages.files import staged_folder, write_json
from nmr_platform.stages.workspace import Workspace
from nmr_platform.tracking import Tracker

__all__ = ["optimise_pulses"]


def optimise_pulses(params: Params, workspace: Workspace, tracker: Tracker) -> tuple[PulseSearch, Verdict]:
    """Run or continue the pulse search, judge its winner on new curves, and write tables and figures.

    Raises:
        ConfigurationError: The data sets are not Hahn echoes.
    """
    settings = params.pulse_search
    recipe = _recipe(params, settings.seed, settings.n_curves)
    sequence = recipe.curve(0).experiment.sequence
    if not isinstance(sequence, Hahn):
        message = f"Key `data.experiment.sequence.kind` must be hahn for a pulse search, but is {sequence.kind!r}."
        raise ConfigurationError(message, key="data.experiment.sequence.kind", value=sequence.kind)
    with progress_bar("search pulses", settings.n_trials, "sequences") as advance:
        found = search_pulses(recipe, sequence, settings, storage=workspace.studies, tracker=tracker, progress=advance)
    best = hahn_with(sequence, float(found.best["theta1"]), float(found.best["theta2"]))
    new_curves = _recipe(params, settings.verdict_seed, settings.verdict_curves)
    verdict = compare(new_curves, hahn_with(sequence, *BASELINE), best, settings)
    figures = _draw(found, verdict)
    with staged_folder(workspace.pulses) as folder:
        _write(found, verdict, best, figures, folder)
        # Only now: a tracker may draw figures in a way that changes their layout, and files must not depend on it.
        for name, figure in figures.items():
            tracker.log_figure(found.run_id, f"figures/{name}.png", figure)
        tracker.log_metrics(found.run_id, _flat(verdict))
    write_json(workspace.metrics("pulses"), _metrics(found, verdict), rounded=True)
    return found, verdict


def _recipe(params: Params, seed: int, n_curves: int) -> Recipe:
    """The prior of the search's kernel, on the lattice of the search."""
    base = params.data.recipe(params.pulse_search.kernel)
    lattice = {"shape": list(params.pulse_search.shape)}
    return base.replace(seed=seed, n_curves=n_curves, experiment={**base.experiment, "lattice": lattice})


def _draw(found: PulseSearch, verdict: Verdict) -> dict[str, Figure]:
    table, best, target = found.table, found.best, found.target
    label = f"cross-validated R² of {target}"
    angles = np.concatenate([verdict.baseline_m[:1], verdict.best_m[:1]])
    names = [f"{BASELINE[0]:.0f}/{BASELINE[1]:.0f}", f"{best['theta1']:.1f}/{best['theta2']:.1f}"]
    return {
        "map": plots.plot_pulse_map(
            table["theta1"],
            table["theta2"],
            table["score"],
            best=(best["theta1"], best["theta2"]),
            baseline=BASELINE,
            label=label,
        ),
        "history": plots.plot_search_history(table["score"], baseline=float(found.baseline["score"]), label=label),
        "echoes": plots.plot_echoes(
            verdict.time, angles, names, parts=True, title="The same spins under 90/180 and under the sequence found"
        ),
    }


def _write(found: PulseSearch, verdict: Verdict, best: Hahn, figures: dict[str, Figure], folder: Path) -> None:
    found.table.to_csv(folder / "history.csv", index=False, float_format="%.6g")
    (folder / "best_sequence.yaml").write_text(yaml.safe_dump(best.model_dump(mode="json"), sort_keys=False))
    write_json(folder / "summary.json", _summary(found, verdict), rounded=True)
    for name, figure in figures.items():
        plots.save(figure, folder / "figures" / f"{name}.png")


def _summary(found: PulseSearch, verdict: Verdict) -> dict[str, object]:
    return {
        "target": found.target,
        "n_trials": len(found.table),
        "n_curves": verdict.n_curves,
        "baseline": {"theta1": BASELINE[0], "theta2": BASELINE[1]},
        "best": {"theta1": float(found.best["theta1"]), "theta2": float(found.best["theta2"])},
        "search_score": {"baseline": float(found.baseline["score"]), "best": float(found.best["score"])},
        "verdict": {name: vars(comparison) for name, comparison in verdict.targets.items()},
    }


def _metrics(found: PulseSearch, verdict: Verdict) -> dict[str, object]:
    chosen = verdict.targets[found.target]
    return {
        "theta1": float(found.best["theta1"]),
        "theta2": float(found.best["theta2"]),
        "baseline": chosen.baseline,
        "best": chosen.best,
        "gain_lower": chosen.lower,
        "gain_upper": chosen.upper,
    }


def _flat(verdict: Verdict) -> dict[str, float]:
    return {
        f"verdict_r2_{name}_{part}": value
        for name, comparison in verdict.targets.items()
        for part, value in vars(comparison).items()
    }
