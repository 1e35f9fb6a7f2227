"""What all feature transformers share: nothing to learn, float32 out, names known before any data."""

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from nmr_platform.errors import ConfigurationError

__all__ = ["StatelessTransformer", "as_blocks", "in_chunks"]

# Curves whose intermediate arrays fit the processor's cache.
_CHUNK = 512


class StatelessTransformer(TransformerMixin, BaseEstimator):
    """A transformer that learns nothing, so that it works the same before and after `fit`.

    Subclasses write `transform` and `get_feature_names_out`; scikit-learn's `set_output` then works by itself.
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn hands over the target)
        """Do nothing; there is nothing to learn.

        Args:
            X: Of any shape and unit; not looked at.
            y: The target; not looked at.

        Returns:
            The transformer itself.
        """
        return self

    def __sklearn_tags__(self) -> Tags:
        """Say that fitting is not needed, so that an unfitted pipeline may transform."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def as_blocks(columns: ArrayLike, n_blocks: int, n_samples: int) -> NDArray[np.floating]:
    """Read columns as consecutive blocks of samples, one block a component.

    Args:
        columns: Shape (n_curves, n_blocks * n_samples), in any unit.
        n_blocks: Number of components.
        n_samples: Samples in each.

    Returns:
        Shape (n_curves, n_blocks, n_samples), in the unit and precision of ``columns``.

    Raises:
        ConfigurationError: The width of ``columns`` is another one.
    """
    values = np.asarray(columns)
    if values.ndim != 2 or values.shape[1] != n_blocks * n_samples:
        message = (
            f"Argument `X` must have {n_blocks} x {n_samples} columns (components x samples), "
            f"but has shape {values.shape}."
        )
        raise ConfigurationError(message, key="X", value=values.shape)
    return values.reshape(len(values), n_blocks, n_samples)


def in_chunks(
    blocks: NDArray[np.floating], compute: Callable[[NDArray[np.float64]], NDArray[np.floating]]
) -> NDArray[np.float32]:
    """Compute the columns of a few hundred curves at a time, in double precision.

    Args:
        blocks: What `as_blocks` returns.
        compute: From some curves' blocks to their columns, shape (n, n_blocks, n_samples) to (n, n_columns).

    Returns:
        Shape (n_curves, n_columns), float32.
    """
    starts = range(0, max(len(blocks), 1), _CHUNK)
    parts = [compute(blocks[i : i + _CHUNK].astype(np.float64)).astype(np.float32) for i in starts]
    return np.concatenate(parts)
