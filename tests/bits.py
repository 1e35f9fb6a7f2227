"""Digests of everything whose bits must not depend on the processor: ``python -m tests.bits`` prints them as JSON."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

# As a notebook would, before our package can have a say: NumPy chooses its routines when it is imported.
import numpy as np

from nmr_platform.datasets import Recipe, generate, load
from nmr_platform.features import Acquisition, FeaturesSettings, extract
from nmr_platform.physics import Measurement
from nmr_platform.schema import validate
from nmr_platform.simulation import INTEGRATORS, measure, simulate
from tests.builders import delay, experiment, experiment_values, pulse, shaped

__all__ = ["digests"]

LINE = {"kind": "lorentzian", "fwhm": 0.05, "bandwidth": 1.0}
EXPERIMENTS = {
    "relaxing rkky, gaussian line, noise": experiment(
        lattice={"kind": "triangular", "shape": [9, 6]},
        kernel={"kind": "rkky", "xi": 2.7, "p": 0.3, "d": -0.2},
        line={"kind": "gaussian", "fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"},
        dissipation={"gamma_plus": 0.001, "gamma_minus": 0.002, "gamma_z": 0.003},
        receiver={"noise": 0.01},
    ),
    "shaped pulse, power law, uneven drive": experiment(
        lattice={
            "kind": "bravais",
            "shape": [6, 5],
            "vectors": [[1.0, 0.1], [0.3, 1.2]],
            "basis": [[0, 0], [0.4, 0.5]],
        },
        kernel={"kind": "power", "exponent": 1.7},
        coupling={"alpha_x": 0.002, "alpha_y": 0.003, "alpha_z": -0.005},
        line=LINE,
        sequence={"kind": "custom", "elements": [pulse(87.3, 12.0), shaped((0.6, 0.2, 31.0)), delay(90)]},
        drive={"calibration": 0.97, "inhomogeneity": 0.05},
    ),
    "phase cycle, stretched kernel": experiment(
        lattice={"shape": [24, 20]},
        kernel={"kind": "gaussian", "xi": 3.3, "exponent": 1.3},
        coupling={"alpha_x": 0.002, "alpha_y": 0.002, "alpha_z": 0.001},
        line=LINE,
        phase_cycle=[{"pulses": [0, 0], "receiver": 0}, {"pulses": [37, 90], "receiver": 37}],
    ),
    "fluctuations about a tilted mean": experiment(
        lattice={"shape": [12, 10]},
        coupling={"alpha_x": 0.002, "alpha_y": 0.002, "alpha_z": 0.01},
        line=LINE,
        initial={"m": [0.1, -0.2, 0.3], "fluctuations": "sampled", "draws": 2},
    ),
    "few waves": experiment(
        lattice={"kind": "triangular", "shape": [64, 66]},
        kernel={"kind": "gaussian", "xi": 6.0},
        coupling={"alpha_x": 2e-4, "alpha_y": 2e-4, "alpha_z": 1e-4},
        line=LINE,
    ),
}
RECIPE = {
    "name": "bits",
    "n_curves": 5,
    "seed": 7,
    "experiment": {
        "lattice": {"shape": [12, 12]},
        "kernel": {"kind": "gaussian"},
        "line": LINE,
        "sequence": {"kind": "hahn", "tau": 32.0},
        "step": 0.15,
    },
    "prior": {
        "kernel.xi": {"kind": "normal", "mean": 3.0, "std": 1.0, "low": 1.0, "high": 6.0},
        "coupling.alpha_x": {"kind": "log_uniform", "low": 1e-4, "high": 2e-2},
        "coupling.alpha_y": {"kind": "expression", "value": "coupling.alpha_x"},
        "coupling.alpha_z": {"kind": "choice", "values": [0.001, 0.002]},
    },
    "constraints": {"W": {"low": 0.01, "high": 0.5}},
}
ECHO = {"half_width": 100}
FEATURES = [
    *({"kind": "pointwise", "signal": each, **ECHO} for each in ("magnitude", "aligned", "phase", "log_magnitude")),
    {"kind": "pointwise", "signal": "complex", "window": "record", "decimate": 4, "rescale": True},
    {"kind": "pointwise", "signal": "instantaneous_frequency", **ECHO},
    {"kind": "polynomial", "signal": "complex", **ECHO},
    {"kind": "polynomial_frequency", "signal": "magnitude", **ECHO},
    {"kind": "frequency", "signal": "complex", **ECHO},
    {"kind": "quantiles", "signal": "complex", **ECHO},
    {"kind": "convolutions", "signal": "complex", **ECHO},
    {"kind": "shape", "signal": "complex", "window": "record", **ECHO},
]
SEQUENCES = {
    "long": {"kind": "hahn", "tau": 32.0},
    "short": {"kind": "hahn", "tau": 20.0},
    "shorter": {"kind": "hahn", "tau": 12.0},
    "tilted": {"kind": "hahn", "tau": 32.0, "theta1": 60.0},
}
COMPARED = [
    {"kind": "decay", "signal": "complex", "decimate": 3, "records": ["long", "short", "shorter"]},
    {"kind": "shift", "half_width": 100, "records": ["long", "tilted"]},
]


def digests() -> dict[str, str]:
    """A digest of each echo, of a data set's records and coordinates, and of each feature table."""
    found = {}
    for name, each in EXPERIMENTS.items():
        for integrator in INTEGRATORS:
            echo = simulate(each, seed=3, integrator=integrator)
            found[f"{integrator}: {name}"] = _digest(echo.m, echo.m_z)
    with tempfile.TemporaryDirectory() as folder:
        generated = generate(validate(Recipe, RECIPE), path=Path(folder) / "bits.zarr", shard_folder=Path(folder) / "s")
        dataset = load(generated.path)
        numbers = [dataset[name].to_numpy() for name in sorted(dataset.variables) if dataset[name].dtype.kind in "fic"]
        found["data set"] = _digest(*numbers)
        acquisition, m = Acquisition.of_dataset(dataset), dataset["m"].to_numpy()
    for feature_set in validate(FeaturesSettings, {"sets": FEATURES}).sets:
        found[f"features: {feature_set.name}"] = _digest(extract(m, feature_set, acquisition).to_numpy())
    measurement = validate(Measurement, experiment_values(sequence=None, sequences=SEQUENCES, line=LINE))
    records = {name: echo.m[np.newaxis] for name, echo in measure(measurement, seed=3).items()}
    taken = {name: Acquisition.of(each) for name, each in measurement.experiments.items()}
    for feature_set in validate(FeaturesSettings, {"sets": COMPARED}).sets:
        found[f"features: {feature_set.name}"] = _digest(extract(records, feature_set, taken).to_numpy())
    return found


def _digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)).hexdigest()[:16]


if __name__ == "__main__":
    json.dump(digests(), sys.stdout, indent=2)
