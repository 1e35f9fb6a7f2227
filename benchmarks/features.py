"""How long features of 15,000 curves take, and what one matrix product gains over a loop of `np.polyfit`."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import print_table
from benchmarks.timing import best_seconds
from nmr_platform.features import Acquisition, FeaturesSettings, PolynomialFeatures, extract
from nmr_platform.features.kinds.polynomial import DEGREE, N_SPLITS
from nmr_platform.schema import read_yaml, validate

__all__ = ["main"]

_CURVES = 15_000
_LOOP_CURVES = 100
_ECHO_INDEX = 1256
_N_SAMPLES = 1884
_STEP = 1 / (2 * np.pi)
_TAKEN = Acquisition(echo_index=_ECHO_INDEX, step=_STEP, n_samples=_N_SAMPLES, n_sites=10_000)
_PARAMS = Path(__file__).parents[1] / "params.yaml"


def main() -> None:
    """Time the feature sets of params.yaml on the curves of the reference's three data sets, 5000 each."""
    m = _records(_CURVES)
    rows, total = [], 0.0
    for feature_set in validate(FeaturesSettings, read_yaml(_PARAMS)["features"]).sets:
        run = partial(extract, m, feature_set, _TAKEN)
        columns = run().shape[1]
        processor = _best(run, time.process_time)
        total += processor
        rows.append((feature_set.name, str(columns), f"{processor:.2f} s", f"{_best(run, time.perf_counter):.2f} s"))
    rows.append(("all of them", "", f"{total:.2f} s", ""))
    print_table(f"Features of {_CURVES} curves", ("feature set", "columns", "processor", "elapsed"), rows)

    polynomial = PolynomialFeatures(signal="magnitude")
    window = np.abs(m[:_LOOP_CURVES, _ECHO_INDEX - 150 : _ECHO_INDEX + 150])
    loop = _best(partial(_loop_features, window), time.process_time) * _CURVES / _LOOP_CURVES
    product = _best(partial(extract, m, polynomial, _TAKEN), time.process_time)
    print_table(
        "Polynomial features",
        ("how", "processor"),
        [("loop over np.polyfit (scaled up)", f"{loop:.2f} s"), ("one matrix product", f"{product:.3f} s")],
        note=f"{loop / product:.0f} times faster",
    )


def _best(run: Callable[[], object], clock: Callable[[], float]) -> float:
    return best_seconds({"run": run}, 2, clock)["run"]


def _loop_features(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = []
    for row in windows:
        bins = [part for n_splits in N_SPLITS for part in np.split(row, n_splits)]
        rows.append(np.concatenate([np.polyfit(np.arange(len(p)) - len(p) // 2, p, DEGREE) for p in bins]))
    return np.array(rows)


def _records(n_curves: int) -> NDArray[np.complex64]:
    """Free decays and echoes with noise as strong as that of the disorder."""
    rng = np.random.default_rng(0)
    time_us = np.arange(_N_SAMPLES, dtype=np.float32) * np.float32(_STEP)
    width = rng.uniform(2, 6, (n_curves, 1)).astype(np.float32)
    made = np.empty((n_curves, _N_SAMPLES), dtype=np.complex64)
    made.real = 0.5 * np.exp(-np.abs(time_us - _ECHO_INDEX * _STEP) / width) + 0.5 * np.exp(-time_us / width)
    made.real += 0.003 * rng.standard_normal(made.shape, dtype=np.float32)
    made.imag = 0.003 * rng.standard_normal(made.shape, dtype=np.float32)
    return made


if __name__ == "__main__":
    main()
