"""What M(t) is read as: magnitude, parts, logarithm, phase relative to the echo, or instantaneous frequency."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmr_platform import portable
from nmr_platform.datasets import Reference
from nmr_platform.errors import ConfigurationError
from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.window import WindowSpan

__all__ = ["COMPONENTS", "HANGS_ON", "NEEDS_FLOOR", "SignalReader", "disorder_floor"]

Real = NDArray[np.floating]
Complex = NDArray[np.complexfloating]

# The real signals that each reading consists of.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "magnitude": ("abs",),
    "complex": ("re", "im"),
    "aligned": ("inphase", "quadrature"),
    "log_magnitude": ("log",),
    "phase": ("cos", "sin"),
    "instantaneous_frequency": ("freq",),
}
# What else than |M| a reading changes with.
HANGS_ON: dict[str, frozenset[Reference]] = {
    "magnitude": frozenset(),
    "complex": frozenset(("phase", "offset")),
    "aligned": frozenset(("offset",)),
    "log_magnitude": frozenset(),
    "phase": frozenset(("offset",)),
    "instantaneous_frequency": frozenset(("offset",)),
}
# Readings that divide by |M| or take its logarithm, and so must know how small it can be.
NEEDS_FLOOR = ("log_magnitude", "phase", "instantaneous_frequency")


def disorder_floor(n_sites: int) -> float:
    """The magnitude |M| that is left when all spins have dephased, and below which it says nothing.

    M is the mean of N transverse spins of length 1/2. Once their phases are independent and uniform,
    <|M|^2> = N (1/2)^2 / N^2, so that the root mean square of |M| is 1 / (2 sqrt(N)): 0.005 for 100 x 100 spins.

    Args:
        n_sites: Number of spins N.
    """
    return float(0.5 / np.sqrt(n_sites))


class SignalReader(StatelessTransformer):
    """Read the window's samples of M(t) as real columns, component after component.

    With the floor e of `disorder_floor` and the phase p = arg M at the echo, the components are

    ============== =============================================================== ========================
    ``abs``        |M|
    ``re``, ``im`` the parts of M, whose phase is relative to the first pulse
    ``inphase``,   the parts of M exp(-ip): no phase of the receiver enters, and
    ``quadrature`` an echo that changes its sign is told from one that does not
    ``log``        log sqrt(|M|^2 + e^2)                                            between log e and 0
    ``cos``,       the parts of M exp(-ip) / sqrt(|M|^2 + e^2): the phase without
    ``sin``        unwrapping, fading to zero where |M| is below the floor
    ``freq``       Im(M* dM/dt) / (2 pi (|M|^2 + e^2)), by central differences     MHz, zero below the floor
    ============== =============================================================== ========================

    One sample gives the phase at the echo (one bin, where samples are averaged): the noise of the disorder stays the
    same over the decay time of the free signal, so that a mean over fewer samples would not be less noisy.

    Args:
        components: Which, in this order.
        span: The window that the samples are from.
        rescale: Divide M and the floor by the row's largest |M|. A row that is zero throughout stays zero.
        floor: The floor e, in units of M; needed by ``log``, ``cos``, ``sin`` and ``freq``.
        step: Time between two samples of the record in us; needed by ``freq``.
    """

    def __init__(
        self,
        components: tuple[str, ...],
        span: WindowSpan,
        rescale: bool = False,
        floor: float = 0.0,
        step: float = 1.0,
    ) -> None:
        self.components = components
        self.span = span
        self.rescale = rescale
        self.floor = floor
        self.step = step

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Read every curve.

        Args:
            X: The samples of M(t) in the window, shape (n_curves, n), real or complex.

        Returns:
            Shape (n_curves, n_components * n), float32.

        Raises:
            ConfigurationError: The samples are real, but a component needs their phase.
        """
        samples = np.asarray(X)
        m = samples.astype(np.result_type(samples.dtype, np.float32), copy=False)
        phased = [name for name in self.components if name not in ("abs", "log")]
        if phased and not np.iscomplexobj(m):
            message = f"Argument `m` must be complex to be read as `{phased[0]}`, but is {m.dtype}."
            raise ConfigurationError(message, key="signal", value=phased[0])
        floor = np.full((len(m), 1), self.floor, dtype=m.real.dtype)
        if self.rescale:
            largest = portable.magnitude(m).max(axis=1, keepdims=True)
            scale = np.where(largest > 0, largest, 1)
            m, floor = m / scale, floor / scale
        read = [_READERS[name](self, m, floor) for name in self.components]
        return np.concatenate(read, axis=1).astype(np.float32, copy=False)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<component>_<k>``, k samples from the echo."""
        offsets = self.span.offsets.tolist()
        return np.array([f"{part}_{offset}" for part in self.components for offset in offsets], dtype=object)


def _aligned(reader: SignalReader, m: Complex) -> Complex:
    """M in the frame of its phase at the echo."""
    return portable.turned(m, -portable.angle(m[:, reader.span.before, np.newaxis]))


def _above(m: Complex, floor: Real) -> Real:
    """The magnitude with the floor added in quadrature."""
    return np.sqrt(portable.magnitude(m) ** 2 + floor**2)


def _frequency(reader: SignalReader, m: Complex, floor: Real) -> Real:
    step = reader.step * reader.span.width
    turning = m.real * np.gradient(m.imag, step, axis=1) - m.imag * np.gradient(m.real, step, axis=1)
    return turning / (2 * np.pi * _above(m, floor) ** 2)


_READERS: dict[str, Callable[[SignalReader, Complex, Real], Real]] = {
    "abs": lambda _reader, m, _floor: portable.magnitude(m),
    "re": lambda _reader, m, _floor: m.real,
    "im": lambda _reader, m, _floor: m.imag,
    "inphase": lambda reader, m, _floor: _aligned(reader, m).real,
    "quadrature": lambda reader, m, _floor: _aligned(reader, m).imag,
    "log": lambda _reader, m, floor: portable.log(_above(m, floor)),
    "cos": lambda reader, m, floor: _aligned(reader, m).real / _above(m, floor),
    "sin": lambda reader, m, floor: _aligned(reader, m).imag / _above(m, floor),
    "freq": _frequency,
}
