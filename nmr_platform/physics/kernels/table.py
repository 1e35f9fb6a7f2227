"""A kernel given as numbers: the coupling of every pair of sites, or its Fourier transform."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator

from nmr_platform.physics.kernels.base import CouplingKernel
from nmr_platform.physics.lattices import PeriodicLattice

__all__ = ["TableKernel"]

Array = NDArray[np.float64]

# Tables are often stored in single precision, or computed with a transform that is.
_ROUNDING = 1e-6


def _nested_tuples(values: Any) -> Any:
    """Nested lists of finite numbers, or an array of them, as nested tuples of floats."""
    try:
        array = np.array(values)
    except ValueError as error:
        message = "a table's rows must have equal lengths."
        raise ValueError(message) from error
    if array.dtype.kind not in "iuf" or not array.size or not np.isfinite(array).all():
        message = "a table must be a nested list of finite numbers."
        raise ValueError(message)
    return _as_tuples(array.astype(np.float64).tolist())


def _as_tuples(values: Any) -> Any:
    return tuple(_as_tuples(value) for value in values) if isinstance(values, list) else values


Table = Annotated[Any, AfterValidator(_nested_tuples)]


class TableKernel(CouplingKernel):
    """K as numbers, dimensionless; times the angular factor and sign of any kernel, which default to 1.

    Exactly one of ``values``, ``spectrum`` and ``file`` is given. Their shape is that of the lattice, or
    (n_basis, n_basis, *shape) with the coupling of site (a, R) with site (b, 0) at [a, b, R]; cells are counted from 0
    along each primitive vector, round the torus. The coupling must be mutual: K(b, a, -R) = K(a, b, R), which for one
    site a cell is K(-R) = K(R). K(a, a, 0) counts as 0, whatever the table says.

    Attributes:
        values: K(R), a nested list.
        spectrum: J(q) = sum over R of K(R) exp(-i q R), a nested list, at q = 2 pi k / L with k counted from 0 along
            each reciprocal vector: the order of `numpy.fft.fftn`. A complex one must come from a file.
        file: Name of a ``.npy`` file, relative to the working directory.
        content: What the file holds.
        sha256: Checksum that the file must have. A data set is identified by its recipe, which knows no more of the
            file than its name and this.
    """

    kind: Literal["table"] = "table"
    values: Table | None = None
    spectrum: Table | None = None
    file: str | None = None
    content: Literal["values", "spectrum"] = "values"
    sha256: str | None = None

    @model_validator(mode="after")
    def _has_one_readable_table(self) -> Self:
        given = [name for name in ("values", "spectrum", "file") if getattr(self, name) is not None]
        if len(given) != 1:
            message = (
                "Key `kernel` must have exactly one of `values`, `spectrum` and `file`, but has "
                f"{' and '.join(f'`{name}`' for name in given) or 'none'}."
            )
            raise ValueError(message)
        if self.file is None and (self.content != "values" or self.sha256 is not None):
            message = "Keys `kernel.content` and `kernel.sha256` must come with `kernel.file`, but there is none."
            raise ValueError(message)
        self._table  # noqa: B018 - reads the file
        return self

    def misfit(self, lattice: PeriodicLattice) -> str | None:
        """See `CouplingKernel`."""
        if (other := super().misfit(lattice)) is not None:
            return other
        if self._table.shape not in self._shapes(lattice):
            allowed = " or ".join(str(shape) for shape in self._shapes(lattice))
            return f"Key `kernel.{self._key}` must have the shape {allowed}, but has {self._table.shape}."
        values = self._complex_values(lattice)
        largest, asymmetry = np.abs(values).max(), np.abs(values - _inverted(values))
        if np.abs(values.imag).max() > _ROUNDING * largest:
            return (
                f"Key `kernel.{self._key}` must be the spectrum of a real coupling, J(-q) = J(q)*, but K would have "
                f"imaginary parts up to {np.abs(values.imag).max():.3g}."
            )
        if asymmetry.max() > _ROUNDING * largest:
            a, b, *cell = (int(i) for i in np.unravel_index(asymmetry.argmax(), asymmetry.shape))
            pair = "" if lattice.n_basis == 1 else f" from basis site {b} to {a}"
            return (
                f"Key `kernel.{self._key}` must be mutual, K(-R) = K(R), but K at R = {cell}{pair} differs from its "
                f"opposite by {asymmetry.max():.3g}."
            )
        return None

    def isotropic(self, lattice: PeriodicLattice) -> Array:
        """See `CouplingKernel`; differences of rounding between K(R) and K(-R) are averaged away."""
        values = self._complex_values(lattice).real
        values = (values + _inverted(values)) / 2
        for a in range(lattice.n_basis):
            values[a, a].flat[0] = 0.0
        return values

    @property
    def _key(self) -> str:
        return next(name for name in ("values", "spectrum", "file") if getattr(self, name) is not None)

    @cached_property
    def _table(self) -> NDArray[Any]:
        if self.file is None:
            return np.array(self.values if self.values is not None else self.spectrum)
        table = _load(Path(self.file), self.sha256)
        kinds, allowed = ("iufc", "numbers") if self.content == "spectrum" else ("iuf", "real numbers")
        if table.dtype.kind not in kinds or not table.size or not np.isfinite(table).all():
            message = f"Key `kernel.file` must hold finite {allowed} for `content: {self.content}`, but does not."
            raise ValueError(message)
        return table

    @staticmethod
    def _shapes(lattice: PeriodicLattice) -> list[tuple[int, ...]]:
        return [lattice.shape, lattice.pair_shape] if lattice.n_basis == 1 else [lattice.pair_shape]

    def _complex_values(self, lattice: PeriodicLattice) -> NDArray[np.complex128]:
        """K as the table has it, shape ``lattice.pair_shape``."""
        table = self._table.reshape(lattice.pair_shape).astype(np.complex128)
        if self._key == "spectrum" or self.content == "spectrum":
            return np.fft.ifftn(table, axes=tuple(range(2, table.ndim)))
        return table


def _load(path: Path, sha256: str | None) -> NDArray[Any]:
    try:
        content = path.read_bytes()
        table = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        message = f"Key `kernel.file` must name a file, but '{path}' does not exist."
        raise ValueError(message) from error
    except (OSError, ValueError) as error:
        message = f"Key `kernel.file` must name a .npy file of numbers, but '{path}' cannot be read as one."
        raise ValueError(message) from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        message = f"Key `kernel.sha256` must be the checksum of '{path}', which is {found}, but is {sha256}."
        raise ValueError(message)
    return table


def _inverted(values: NDArray[Any]) -> NDArray[Any]:
    """K(b, a, -R) at [a, b, R]."""
    axes = tuple(range(2, values.ndim))
    return np.roll(np.flip(values.swapaxes(0, 1), axes), 1, axes)
