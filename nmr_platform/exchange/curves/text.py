"""Read the text directories of SpinEchoSim, Spin_Echo_Sim and the reference project."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange.curves.layout import checked, curve_dataset, joined
from nmr_platform.exchange.curves.text_layout import COLUMNS, KERNELS, NAMES, STEP, phase_of_index
from nmr_platform.exchange.curves.text_writer import write_text
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.tables import MOST_OF_A_TABLE, decoded, parse_numbers, read_content
from nmr_platform.physics import GaussianKernel, HypercubicLattice, Kernel, PowerKernel, RkkyKernel, UniformKernel
from nmr_platform.schema import validate

__all__ = ["FORMAT", "KernelName", "read_text"]

KernelName = Literal["gaussian", "power", "rkky", "uniform"]
# Of the published curves, a hundred times over: the kernel is summed over all of them, for every curve.
_MOST_SITES = 2**20
_COUPLINGS = ("alpha_x", "alpha_y", "alpha_z")


class _Shared(NamedTuple):
    """What all curves of a directory share: the lattice, the step in us, tau in us, the line's FWHM in MHz."""

    lattice: HypercubicLattice | None
    step: float
    tau: float
    fwhm: float | None


def read_text(
    folder: str | Path,
    *,
    kernel: Annotated[KernelName | None, Option("kernel of all curves")] = None,
    disorder: Annotated[Literal["fresh", "frozen"], Option("of every curve its own, or one for all")] = "fresh",
    step: Annotated[float | None, Option("us between samples, without sim_params.txt")] = None,
    first_step: Annotated[int, Option("steps before the first sample", least=0)] = 0,
) -> xr.Dataset:
    """Read a text directory: one row of numbers a curve, split into real and imaginary parts.

    Numbers may be separated by spaces, tabs or commas, also after the last one of a row. ``echo_params`` may have 12
    or 16 columns; without ``w_list.txt`` the kernel integrals are computed, which takes the lattice of ``sim_params``.
    M is kept as the file has it; pulse phases are converted, as those programs turn spins the other way round.

    Args:
        folder: The directory.
        kernel: Kernel of all curves, in place of the column ``stencil``.
        disorder: Whether every curve had its own Larmor offsets or all the same; the files do not say.
        step: Time between samples in us, where there is no ``sim_params``.
        first_step: Steps from the first pulse to the first sample: 0, or 1 for the Julia programs, which save after
            each step.

    Returns:
        A data set in the store's layout; ``m_z`` is NaN where the directory has none.

    Raises:
        DataError: A file is missing, is not a table of numbers, or does not fit the others.
    """
    folder = Path(folder)
    if not folder.is_dir():
        message = f"Folder `{folder}` does not exist."
        raise DataError(message, path=folder)
    real, imaginary = (_read_numbers(_find(folder, part)) for part in ("real", "imaginary"))
    if real.shape != imaginary.shape:
        message = (
            f"Folder `{folder}`: the real parts have shape {real.shape}, but the imaginary ones {imaginary.shape}."
        )
        raise DataError(message, path=folder)
    z_file = _look(folder, "longitudinal")
    m_z = _read_numbers(z_file) if z_file else None
    if m_z is not None and m_z.shape != real.shape:
        message = f"Folder `{folder}`: M has shape {real.shape}, but <Iz> {m_z.shape}."
        raise DataError(message, path=folder)
    frozen, kept = disorder == "frozen", _kept_samples(real.shape[1])
    shared = _read_shared(folder, len(kept), step)
    parameters = _read_parameters(folder, len(real), kernel)
    time = np.arange(first_step, first_step + len(kept), dtype=np.float64) * shared.step
    dataset = curve_dataset(
        joined(real, imaginary)[:, kept],
        None if m_z is None else m_z[:, kept],
        time,
        coordinates={
            "disorder": np.array([f"{folder.name}/{'frozen' if frozen else i}" for i in range(len(real))]),
            **_with_integrals(parameters, folder, shared.lattice),
        },
        attributes={
            "name": folder.name,
            "source": str(folder),
            "source_format": "text directory",
            "experiment": json.dumps(_experiment(shared)),
            "echo_index": 2 * (len(kept) // 3) - first_step,
            "step": shared.step,
        },
    )
    return checked(dataset, folder)


def _look(folder: Path, part: str) -> Path | None:
    """The file of one part, if the folder has it."""
    for pattern in NAMES[part]:
        files = sorted(folder.glob(pattern))
        if len(files) > 1:
            message = f"Folder `{folder}` has {len(files)} files `{pattern}`, but must have one: keep one run a folder."
            raise DataError(message, path=folder)
        if files:
            return files[0]
    return None


def _find(folder: Path, part: str) -> Path:
    file = _look(folder, part)
    if file is None:
        message = f"Folder `{folder}` has no {' or '.join(f'`{name}`' for name in NAMES[part])}."
        raise DataError(message, path=folder)
    return file


def _read_numbers(path: Path) -> NDArray[np.float64]:
    """A rectangular table of finite numbers, whatever separates them."""
    table = parse_numbers(decoded(read_content(path, most=MOST_OF_A_TABLE), path), path, fewest=1, titled=False)
    table.require_finite(range(table.values.shape[1]))
    return table.values


def _kept_samples(n_samples: int) -> NDArray[np.int64]:
    """Which samples make a record of 3 n: without the one that repeats the second pulse, and the one at its end."""
    n_tau = n_samples // 3
    if n_samples % 3 == 0:
        return np.arange(n_samples)
    return np.delete(np.arange(3 * n_tau + 1), n_tau + 1)


def _read_shared(folder: Path, n_samples: int, step: float | None) -> _Shared:
    path = _look(folder, "sim_params")
    if path is None:
        if step is None:
            message = f"Folder `{folder}` has no `sim_params.txt`, so the time between its samples must be given."
            raise DataError(message, path=folder)
        return _Shared(None, step, n_samples // 3 * step, None)
    table = np.unique(_read_numbers(path), axis=0)
    if table.shape[1] < 5 or len(table) > 1:
        message = (
            f"File `{path}` must have one distinct row of 5 numbers, n_x n_y dt tau line_width, but has "
            f"{len(table)} of {table.shape[1]}."
        )
        raise DataError(message, path=path)
    n_x, n_y, dt, tau, half_width = (float(value) for value in table[0, :5])
    if min(n_x, n_y, dt, tau) <= 0 or abs(tau * 1e6 / (dt * STEP) - n_samples // 3) > 1:
        message = (
            f"File `{path}` says dt = {dt:g} and tau = {tau:g} s, so tau should last {n_samples // 3} samples, a third "
            f"of the records, but it lasts {tau * 1e6 / (dt * STEP) if dt else float('inf'):.1f}."
        )
        raise DataError(message, path=path)
    if n_x % 1 or n_y % 1 or n_x * n_y > _MOST_SITES:
        message = (
            f"File `{path}` says {n_x:g} x {n_y:g} sites, but whole numbers are needed, {_MOST_SITES} sites at most."
        )
        raise DataError(message, path=path)
    return _Shared(HypercubicLattice(shape=(int(n_x), int(n_y))), dt * STEP, tau * 1e6, 2 * half_width)


def _read_parameters(folder: Path, n_curves: int, kernel: KernelName | None) -> dict[str, NDArray[Any]]:
    """The parameters of every curve under the store's names."""
    path = _find(folder, "echo_params")
    table = _read_numbers(path)
    if table.shape[1] not in COLUMNS:
        message = f"File `{path}` must have {' or '.join(map(str, COLUMNS))} columns, but has {table.shape[1]}."
        raise DataError(message, path=path)
    if len(table) != n_curves:
        message = f"File `{path}` has {len(table)} rows, but there are {n_curves} curves."
        raise DataError(message, path=path)
    columns: dict[str, NDArray[Any]] = dict(zip(COLUMNS[table.shape[1]], table.T, strict=True))
    stencil, power, xi = columns.pop("stencil"), columns.pop("power"), columns.pop("xi")
    unknown = set(stencil) - set(KERNELS)
    if unknown and kernel is None:
        message = (
            f"File `{path}` has kernel number {min(unknown):g}, but only 0 (gaussian), 1 (power) and 2 (rkky) mean the "
            "same in all programs; say which kernel it is."
        )
        raise DataError(message, path=path)
    kinds = np.full(n_curves, kernel) if kernel else np.array([KERNELS[int(number)] for number in stencil])
    for number in ("1", "2"):
        if f"phase{number}" in columns:
            columns[f"phi{number}"] = phase_of_index(columns.pop(f"phase{number}"))
        columns[f"theta{number}"] = np.rad2deg(columns[f"theta{number}"])
    zeros = np.zeros(n_curves)
    return {
        "kernel": kinds,
        "xi": np.where(np.isin(kinds, ["gaussian", "rkky"]), xi, np.nan),
        "exponent": np.where(np.isin(kinds, ["gaussian", "power"]), power, np.nan),
        "gamma_plus": zeros,
        "gamma_minus": zeros,
        **columns,
    }


def _with_integrals(
    parameters: dict[str, NDArray[Any]], folder: Path, lattice: HypercubicLattice | None
) -> dict[str, NDArray[Any]]:
    """Add W, X, Z and sum K, from the file if there is one, else from the kernel on the lattice, else NaN."""
    n_curves, w_list = len(parameters["kernel"]), _look(folder, "w_list")
    total = sum(parameters[name] for name in _COUPLINGS)
    if w_list is not None:
        integrals = _read_numbers(w_list).ravel()
        if integrals.size != n_curves:
            message = f"File `{w_list}` has {integrals.size} numbers, but there are {n_curves} curves."
            raise DataError(message, path=w_list)
        sums = np.divide(integrals, total, out=np.full(n_curves, np.nan), where=total != 0)
    elif lattice is not None:
        rows = pd.DataFrame(parameters)
        sums = np.array([_kernel(row, folder).on(lattice).sum() for row in rows.itertuples()])
        integrals = total * sums
    else:
        integrals = sums = np.full(n_curves, np.nan)
    couplings = {"W": integrals, "X": parameters["alpha_x"] * sums, "Z": parameters["alpha_z"] * sums}
    return {**couplings, "kernel_sum": sums, **parameters}


def _kernel(row: Any, folder: Path) -> Kernel:
    weights = {"s": row.weight_s, "p": row.weight_p, "d": row.weight_d}
    try:
        match row.kernel:
            case "gaussian":
                # The published programs leave the angular weights out of this one.
                return validate(GaussianKernel, {"xi": row.xi, "exponent": row.exponent})
            case "power":
                return validate(PowerKernel, {"exponent": row.exponent, **weights})
            case "rkky":
                return validate(RkkyKernel, {"xi": row.xi, **weights})
            case _:
                return validate(UniformKernel, weights)
    except ConfigurationError as error:
        message = f"Folder `{folder}`, parameters of curve {row.Index + 1}: {error}"
        raise DataError(message, path=folder) from error


def _experiment(shared: _Shared) -> dict[str, Any]:
    """What the directory says of its experiment, as a recipe would have it."""
    known: dict[str, Any] = {"sequence": {"kind": "hahn", "tau": shared.tau}, "step": shared.step}
    if shared.lattice is not None:
        known |= {"lattice": {"shape": list(shared.lattice.shape)}, "line": {"fwhm": shared.fwhm}}
    return known


FORMAT = Format(
    "text",
    "a folder of SpinEchoSim, Spin_Echo_Sim or the reference project",
    read_text,
    write_text,
    sniff=lambda folder: any(True for pattern in NAMES["real"] for _ in folder.glob(pattern)),
)
