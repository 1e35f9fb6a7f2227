"""Where in the unit cube a curve's parameters are drawn: at random, or spread evenly by Sobol's sequence."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sampling", "points_of"]

Sampling = Literal["random", "sobol"]

# Draws of one curve that come from Sobol's sequence; should the constraints reject them all, random ones follow.
_ROUNDS = 8
_BLOCK = 1024
# No curve has this number, so its streams are free for what a whole data set shares.
_SHARED = 2**32 - 1


def points_of(
    number: int, n_dims: int, stream: np.random.SeedSequence, sampling: Sampling, seed: int
) -> Iterator[NDArray[np.float64]]:
    """The points at which curve ``number`` may be drawn, best first, without end.

    With ``sobol``, the first draws of all curves are consecutive points of one scrambled Sobol sequence. The second
    draws, for those whose first was rejected, are *further coordinates of the same points*, and so on: draws after a
    rejection then stay evenly spread (another sequence would repeat the digits of the first and favour some regions),
    and a curve's draws depend on nothing but its number.

    Args:
        number: The curve's number.
        n_dims: Number of parameters drawn.
        stream: The curve's own random stream.
        sampling: ``random`` or ``sobol``.
        seed: Seed of the data set.

    Yields:
        Points of [0, 1)^n_dims, shape (n_dims,).
    """
    if sampling == "sobol" and n_dims:
        block, row = divmod(number, _BLOCK)
        yield from _sobol_block(seed, n_dims, block)[row].reshape(_ROUNDS, n_dims)
    rng = np.random.default_rng(stream)
    while True:
        yield rng.random(n_dims)


@lru_cache(maxsize=8)
def _sobol_block(seed: int, n_dims: int, block: int) -> NDArray[np.float64]:
    """Points ``block * 1024`` onwards of the data set's sequence, shape (1024, rounds * n_dims)."""
    from scipy.stats.qmc import Sobol  # noqa: PLC0415

    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SHARED,)))
    sequence = Sobol(_ROUNDS * n_dims, scramble=True, rng=rng)
    if block:
        sequence.fast_forward(block * _BLOCK)
    return sequence.random(_BLOCK)
