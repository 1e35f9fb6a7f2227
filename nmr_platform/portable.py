"""Arithmetic that gives the same bits on every x86-64-v3 processor, whatever the environment says.

Three things would not: numba compiles for the processor that it finds; NumPy's `exp`, `sin`, `tan`, `power` and their
like choose a routine by the processor, and those for AVX-512 round differently; and so does the library behind ``@``
and `numpy.linalg`. Whatever is simulated, and the features of it, therefore take compiled loops, elementary functions
and sums of products from here. NumPy's sums, roots, FFTs and the four operations on real numbers are the same on all.

The elementary functions are those of the C library, called from code that is compiled for one target.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba import config, njit
from numba.core.registry import cpu_target
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "TARGET",
    "ProcessorWarning",
    "angle",
    "arctan2",
    "compiled",
    "cos",
    "exp",
    "log",
    "magnitude",
    "power",
    "product",
    "sin",
    "tan",
    "turned",
    "warn_of_other_bits",
]

Real = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]

TARGET = "x86-64-v3"
"""What numba compiles for in this process: AVX2 and FMA, which x86 processors have had since 2015."""

_NEEDED = ("avx2", "bmi2", "fma")

if llvm.get_process_triple().startswith("x86_64") and all(llvm.get_host_cpu_features().get(n) for n in _NEEDED):
    # Read when numba compiles its first function. No list of features means those of the target and no others.
    config.CPU_NAME, config.CPU_FEATURES = TARGET, ""


class ProcessorWarning(UserWarning):
    """The last digits may differ from those of other machines. Given once a process."""


@cache
def warn_of_other_bits() -> None:
    """Warn, once a process, if what is computed here may differ from other machines in its last digits."""
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    if config.CPU_NAME != TARGET:
        reason = f"this processor ({name}) is not of the kind {TARGET}"
    elif features:
        reason = "numba was at work before; import nmr_platform first"
    else:
        return
    message = f"The last digits of simulated echoes may differ from those of other machines: {reason}."
    warnings.warn(message, ProcessorWarning, stacklevel=3)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for `TARGET`; what was compiled is kept where there is a place for it.

    Args:
        options: Of `numba.njit`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            # Neither the package's folder nor the user's can be written to.
            return njit(**options)(function)

    return decorate


def _over_arrays(loop: Callable[..., None]) -> Callable[..., Any]:
    """Let a loop over numbers, which fills its last argument, take arrays of any shapes that fit each other."""

    def computed(*arguments: ArrayLike) -> Any:
        values = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in arguments))
        out = np.empty(values[0].shape)
        # Copies, for a view that repeats values warns whoever asks whether it may be written to, as numba does.
        loop(*(each.flatten() for each in values), out.ravel())
        return out[()]

    return computed


def _elementary(function: Callable[[float], float]) -> Callable[..., Any]:
    """A function of the C library for arrays, float64, element by element."""

    @compiled(nogil=True)
    def loop(x: Real, out: Real) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    return _over_arrays(loop)


exp, log = _elementary(math.exp), _elementary(math.log)
"""Exponential and natural logarithm of any array, float64."""

sin, cos, tan = _elementary(math.sin), _elementary(math.cos), _elementary(math.tan)
"""Sine, cosine and tangent of radians, of any array, float64."""


@_over_arrays
@compiled(nogil=True)
def arctan2(y: Real, x: Real, out: Real) -> None:
    """The angle of the point (x, y) from the x axis, radians from -pi to pi, float64."""
    for i in range(x.size):
        out[i] = math.atan2(y[i], x[i])


@_over_arrays
@compiled(nogil=True)
def power(x: Real, exponent: Real, out: Real) -> None:
    """``x`` to a power, float64."""
    for i in range(x.size):
        out[i] = x[i] * x[i] if exponent[i] == 2.0 else x[i] ** exponent[i]


def magnitude(m: NDArray[np.inexact[Any]]) -> NDArray[Any]:
    """|m|, in the precision of ``m`` and of its shape and unit."""
    if not np.iscomplexobj(m):
        return np.abs(m)
    re, im = m.real.astype(np.float64), m.imag.astype(np.float64)
    return np.sqrt(re * re + im * im).astype(m.real.dtype)


def angle(m: Complex) -> NDArray[np.float64]:
    """Phase of complex numbers, radians, float64, of their shape."""
    return np.asarray(arctan2(m.imag, m.real))


def turned(m: Complex, phase: ArrayLike) -> Complex:
    """``m exp(i phase)``, in the precision of ``m``.

    Args:
        m: Complex numbers in any unit.
        phase: Radians, of a shape that fits that of ``m``.
    """
    real = m.real.dtype
    c, s = cos(phase).astype(real), sin(phase).astype(real)
    out = np.empty(np.broadcast_shapes(m.shape, np.shape(c)), m.dtype)
    out.real, out.imag = m.real * c - m.imag * s, m.imag * c + m.real * s
    return out


def product(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """The matrix product, its sums taken in the order of the index.

    Args:
        a: Shape (n, k), in any unit.
        b: Shape (k, m), in any unit.

    Returns:
        Shape (n, m), float64.

    Examples:
        >>> product([[1.0, 2.0]], [[3.0], [4.0]])
        array([[11.]])
    """
    rows, columns = (np.ascontiguousarray(each, np.float64) for each in (a, b))
    out = np.zeros((len(rows), columns.shape[1]))
    _add_products(rows, columns, out)
    return out


@compiled(nogil=True)
def _add_products(a: Real, b: Real, out: Real) -> None:
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
