"""Kernels given as numbers, by value or by spectrum, in the settings or in a file."""

import hashlib

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import GaussianKernel, TableKernel
from nmr_platform.schema import validate
from tests.builders import experiment_values
from tests.physics.samples import LATTICES, kernel, lattice

GAUSSIAN = GaussianKernel(xi=1.5, d=0.4)
SQUARE = [[9.0, 1.0, 0.5, 1.0], [2.0, 0.25, 0.125, 0.25], [2.0, 0.25, 0.125, 0.25]]


def spectrum(values):
    return np.fft.fftn(values, axes=tuple(range(2, values.ndim)))


@pytest.fixture
def saved(tmp_path):
    """Save an array, and give the settings of the kernel that reads it."""

    def save(array, content="values"):
        np.save(tmp_path / "table.npy", array)
        return {"kind": "table", "file": str(tmp_path / "table.npy"), "content": content}

    return save


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("content", ["values", "spectrum"])
def test_the_file_of_another_kernel_is_that_kernel_on_every_lattice(name, content, saved):
    grid = lattice(name)
    values = GAUSSIAN.on(grid)
    table = kernel(saved(values if content == "values" else spectrum(values), content))
    assert np.allclose(table.on(grid), values, atol=1e-14)
    assert table.misfit(grid) is None


def test_with_one_site_a_cell_the_table_may_have_the_shape_of_the_lattice():
    grid = lattice({"shape": [3, 4]})
    short, long = kernel({"kind": "table", "values": SQUARE}), kernel({"kind": "table", "values": [[SQUARE]]})
    assert np.array_equal(short.on(grid), long.on(grid))
    assert short.on(grid)[0, 0, 1, 2] == 0.125


def test_the_coupling_of_a_spin_with_itself_does_not_count():
    grid = lattice({"shape": [3, 4]})
    assert kernel({"kind": "table", "values": SQUARE}).on(grid)[0, 0, 0, 0] == 0
    flat = kernel({"kind": "table", "spectrum": [[7.0] * 4] * 3})
    assert np.array_equal(flat.on(grid), np.zeros((1, 1, 3, 4)))


def test_the_sum_follows_from_the_spectrum():
    # J(0) less the mean of J, which is K(0).
    j = [3.0, 1.0, -0.5, -2.0, -0.5, 1.0]
    values = kernel({"kind": "table", "spectrum": j}).on(lattice({"shape": [6]}))
    assert values.sum() == pytest.approx(3.0 - sum(j) / 6)


def test_the_angular_factor_multiplies_the_table_and_may_make_it_odd():
    table = kernel({"kind": "table", "values": SQUARE, "s": 0.0, "p": 1.0}).on(lattice({"shape": [3, 4]}))
    assert table[0, 0, 1, 0] == 2.0
    assert table[0, 0, 2, 0] == -2.0


def test_single_precision_is_mutual_enough_and_made_exactly_so(saved):
    grid = lattice("triangular")
    values = GAUSSIAN.on(grid).astype(np.float32)
    values[0, 0, 1, 1] *= 1 + 1e-6
    k = kernel(saved(values)).on(grid)
    assert k[0, 0, 1, 1] == k[0, 0, -1, -1]
    assert np.allclose(k, GAUSSIAN.on(grid), atol=1e-6)


def test_arrays_and_lists_are_the_same_settings():
    of_array, of_lists = TableKernel(values=np.array(SQUARE)), TableKernel(values=SQUARE)
    assert of_array == of_lists
    assert hash(of_array) == hash(of_lists)
    assert TableKernel.model_validate_json(of_array.model_dump_json()) == of_lists


def test_a_checksum_that_fits_is_accepted(saved, tmp_path):
    values = saved(np.array(SQUARE))
    digest = hashlib.sha256((tmp_path / "table.npy").read_bytes()).hexdigest()
    for spelt in (digest, digest.upper()):
        assert kernel(values, sha256=spelt).on(lattice({"shape": [3, 4]})).sum() == pytest.approx(7.75)


GRID = {"shape": [3, 4]}
REFUSED = [
    ({}, r"^Key `kernel` must have exactly one of `values`, `spectrum` and `file`, but has none\.$"),
    ({"values": SQUARE, "spectrum": SQUARE}, r"must have exactly one of .*, but has `values` and `spectrum`"),
    ({"values": [[1.0, 2.0], [3.0]]}, r"^Key `kernel\.values`: a table's rows must have equal lengths\.$"),
    ({"values": [["1.0", "2.0"]]}, r"^Key `kernel\.values`: a table must be a nested list of finite numbers\.$"),
    ({"spectrum": [1.0, float("nan")]}, r"^Key `kernel\.spectrum`: a table must be a nested list of finite numbers"),
    ({"values": []}, r"`kernel\.values`: a table must be a nested list of finite numbers"),
    ({"values": [1.0, 2.0]}, r"`kernel\.values` must have the shape \(3, 4\) or \(1, 1, 3, 4\), but has \(2,\)\."),
    (
        {"values": [[0.0, 1.0, 0.0, 0.5], [0.0] * 4, [0.0] * 4]},
        r"`kernel\.values` must be mutual, K\(-R\) = K\(R\), but K at R = \[0, 1\] differs from its opposite by 0\.5\.",
    ),
    (
        {"spectrum": [[0.0, 1.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4]},
        r"`kernel\.spectrum` must be the spectrum of a real coupling, .* imaginary parts up to 0\.0833\.",
    ),
    (
        {"values": SQUARE, "content": "spectrum"},
        r"`kernel\.content` and `kernel\.sha256` must come with `kernel\.file`",
    ),
    ({"values": SQUARE, "sha256": "00"}, r"`kernel\.content` and `kernel\.sha256` must come with `kernel\.file`"),
    ({"file": "missing.npy"}, r"`kernel\.file` must name a file, but 'missing\.npy' does not exist\."),
    ({"file": __file__}, r"`kernel\.file` must name a \.npy file of numbers, but '.*' cannot be read as one"),
    ({"values": SQUARE, "valeus": SQUARE}, r"`kernel\.valeus` is not known\. Did you mean `values`\?"),
]


@pytest.mark.parametrize(("settings", "match"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_bad_tables_are_refused_with_a_sentence(settings, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(lattice=GRID, kernel={"kind": "table"} | settings))


def test_a_table_that_is_not_mutual_between_two_basis_sites_is_refused():
    grid = lattice("dimerised chain")
    values = np.zeros(grid.pair_shape)
    values[1, 0, 2] = 1.0
    message = r"but K at R = \[[24]\] from basis site [01] to [10] differs from its opposite by 1\."
    with pytest.raises(ConfigurationError, match=message):
        TableKernel(values=values).on(grid)


@pytest.mark.parametrize(
    ("array", "content", "match"),
    [
        (np.array([[1j]]), "values", r"`kernel\.file` must hold finite real numbers for `content: values`"),
        (np.array([["a"]]), "spectrum", r"`kernel\.file` must hold finite numbers for `content: spectrum`"),
        (np.array([[np.inf]]), "values", r"`kernel\.file` must hold finite real numbers"),
        (np.ones((2, 2)), "values", r"`kernel\.file` must have the shape \(3, 4\) or \(1, 1, 3, 4\), but has \(2, 2\)"),
    ],
    ids=["complex", "text", "infinite", "shape"],
)
def test_bad_files_are_refused_with_a_sentence(array, content, match, saved):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(lattice=GRID, kernel=saved(array, content)))


def test_a_file_that_has_changed_is_refused_by_its_checksum(saved):
    with pytest.raises(
        ConfigurationError, match=r"`kernel\.sha256` must be the checksum of '.*', which is \w{64}, but"
    ):
        validate(Experiment, experiment_values(lattice=GRID, kernel=saved(np.array(SQUARE)) | {"sha256": "0" * 64}))
