"""What the objectives look at in the records of some sequences: windows around the echoes, or whole records."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError
from nmr_platform.features import Acquisition, WindowedFeatures, extract
from nmr_platform.physics import Experiment

__all__ = ["binned_windows", "feature_table", "window_centres"]

# Windows of a longer train tell little more and cost as much each.
_MOST_WINDOWS = 4

Records = Mapping[str, NDArray[np.complex64]]
Experiments = Mapping[str, Experiment]


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
    echoes = experiment.echo_indices or (n - 1,)
    centres = sorted({Acquisition.of(experiment, echo).with_room(half_width).echo_index for echo in echoes})
    chosen = np.unique(np.linspace(0, len(centres) - 1, min(len(centres), _MOST_WINDOWS)).round().astype(int))
    return tuple(centres[i] for i in chosen)


def feature_table(records: Records, experiments: Experiments, features: WindowedFeatures) -> pd.DataFrame:
    """The features of all sequences, as those of a measurement of them.

    Args:
        records: M, dimensionless, by name of the sequence, each of shape (n_curves, n_samples).
        experiments: The experiment of each sequence, by the same names.
        features: What to extract.

    Returns:
        One row a curve; columns are named ``<sequence>.<column>``, and ``<sequence>-e<j>.<column>`` for the j-th window
        of a record that has more than one.

    Raises:
        ConfigurationError: A record is shorter than a window.
    """
    m, taken = {}, {}
    for name, experiment in experiments.items():
        centres = _centres(experiment, features)
        for j, centre in enumerate(centres, 1):
            window = f"{name}-e{j}" if len(centres) > 1 else name
            m[window], taken[window] = records[name], Acquisition.of(experiment, centre)
    return extract(m, features, taken)


def binned_windows(
    records: Records, experiments: Experiments, features: WindowedFeatures, size: int
) -> NDArray[np.float64]:
    """Real and imaginary part of what features look at, averaged over bins.

    Args:
        records: M, dimensionless, by name of the sequence, each of shape (n_curves, n_samples).
        experiments: The experiment of each sequence, by the same names.
        features: Whose windows they are: around the echoes, or the whole record.
        size: Samples in a bin; what does not fill the last one is left out.

    Returns:
        Shape (n_curves, n_numbers), in units of M.

    Raises:
        ConfigurationError: A record is shorter than a window.
    """
    parts = []
    for name, experiment in experiments.items():
        for part in _looked_at(experiment, features):
            window = records[name][:, part]
            n_bins = window.shape[1] // size
            bins = window[:, : n_bins * size].reshape(len(window), n_bins, size).mean(axis=2)
            parts += [bins.real, bins.imag]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _centres(experiment: Experiment, features: WindowedFeatures) -> tuple[int, ...]:
    if features.looks_around_the_echo:
        return window_centres(experiment, features.half_width)
    # The whole record is looked at in bins that begin at an echo, if there is one.
    return (experiment.echo_indices or (experiment.n_samples // 2,))[-1:]


def _looked_at(experiment: Experiment, features: WindowedFeatures) -> list[slice]:
    if not features.looks_around_the_echo:
        return [slice(None)]
    half = features.half_width
    return [slice(centre - half, centre + half) for centre in window_centres(experiment, half)]
