"""Where every random draw comes from."""

from typing import NamedTuple

import numpy as np

__all__ = ["CurveStreams", "curve_streams"]


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
