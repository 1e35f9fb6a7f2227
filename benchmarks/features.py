"""How much faster the polynomial features are as one matrix product than as a loop over `np.polyfit`."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nmr_platform.features import FeatureSet, extract
from nmr_platform.features.polynomial import DEGREE, N_SPLITS

__all__ = ["main"]

_CURVES = 5000
_LOOP_CURVES = 100
_ECHO_INDEX = 1256
_STEP = 1 / (2 * np.pi)


def main() -> None:
    """Time both on the reference's size, 5000 curves of 300 samples; the loop runs on 100 curves and is scaled up."""
    m = _records(_CURVES)
    polynomial = FeatureSet(kind="polynomial", signal="magnitude")
    window = np.abs(m[:_LOOP_CURVES, _ECHO_INDEX - 150 : _ECHO_INDEX + 150])
    loop = _seconds(lambda: _loop_features(window), repeats=1) * _CURVES / _LOOP_CURVES
    print(f"polynomial features of {_CURVES} curves, loop over np.polyfit (scaled up): {loop:.2f} s")
    product = _seconds(lambda: extract(m, polynomial, echo_index=_ECHO_INDEX, step=_STEP))
    print(f"polynomial features of {_CURVES} curves, one matrix product: {product:.4f} s")
    print(f"ratio: {loop / product:.0f}")
    for kind in ("pointwise", "frequency", "polynomial_frequency"):
        feature_set = FeatureSet.model_validate({"kind": kind, "signal": "magnitude"})
        seconds = _seconds(partial(extract, m, feature_set, echo_index=_ECHO_INDEX, step=_STEP))
        print(f"{feature_set.name} of {_CURVES} curves: {seconds:.4f} s")


def _loop_features(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = []
    for row in windows:
        bins = [part for n_splits in N_SPLITS for part in np.split(row, n_splits)]
        rows.append(np.concatenate([np.polyfit(np.arange(len(p)) - len(p) // 2, p, DEGREE) for p in bins]))
    return np.array(rows)


def _records(n_curves: int) -> NDArray[np.complex64]:
    rng = np.random.default_rng(0)
    time_us = np.arange(1884) * _STEP
    width = rng.uniform(2, 6, (n_curves, 1))
    echoes: NDArray[np.complex64] = (0.5 * np.exp(-np.abs(time_us - 200) / width + 0.3j)).astype(np.complex64)
    return echoes


def _seconds(run: Callable[[], object], repeats: int = 5) -> float:
    """Best of a few runs after a first one that warms up."""
    run()
    durations = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        durations.append(time.perf_counter() - begin)
    return min(durations)


if __name__ == "__main__":
    main()
