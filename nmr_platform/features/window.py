"""Cut the record M(t) around the echo and read it as real columns."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.pointwise import sample_names

__all__ = ["EchoWindow", "check_window"]


class EchoWindow(StatelessTransformer):
    """The samples [c - h, c + h) around the echo c, as |M| or as real part followed by imaginary part.

    The complex signal is taken as it is, without any rotation: its phase is relative to the first pulse.

    Args:
        echo_index: Index c of the echo in the record.
        half_width: Samples h on each side of the echo.
        rescale: Divide each row by its own maximum of |M| in the window. A row that is zero throughout stays zero.
        signal: ``magnitude`` (columns ``abs_<k>``) or ``complex`` (columns ``re_<k>``, then ``im_<k>``), where k
            counts samples from the echo, -h to h - 1.
    """

    def __init__(
        self, echo_index: int, half_width: int = 150, rescale: bool = False, signal: str = "magnitude"
    ) -> None:
        self.echo_index = echo_index
        self.half_width = half_width
        self.rescale = rescale
        self.signal = signal

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Cut the window out of every curve.

        Args:
            X: The raw records M(t), shape (n_curves, n_samples), real or complex.

        Returns:
            Shape (n_curves, 2 h) for |M|, (n_curves, 4 h) for the complex signal, float32.

        Raises:
            ConfigurationError: The window reaches outside the record, or a real record is read as a complex one.
            DataError: A value inside the window is not finite.
        """
        cut = self._cut(np.asarray(X))
        magnitude = np.abs(cut)
        faulty = ~np.isfinite(magnitude).all(axis=1)
        if faulty.any():
            message = f"Argument `m` must be finite around the echo, but curve {int(faulty.argmax())} is not."
            raise DataError(message)
        columns = magnitude if self.signal == "magnitude" else np.concatenate([cut.real, cut.imag], axis=1)
        if self.rescale:
            largest = magnitude.max(axis=1, keepdims=True)
            columns = columns / np.where(largest > 0, largest, 1)
        return columns.astype(np.float32, copy=False)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names of the columns; those of the record's samples, if it has any, do not matter."""
        components = ("abs",) if self.signal == "magnitude" else ("re", "im")
        return np.array([name for part in components for name in sample_names(self.half_width, part)], dtype=object)

    def _cut(self, records: NDArray[np.generic]) -> NDArray[np.inexact]:
        if records.ndim != 2:
            message = f"Argument `m` must have shape (n_curves, n_samples), but has shape {records.shape}."
            raise ConfigurationError(message, key="m", value=records.shape)
        if self.signal == "complex" and not np.iscomplexobj(records):
            message = f"Argument `m` must be complex for the signal `complex`, but is {records.dtype}."
            raise ConfigurationError(message, key="signal", value=self.signal)
        check_window(self.echo_index, self.half_width, records.shape[1])
        cut = records[:, self.echo_index - self.half_width : self.echo_index + self.half_width]
        return cut.astype(np.result_type(cut.dtype, np.float32), copy=False)


def check_window(echo_index: int, half_width: int, n_samples: int) -> None:
    """Refuse a window that reaches outside the record.

    Args:
        echo_index: Index of the echo in the record.
        half_width: Samples on each side of the echo.
        n_samples: Length of the record.

    Raises:
        ConfigurationError: With the half width, the echo's index and the record's length.
    """
    if not half_width <= echo_index <= n_samples - half_width:
        message = (
            f"Argument `half_width` must keep the window inside the record, but {half_width} samples on each side "
            f"of echo index {echo_index} reach outside a record of {n_samples} samples."
        )
        raise ConfigurationError(message, key="half_width", value=half_width)
