"""Where every random draw comes from."""

from typing import NamedTuple

import numpy as np

__all__ = ["CurveStreams", "Seed", "child", "curve_streams", "noise_of_record"]

Seed = int | np.random.SeedSequence


class CurveStreams(NamedTuple):
    """The independent random streams of one curve.

    Attributes:
        parameters: Draws from the prior.
        disorder: Draws the Larmor offsets; pass it to `simulate` as ``seed`` to get the same curve alone.
        noise: Draws the receiver's noise.
    """

    parameters: np.random.SeedSequence
    disorder: np.random.SeedSequence
    noise: np.random.SeedSequence


def curve_streams(dataset_seed: int, curve: int) -> CurveStreams:
    """Streams of one curve: children of ``SeedSequence(dataset_seed, spawn_key=(curve,))``.

    Args:
        dataset_seed: Seed of the data set.
        curve: Number of the curve in it.
    """
    return CurveStreams(*np.random.SeedSequence(dataset_seed, spawn_key=(curve,)).spawn(3))


def child(seed: Seed, number: int) -> np.random.SeedSequence:
    """A child of ``seed`` that does not depend on how often it was asked for."""
    parent = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, number))


def noise_of_record(noise_seed: Seed, number: int) -> Seed:
    """Seed of the receiver's noise in one record of a measurement.

    Args:
        noise_seed: Of the measurement; that of its first record too.
        number: Place of the record among those of the measurement, from 0.
    """
    return child(noise_seed, number) if number else noise_seed
