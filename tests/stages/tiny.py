"""The real params.yaml with everything that takes time made small, and the `nmr` command run in this process."""

import copy
import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from nmr_platform.cli.app import main
from nmr_platform.schema import read_yaml
from nmr_platform.studies import STORAGE_VARIABLE
from nmr_platform.workspace import Workspace

__all__ = [
    "KERNELS",
    "TASKS",
    "Ended",
    "champion_of",
    "contents",
    "contents_of",
    "copied",
    "isolate",
    "merged",
    "nmr",
    "nmr_alone",
    "tiny_values",
    "without",
    "write_params",
]

ROOT = Path(__file__).parents[2]
KERNELS = ("gaussian", "power", "rkky")
TASKS = ("W", "power_vs_rest")
OUTPUTS = ("data", "results", "metrics", "reports")

SMALL = {
    "data": {
        "n_curves": 24,
        "experiment": {"lattice": {"shape": [8, 8]}, "sequence": {"tau": 25.0}},
        "constraints": {"W": {"low": 0.01, "high": 0.1}},
    },
    "tune": {
        "n_trials": 2,
        "families": ["random_forest", "xgboost"],
        "feature_sets": ["polynomial-magnitude"],
        "cv_folds": 3,
        "n_estimators": 10,
        "startup_trials": 1,
        "pruner": "none",
    },
    "evaluate": {
        "n_resamples": 20,
        "n_bins": 2,
        "permutation_repeats": 1,
        "permutation_features": 3,
        "shap_rows": 3,
        "learning_curve": [0.5],
        "noise": [0.0, 1e-3],
        "lattice_shapes": [[6, 6]],
        "lattice_curves": 10,
    },
    "disorder_comparison": {"n_curves": 24, "n_estimators": 10, "feature_set": "pointwise-magnitude"},
    "pulse_search": {
        "n_trials": 3,
        "n_curves": 20,
        "shape": [8, 8],
        "objective": {"cv_folds": 2},
        "startup_trials": 2,
        "verdict": {"n_curves": 24, "n_trials": 1, "n_estimators": 5, "cv_folds": 2},
    },
}


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def tiny_values() -> dict[str, Any]:
    """Plain data of the small parameters: two feature sets, two tasks."""
    values = merged(read_yaml(ROOT / "params.yaml"), SMALL)
    values["features"]["sets"] = [
        {"kind": kind, "signal": "magnitude", "half_width": 150} for kind in ("pointwise", "polynomial")
    ]
    values["tasks"] = {name: values["tasks"][name] for name in TASKS}
    values["designed"] |= {"tasks": ["W"], "tune": {"families": ["linear"], "feature_sets": ["polynomial-complex-h60"]}}
    values["designed"]["features"] = {"sets": [{"kind": "polynomial", "signal": "complex", "half_width": 60}]}
    return values


def merged(values: Any, overlay: Any) -> Any:
    """A copy of ``values`` with the keys of ``overlay`` laid over it, mapping by mapping."""
    if not isinstance(values, dict) or not isinstance(overlay, dict):
        return copy.deepcopy(overlay)
    out = copy.deepcopy(values)
    for key, value in overlay.items():
        out[key] = merged(out[key], value) if key in out else copy.deepcopy(value)
    return out


def without(values: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """A copy of ``values`` without the key at ``path``."""
    out = copy.deepcopy(values)
    section = out
    for key in path[:-1]:
        section = section[key]
    del section[path[-1]]
    return out


def write_params(folder: Path, values: dict[str, Any]) -> Path:
    """Write ``params.yaml`` into ``folder``."""
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Unset what DVC, MLflow and a study database would tell a command, and keep its runs in ``folder``."""
    for name in ("MLFLOW_RUN_ID", "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", STORAGE_VARIABLE):
        patch.delenv(name, raising=False)
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")


def nmr(folder: Path, *arguments: str) -> Ended:
    """Run `nmr` on the project in ``folder``, in this process."""
    return nmr_alone(*arguments, "--params", str(folder / "params.yaml"))


def nmr_alone(*arguments: str) -> Ended:
    """Run `nmr` with nothing but ``arguments``, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as caught:
        main(arguments)
    return Ended(int(caught.value.code or 0), out.getvalue(), err.getvalue())


def champion_of(project: Path, task: str) -> Path:
    """Folder of the champion's evaluation."""
    folder = Workspace(project).evaluated(task)
    return folder / json.loads((folder / "scores.json").read_text())["champion"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the pipeline's outputs with its bytes."""
    return {name: held for name, held in contents_of(folder).items() if name.partition("/")[0] in OUTPUTS}


def contents_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def copied(project: Path, folder: Path, *, journal: bool = True) -> Path:
    """A copy of a project to spoil, without MLflow's database; ``journal``: with shards and studies."""
    unwanted = ["mlflow*", "mlartifacts"] + ([] if journal else [".nmr"])
    return Path(shutil.copytree(project, folder, ignore=shutil.ignore_patterns(*unwanted)))
