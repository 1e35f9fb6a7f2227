"""The field by few waves, against the full FFT; and when it is taken."""

import numpy as np
import pytest

from nmr_platform import simulate
from nmr_platform.simulation import modes
from nmr_platform.simulation.prepared import make_mean_field
from nmr_platform.simulation.stepping import convolve
from tests.builders import delay, experiment, pulse
from tests.simulation.systems import record

DOUBLE, SINGLE = np.dtype("float64"), np.dtype("float32")
TOLERANCE = {DOUBLE: 2e-15, SINGLE: 1e-6}
OBLIQUE = [[1.0, 0.1], [0.3, 1.2]]
SAMPLES = {
    "square": ({"shape": [20, 20]}, {"kind": "gaussian", "xi": 4.0}),
    "a quarter of an axis": ({"shape": [24, 10]}, {"kind": "gaussian", "xi": 3.0}),
    "odd axes": ({"shape": [9, 15]}, {"kind": "gaussian", "xi": 2.5}),
    "tiny": ({"shape": [3, 2]}, {"kind": "gaussian", "xi": 1.5}),
    "one cell": ({"kind": "honeycomb", "shape": [1, 1]}, {"kind": "gaussian", "xi": 1.5}),
    "chain": ({"shape": [30]}, {"kind": "gaussian", "xi": 3.0}),
    "cube": ({"shape": [8, 7, 6]}, {"kind": "gaussian", "xi": 2.0}),
    "no mirrors": ({"kind": "triangular", "shape": [12, 10]}, {"kind": "gaussian", "xi": 2.5}),
    "two sites a cell": ({"kind": "honeycomb", "shape": [6, 5]}, {"kind": "gaussian", "xi": 2.5}),
    "no symmetry": (
        {"kind": "bravais", "shape": [6, 5], "vectors": OBLIQUE, "basis": [[0.0, 0.0], [0.4, 0.5]]},
        {"kind": "power", "exponent": 1.7},
    ),
    "every wave": ({"shape": [8, 7]}, {"kind": "power", "exponent": 2.0}),
    "one wave": ({"shape": [6, 8]}, {"kind": "uniform"}),
}


@pytest.fixture
def always(monkeypatch):
    """Waves whatever they cost."""
    monkeypatch.setattr(modes, "_pays", lambda *_: True)


def fields(values, dtype, rates=(1.0, 1.0, 1.0), tensor=None):
    """The field of a random state, by waves and by the full FFT."""
    shape = (3, values.lattice.n_basis, *values.lattice.shape)
    grid = np.random.default_rng(3).normal(size=shape).astype(dtype)
    before, found = grid.copy(), []
    for full in (False, True):
        mean_field = make_mean_field(values.kernel_values, np.array(rates), dtype, tensor, full=full)
        assert (mean_field.modes is None) == full
        out = np.full(shape, 7, dtype)
        convolve(grid, mean_field, out)
        found.append(out)
    assert np.array_equal(grid, before)
    return found


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.usefixtures("always")
def test_the_field_by_waves_is_that_of_the_full_fft(name, dtype):
    lattice, kernel = SAMPLES[name]
    few, full = fields(experiment(lattice=lattice, kernel=kernel), dtype)
    assert np.abs(few - full).max() < TOLERANCE[dtype] * np.abs(full).max()


@pytest.mark.parametrize("rates", [(1.0, 1.0, 0.0), (0.0, 0.0, 2.0), (0.0, 3.0, 0.0)])
@pytest.mark.usefixtures("always")
def test_components_that_do_not_couple_are_left_alone(rates):
    few, full = fields(experiment(lattice={"shape": [12, 8]}, kernel={"kind": "gaussian", "xi": 2.0}), DOUBLE, rates)
    assert np.allclose(few, full, rtol=0, atol=1e-13)
    assert (few[np.array(rates) == 0] == 7).all()


def test_a_tensor_mixes_what_the_waves_make():
    tensor = np.array([[1.0, 0.2, 0.3], [0.2, -1.0, 0.4], [0.3, 0.4, 0.5]])
    few, full = fields(experiment(lattice={"shape": [16, 16]}, kernel={"kind": "uniform"}), DOUBLE, tensor=tensor)
    assert np.allclose(few, full, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "side", "dtype", "expected"),
    [
        ({"kind": "gaussian", "xi": 10.0}, 100, SINGLE, [25, 25]),
        ({"kind": "gaussian", "xi": 13.4}, 100, SINGLE, [19, 19]),
        ({"kind": "gaussian", "xi": 6.0}, 64, SINGLE, [27, 27]),
        ({"kind": "uniform"}, 40, SINGLE, [1, 1]),
        ({"kind": "uniform"}, 40, DOUBLE, [1, 1]),
        # So fine a rounding sees where the range is cut off, half a period away; so does single precision further on.
        ({"kind": "gaussian", "xi": 10.0}, 100, DOUBLE, None),
        ({"kind": "gaussian", "xi": 17.0}, 100, SINGLE, None),
        ({"kind": "gaussian", "xi": 2.0}, 100, SINGLE, None),
        ({"kind": "rkky", "xi": 12.0}, 100, SINGLE, None),
        ({"kind": "power", "exponent": 3.0}, 100, SINGLE, None),
        # The work space would leave the caches.
        ({"kind": "gaussian", "xi": 40.0}, 512, SINGLE, None),
    ],
)
def test_waves_are_taken_where_the_kernels_spectrum_has_few(kernel, side, dtype, expected):
    values = experiment(lattice={"shape": [side, side]}, kernel=kernel)
    found = make_mean_field(values.kernel_values, np.ones(3), dtype)
    assert (found.modes and [int(axis.starts[1, -1]) for axis in found.modes.axes]) == expected
    assert (found.kernel.size == 0) == (expected is not None)


def test_what_is_left_out_drowns_in_the_rounding_of_the_full_fft():
    values = experiment(lattice={"shape": [100, 100]}, kernel={"kind": "gaussian", "xi": 13.4})
    few, full = fields(values, SINGLE)
    grid, exact = np.random.default_rng(3).normal(size=few.shape).astype(SINGLE), np.zeros(few.shape)
    convolve(grid.astype(DOUBLE), make_mean_field(values.kernel_values, np.ones(3), DOUBLE, full=True), exact)
    errors = [np.linalg.norm(field - exact) / np.linalg.norm(exact) for field in (few, full)]
    assert max(errors) < 3e-7
    assert errors[0] < 1.5 * errors[1]


@pytest.mark.parametrize("integrator", ["euler", "fast"])
def test_records_agree_to_the_rounding_of_single_precision(integrator, monkeypatch):
    values = experiment(
        lattice={"shape": [64, 64]},
        kernel={"kind": "gaussian", "xi": 6.0},
        coupling={"alpha_x": 3e-4, "alpha_y": 3e-4, "alpha_z": 1e-4},
        sequence={"kind": "custom", "elements": [pulse(70), delay(200), pulse(140, 90), delay(200)]},
    )
    few = record(simulate(values, integrator=integrator))
    monkeypatch.setattr(modes, "_pays", lambda *_: False)
    full = record(simulate(values, integrator=integrator))
    assert 0 < np.abs(few - full).max() < 1e-6
