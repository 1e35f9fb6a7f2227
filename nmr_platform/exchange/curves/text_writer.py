"""Write the text directories of SpinEchoSim, Spin_Echo_Sim and the reference project."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmr_platform.datasets import QUANTITIES
from nmr_platform.errors import DataError
from nmr_platform.exchange.curves.layout import BLOCK, experiment_values
from nmr_platform.exchange.curves.text_layout import (
    COLUMNS,
    KERNELS,
    LAYOUTS,
    STEP,
    TextLayout,
    TextLayoutName,
    phase_index,
)
from nmr_platform.exchange.format import Option
from nmr_platform.files import staged_folder
from nmr_platform.physics import Hahn, rotation_about
from nmr_platform.progress import Advance, no_progress

__all__ = ["write_text"]

# Where a kernel has no such parameter, the programs read the column and do not use it.
_UNUSED = {"xi": 1.0, "exponent": 2.0}
_NEEDED = frozenset(QUANTITIES) - {"N"} | {"kernel"}
_KERNEL_WEIGHTS = {"weight_s": 1.0, "weight_p": 0.0, "weight_d": 0.0}
# What the programs know nothing of, and what it must be for them.
_UNKNOWN = {f"coupling.alpha_{name}": 0.0 for name in ("xy", "xz", "yz")} | {
    "field.polar": 0.0,
    "field.azimuth": 0.0,
    "lattice.abundance": 1.0,
}


def write_text(
    dataset: xr.Dataset,
    folder: str | Path,
    *,
    layout: Annotated[TextLayoutName, Option("whose file names")] = "spinechosim",
    columns: Annotated[int | None, Option("columns of echo_params, 12 or 16; the layout's by default")] = None,
    progress: Advance = no_progress,
) -> None:
    """Write a data set as a text directory.

    Numbers of the curves have 9 digits, which keep float32 exactly, and a space after each, also the last one of a
    row, as the programs write them: naive readers see a further column of NaN.

    Args:
        dataset: Curves of a Hahn echo on a two-dimensional lattice, in the store's layout.
        folder: Where the files go; it must not exist.
        layout: ``spinechosim``: echos_r.txt and echos_i.txt; ``reference``: the same without ``.txt``, and 12 columns
            of parameters; ``cuda``: the names of Spin_Echo_Sim, and its further sample after the second pulse.
        columns: Columns of echo_params.txt, 12 or 16; what the layout has by default.
        progress: Called with the number of curves written.

    Raises:
        DataError: The folder exists, or the format cannot hold the data set.
    """
    lost = sorted(_NEEDED - {*map(str, dataset.coords)})
    if lost:
        message = (
            f"Data set `{dataset.attrs.get('name', '(unnamed)')}` does not know `{lost[0]}` of its curves, which text "
            "directories hold; csv and hdf5 keep what there is."
        )
        raise DataError(message)
    for key, plain in _UNKNOWN.items():
        section, _, name = key.partition(".")
        held = experiment_values(dataset).get(section, {}).get(name, plain)
        if (_known_column(dataset, name, key, held) != plain).any():
            message = f"Key `{key}` must be {plain:g} in a text directory, which has no place for it, but is not."
            raise DataError(message)
    names = LAYOUTS[layout]
    if names.longitudinal and dataset["m_z"].isnull().any():
        message = f"Layout `{layout}` holds <Iz>, but the data set does not know it; write another layout."
        raise DataError(message)
    with staged_folder(Path(folder), replace=False) as target:
        parameters = _parameter_table(dataset, columns or names.n_columns)
        np.savetxt(target / names.echo_params, parameters, fmt="%.17g")
        np.savetxt(target / names.sim_params, [_shared_numbers(dataset)], fmt="%.17g")
        np.savetxt(target / "w_list.txt", dataset["W"].to_numpy(), fmt="%.17g")
        with ExitStack() as stack:
            parts = [names.real, names.imaginary, *(names.longitudinal or ())]
            files = [stack.enter_context((target / part).open("w", encoding="utf-8")) for part in parts]
            for m, m_z in _blocks(dataset, names):
                _write_block(files, m, m_z)
                progress(len(m))


def _write_block(files: list[TextIO], m: NDArray[Any], m_z: NDArray[Any]) -> None:
    # zip stops after the two files of M where the layout has none for <Iz>, whose imaginary part is zero.
    for file, values in zip(files, (m.real, m.imag, m_z, np.zeros_like(m_z)), strict=False):
        np.savetxt(file, values, fmt="%.9g", newline=" \n")


def _blocks(dataset: xr.Dataset, names: TextLayout) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    n_curves, n_tau = dataset.sizes["curve"], dataset.sizes["time"] // 3
    theta2, phi2 = (_pulse_column(dataset, name) for name in ("theta2", "phi2"))
    for start in range(0, n_curves, BLOCK):
        block = dataset.isel(curve=slice(start, start + BLOCK))
        m, m_z = block["m"].to_numpy(), block["m_z"].to_numpy()
        if names.repeats_pulse:
            angles = zip(theta2[start : start + BLOCK], phi2[start : start + BLOCK], strict=True)
            turns = np.array([rotation_about(np.deg2rad(theta), np.deg2rad(phi)) for theta, phi in angles])
            before = np.stack([m[:, n_tau].real, m[:, n_tau].imag, m_z[:, n_tau]], axis=1)
            after = np.einsum("cij,cj->ci", turns, before)
            m = np.insert(m, n_tau + 1, after[:, 0] + 1j * after[:, 1], axis=1)
            m_z = np.insert(m_z, n_tau + 1, after[:, 2], axis=1)
        yield m, m_z


def _parameter_table(dataset: xr.Dataset, n_columns: int) -> NDArray[np.float64]:
    if n_columns not in COLUMNS:
        message = f"Argument `columns` must be {' or '.join(map(str, COLUMNS))}, but is {n_columns}."
        raise DataError(message)
    lost = [name for name in ("gamma_plus", "gamma_minus") if n_columns == 12 and (dataset[name] != 0).any()]
    if lost:
        message = f"Coordinate `{lost[0]}` is not zero, but 12 columns have no place for it; write 16."
        raise DataError(message)
    return np.column_stack([_column(dataset, name) for name in COLUMNS[n_columns]])


def _column(dataset: xr.Dataset, name: str) -> NDArray[np.float64]:
    """One column of echo_params.txt."""
    match name:
        case "stencil":
            numbers = {kernel: float(number) for number, kernel in KERNELS.items()}
            unknown = set(dataset["kernel"].to_numpy().tolist()) - set(numbers)
            if unknown:
                message = f"Kernel `{min(unknown)}` has no number that means the same in all programs."
                raise DataError(message)
            return np.array([numbers[kernel] for kernel in dataset["kernel"].to_numpy().tolist()])
        case "xi" | "power":
            name = "exponent" if name == "power" else name
            values: NDArray[np.float64] = dataset[name].to_numpy()
            return np.where(np.isnan(values), _UNUSED[name], values)
        case "theta1" | "theta2":
            return np.deg2rad(_pulse_column(dataset, name))
        case "phase1" | "phase2":
            phases = phase_index(_pulse_column(dataset, f"phi{name[-1]}"))
            if not np.allclose(phases, np.round(phases)):
                message = f"The phase of pulse {name[-1]} is no multiple of 90 degrees, but 16 columns hold only those."
                raise DataError(message)
            return np.round(phases) % 4
        case "weight_s" | "weight_p" | "weight_d":
            default = experiment_values(dataset).get("kernel", {}).get(name[-1], _KERNEL_WEIGHTS[name])
            return _known_column(dataset, name, f"kernel.{name[-1]}", float(default))
        case _:
            return dataset[name].to_numpy().astype(np.float64)


def _pulse_column(dataset: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Flip angle or phase of a pulse of every curve, degrees."""
    sequence = experiment_values(dataset).get("sequence", {})
    if sequence.get("kind") != "hahn":
        message = f"Text directories hold Hahn echoes only, but the sequence is {sequence.get('kind')!r}."
        raise DataError(message)
    default = sequence.get(name, Hahn.model_fields[name].default)
    return _known_column(dataset, name, f"sequence.{name}", float(default))


def _known_column(dataset: xr.Dataset, name: str, key: str, default: float) -> NDArray[np.float64]:
    """A coordinate of the data set if it has one, else the constant of its experiment."""
    for coordinate in (name, key):
        if coordinate in dataset.coords:
            values: NDArray[np.float64] = dataset[coordinate].to_numpy()
            return values
    if f'"{key}"' in dataset.attrs.get("recipe", ""):
        message = f"Key `{key}` was drawn for every curve, but the data set does not keep what was drawn."
        raise DataError(message)
    return np.full(dataset.sizes["curve"], default)


def _shared_numbers(dataset: xr.Dataset) -> list[float]:
    """The row of sim_params.txt: n_x n_y dt tau line_width, tau in seconds and the width at half maximum halved."""
    values = experiment_values(dataset)
    shape, fwhm = values.get("lattice", {}).get("shape", ()), values.get("line", {}).get("fwhm")
    if len(shape) != 2 or fwhm is None or dataset.sizes["time"] % 3:
        message = (
            "Text directories hold Hahn echoes of 3 n samples on lattices with two axes and a known linewidth, but "
            f"the shape is {tuple(shape)}, the linewidth {fwhm}, and there are {dataset.sizes['time']} samples."
        )
        raise DataError(message)
    step, tau = float(dataset.attrs["step"]), float(values["sequence"]["tau"])
    n_tau = dataset.sizes["time"] // 3
    # The programs cut tau / dt off to whole steps where we round it.
    if not n_tau + 0.01 < tau / step < n_tau + 0.99:
        tau = (n_tau + 0.25) * step
    return [float(shape[0]), float(shape[1]), step / STEP, tau * 1e-6, fwhm / 2]
