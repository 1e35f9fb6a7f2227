"""What the objectives look at in the records of a measurement: windows around the echoes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, WindowedFeatures, extract
from nmr_platform.physics import Experiment

__all__ = ["binned_windows", "feature_table", "window_centres"]

# Windows of a longer train tell little more and cost as much each.
_MOST_WINDOWS = 4


def window_centres(experiment: Experiment, half_width: int) -> tuple[int, ...]:
    """Samples at which windows are centred, in order.

    Every echo has one, moved where it would reach outside the record; of more than four echoes, four spread evenly
    from the first to the last. A sequence without an echo has one at the end of its record.

    Args:
        experiment: With the sequence.
        half_width: Samples on each side.

    Raises:
        ConfigurationError: The record is shorter than a window.
    """
    n = experiment.n_samples
    if n < 2 * half_width:
        message = f"The record must hold a window of {2 * half_width} samples, but has {n}."
        raise ConfigurationError(message, key="half_width", value=half_width)
    echoes = experiment.echo_indices or (n - half_width,)
    centres = sorted({int(np.clip(echo, half_width, n - half_width)) for echo in echoes})
    chosen = np.unique(np.linspace(0, len(centres) - 1, min(len(centres), _MOST_WINDOWS)).round().astype(int))
    return tuple(centres[i] for i in chosen)


def feature_table(
    records: Sequence[NDArray[np.complex64]], experiments: Sequence[Experiment], features: WindowedFeatures
) -> pd.DataFrame:
    """Features of all windows of all sequences, side by side.

    Args:
        records: M, dimensionless: one array a sequence, shape (n_curves, n_samples).
        experiments: The experiment of each sequence.
        features: What to extract from a window.

    Returns:
        One row a curve; columns carry the prefix ``s<k>e<j>_`` for the j-th window of the k-th sequence, if there is
        more than one.
    """
    tables = []
    for k, (m, experiment) in enumerate(zip(records, experiments, strict=True)):
        for j, centre in enumerate(window_centres(experiment, features.half_width)):
            table = extract(m, features, Acquisition.of(experiment, centre))
            tables.append(table.add_prefix(f"s{k + 1}e{j + 1}_"))
    if len(tables) == 1:
        return tables[0].rename(columns=lambda name: name.removeprefix("s1e1_"))
    return pd.concat(tables, axis=1)


def binned_windows(
    records: Sequence[NDArray[np.complex64]], experiments: Sequence[Experiment], half_width: int, size: int
) -> NDArray[np.float64]:
    """Real and imaginary part of all windows, averaged over bins.

    Args:
        records: M, dimensionless: one array a sequence, shape (n_curves, n_samples).
        experiments: The experiment of each sequence.
        half_width: Samples on each side of an echo.
        size: Samples in a bin; what does not fill the last one is left out.

    Returns:
        Shape (n_curves, n_numbers), in units of M.
    """
    parts = []
    for m, experiment in zip(records, experiments, strict=True):
        for centre in window_centres(experiment, half_width):
            window = m[:, centre - half_width : centre + half_width]
            n_bins = window.shape[1] // size
            bins = window[:, : n_bins * size].reshape(len(m), n_bins, size).mean(axis=2)
            parts += [bins.real, bins.imag]
    return np.concatenate(parts, axis=1).astype(np.float64)
