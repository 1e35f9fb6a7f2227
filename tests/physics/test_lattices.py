"""Periodic lattices, against a search over many images and the shells of crystals."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import BravaisLattice, HoneycombLattice, HypercubicLattice, TriangularLattice
from nmr_platform.physics.lattices.images import reduced_basis
from nmr_platform.schema import validate
from tests.builders import experiment_values
from tests.physics.samples import LATTICES, brute_force_displacements, lattice, positions


def mirrored(values, d):
    """``values`` of shape (..., n_basis, n_basis, *shape), with the entry of (b, a, -R) at (a, b, R)."""
    axes = tuple(range(values.ndim - d, values.ndim))
    return np.roll(np.flip(values.swapaxes(values.ndim - d - 2, values.ndim - d - 1), axes), 1, axes)


@pytest.mark.parametrize("name", LATTICES)
class TestEveryLattice:
    def test_a_site_lies_at_a_nearest_periodic_image(self, name):
        grid = lattice(name)
        for site, shortest in brute_force_displacements(grid).items():
            chosen = grid.displacements[(slice(None), *site)]
            assert np.abs(shortest - chosen).sum(axis=1).min() < 1e-12
            assert grid.distances[site] == pytest.approx(np.linalg.norm(shortest[0]), abs=1e-12)

    def test_shapes_follow_the_cells_and_the_basis(self, name):
        grid = lattice(name)
        assert grid.size == len(positions(grid)[0]) == np.prod(grid.site_shape)
        assert grid.site_shape == (grid.shape if grid.n_basis == 1 else (grid.n_basis, *grid.shape))
        assert grid.pair_shape == (grid.n_basis, grid.n_basis, *grid.shape)
        assert grid.displacements.shape == (len(grid.shape), *grid.pair_shape)
        assert grid.distances.shape == grid.angles.shape == grid.parity.shape == grid.pair_shape

    def test_distances_are_mutual_and_zero_only_between_a_site_and_itself(self, name):
        grid = lattice(name)
        assert np.array_equal(mirrored(grid.distances, len(grid.shape)), grid.distances)
        assert np.count_nonzero(grid.distances == 0) == grid.n_basis
        assert all(grid.distances[(a, a, *[0] * len(grid.shape))] == 0 for a in range(grid.n_basis))

    def test_a_quadrupole_factor_is_mutual_also_where_several_images_are_equally_far(self, name):
        grid = lattice(name)
        double = np.cos(2 * grid.angles)
        assert np.allclose(mirrored(double, len(grid.shape)), double, atol=1e-12)

    def test_angles_are_those_of_the_displacements(self, name):
        grid = lattice(name)
        x, *rest = grid.displacements
        y = rest[0] if rest else np.zeros_like(x)
        assert np.allclose(np.hypot(x, y) * np.cos(grid.angles), x, atol=1e-12)
        assert np.allclose(np.hypot(x, y) * np.sin(grid.angles), y, atol=1e-12)

    def test_equal_lattices_share_their_read_only_distances(self, name):
        first, second = lattice(name), lattice(name)
        assert first == second
        assert hash(first) == hash(second)
        assert first.distances is second.distances
        with pytest.raises(ValueError, match="read-only"):
            first.distances[...] = 1.0

    def test_it_survives_a_round_trip_through_plain_data(self, name):
        grid = lattice(name)
        assert lattice(grid.model_dump()) == grid
        assert type(grid).model_validate_json(grid.model_dump_json()) == grid

    def test_parity_is_mutual_where_it_closes(self, name):
        grid = lattice(name)
        if grid.is_bipartite:
            assert np.array_equal(mirrored(grid.parity, len(grid.shape)), grid.parity)


R3, R7 = np.sqrt(3), np.sqrt(7)
FCC = [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
BCC = [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]
SHELLS = {
    "chain": ({"shape": [12]}, {1: 2, 2: 2, 3: 2}),
    "square": ({"shape": [12, 12]}, {1: 4, np.sqrt(2): 4, 2: 4, np.sqrt(5): 8, np.sqrt(8): 4}),
    "cubic": ({"shape": [9, 9, 9]}, {1: 6, np.sqrt(2): 12, R3: 8, 2: 6, np.sqrt(5): 24, np.sqrt(6): 24}),
    "triangular": ({"kind": "triangular", "shape": [12, 12]}, {1: 6, R3: 6, 2: 6, R7: 12, 3: 6}),
    "honeycomb": ({"kind": "honeycomb", "shape": [8, 8]}, {1: 3, R3: 6, 2: 3, R7: 6, 3: 6, 2 * R3: 6, np.sqrt(13): 6}),
    "kagome": (LATTICES["kagome"] | {"shape": [6, 6]}, {0.5: 4, R3 / 2: 4, 1: 6}),
    "fcc": ({"kind": "bravais", "shape": [6, 6, 6], "vectors": FCC}, {np.sqrt(0.5): 12, 1: 6, np.sqrt(1.5): 24}),
    "bcc": ({"kind": "bravais", "shape": [6, 6, 6], "vectors": BCC}, {R3 / 2: 8, 1: 6, np.sqrt(2): 12}),
    "diamond": (
        {"kind": "bravais", "shape": [4, 4, 4], "vectors": FCC, "basis": [[0.0] * 3, [0.25] * 3]},
        {R3 / 4: 4, np.sqrt(0.5): 12, np.sqrt(11) / 4: 12, 1: 6},
    ),
}


@pytest.mark.parametrize("spacing", [1.0, 2.5])
@pytest.mark.parametrize("name", SHELLS)
def test_every_site_has_the_shells_of_the_crystal(name, spacing):
    values, shells = SHELLS[name]
    grid = lattice(values, spacing=spacing)
    for a in range(grid.n_basis):
        distances = grid.distances[:, a].ravel()
        nearest = np.sort(distances[distances > 0])[: sum(shells.values())]
        assert np.allclose(nearest, spacing * np.repeat(list(shells), list(shells.values())), atol=1e-12)


def test_displacements_point_from_the_origin_to_the_site_along_x_first():
    grid = HypercubicLattice(shape=(5, 7))
    assert grid.displacements[:, 0, 0, 1, 2].tolist() == [1, 2]
    assert grid.displacements[:, 0, 0, 4, 6].tolist() == [-1, -1]
    assert grid.angles[0, 0, 0, 1] == pytest.approx(np.pi / 2)
    assert grid.angles[0, 0, 4, 0] == pytest.approx(np.pi)


def test_displacements_point_from_the_second_basis_site_to_the_first():
    grid = HoneycombLattice(shape=(5, 5))
    assert grid.displacements[:, 1, 0, 0, 0] == pytest.approx([np.sqrt(3) / 2, 0.5])
    assert grid.displacements[:, 0, 1, 0, 0] == pytest.approx([-np.sqrt(3) / 2, -0.5])


def test_half_way_round_an_orthogonal_axis_is_at_minus_half_the_length():
    assert HypercubicLattice(shape=(4,)).displacements.ravel().tolist() == [0, 1, -2, -1]


def test_a_chain_has_neighbours_at_angles_zero_and_pi():
    assert HypercubicLattice(shape=(5,)).angles.ravel().tolist() == [0, 0, 0, np.pi, np.pi]


@pytest.mark.parametrize(("shape", "kind"), [([6], "chain"), ([6, 4], "square"), ([6, 4, 2], "cubic")])
def test_a_shape_alone_names_its_hypercubic_lattice(shape, kind):
    assert lattice({"shape": shape}) == lattice({"kind": kind, "shape": shape}) == HypercubicLattice(shape=shape)
    assert lattice({"shape": shape}).kind == kind


@pytest.mark.parametrize("name", ["triangular", "square"])
def test_named_lattices_are_bravais_lattices_of_their_vectors(name):
    named = lattice(name)
    general = BravaisLattice(shape=named.shape, vectors=tuple(map(tuple, named.vectors_in_space)))
    assert np.allclose(general.distances, named.distances, atol=1e-12)


def test_other_vectors_of_the_same_lattice_give_the_same_distances():
    # Whole lattices of equal period: the same torus, described by vectors that are far from short.
    plain = BravaisLattice(shape=(6, 6), vectors=((1.0, 0.0), (0.5, 0.9)))
    skewed = BravaisLattice(shape=(6, 6), vectors=((1.0, 0.0), (7.5, 0.9)))
    assert np.allclose(np.sort(skewed.distances.ravel()), np.sort(plain.distances.ravel()), atol=1e-12)


@pytest.mark.parametrize(("shape", "closes"), [((4, 6), True), ((1, 6), True), ((4, 5), False), ((3,), False)])
def test_cells_alternate_and_close_on_even_lengths(shape, closes):
    grid = HypercubicLattice(shape=shape)
    assert grid.is_bipartite is closes
    assert np.array_equal(grid.parity[0, 0], np.indices(shape).sum(axis=0) % 2)


def test_neighbours_on_a_honeycomb_are_always_on_the_other_sublattice():
    grid = HoneycombLattice(shape=(3, 5))
    assert grid.is_bipartite
    assert set(grid.parity[np.isclose(grid.distances, 1)]) == {1}
    assert set(grid.parity[np.isclose(grid.distances, np.sqrt(3))]) == {0}


def test_a_triangular_lattice_alternates_in_stripes():
    grid = TriangularLattice(shape=(6, 6))
    assert np.bincount(grid.parity[np.isclose(grid.distances, 1)]).tolist() == [2, 4]


numbers = st.floats(-3, 3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), d=st.integers(1, 3))
def test_the_nearest_image_is_found_in_cells_of_any_angle(data, d):
    vectors = np.array(data.draw(st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=d, max_size=d)))
    lengths = np.linalg.norm(vectors, axis=1)
    assume((lengths > 0.05).all() and abs(np.linalg.det(vectors / lengths[:, None])) > 0.05)
    shape = data.draw(st.lists(st.integers(1, 5 if d < 3 else 3), min_size=d, max_size=d))
    basis = [[0.0] * d, data.draw(st.lists(st.floats(0.05, 0.95), min_size=d, max_size=d))]
    grid = lattice({"kind": "bravais", "shape": shape, "vectors": vectors.tolist(), "basis": basis})
    # The nearest image is nearer than half the sum of the periods, which bounds its distance in cells.
    periods = np.array(shape)[:, None] * vectors
    reach = np.abs(np.linalg.inv(periods)).sum() * np.linalg.norm(periods, axis=1).sum()
    assume(reach < 60 if d < 3 else reach < 12)
    expected = brute_force_displacements(grid, reach=int(np.ceil(reach)) if d > 1 else 3)
    for site, shortest in expected.items():
        assert grid.distances[site] == pytest.approx(np.linalg.norm(shortest[0]), rel=1e-9, abs=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    angles=st.tuples(*[st.floats(0.4, 2.7)] * 3),
    twist=st.lists(st.integers(-50, 50), min_size=3, max_size=3),
)
def test_a_reduced_basis_spans_the_same_lattice_with_short_vectors(angles, twist):
    plain = np.array([[1.0, 0.0, 0.0], [np.cos(angles[0]), 1.0, 0.0], [np.cos(angles[1]), np.cos(angles[2]), 1.0]])
    vectors = np.array([[1, 0, 0], [twist[0], 1, 0], [twist[1], twist[2], 1]]) @ plain
    combinations = reduced_basis(vectors)
    assert abs(round(np.linalg.det(combinations))) == 1
    short = np.linalg.norm(combinations @ vectors, axis=1)
    # Hadamard's ratio of a Minkowski-reduced basis in space is at most sqrt(2).
    assert short.prod() <= np.sqrt(2) * abs(np.linalg.det(vectors)) * (1 + 1e-6)


REFUSED = [
    ({"shape": [4, 0]}, r"^Key `lattice\.shape\.1` is 0, but it must be greater than 0 \(cells along each axis\)\.$"),
    (
        {"shape": [4], "spacing": 0.0},
        r"^Key `lattice\.spacing` is 0\.0, but it must be greater than 0 \(lattice constants\)\.$",
    ),
    ({"kind": "cubic", "shape": [4, 4]}, r"`lattice\.kind` must be 'square' for a shape of 2 entries, but is 'cubic'"),
    ({"kind": "square", "shape": [4]}, r"`lattice\.kind` must be 'chain' for a shape of 1 entry, but is 'square'"),
    ({"kind": "squar", "shape": [4, 4]}, r"`lattice\.kind` is 'squar', .*Did you mean `square`\?"),
    ({"shape": [4, 4], "spacng": 2.0}, r"`lattice\.spacng` is not known\. Did you mean `spacing`\?"),
    ({"kind": "rectangular", "shape": [4, 4]}, r"^Key `lattice\.spacing` is missing \(lattice constants\)\.$"),
    (
        {"kind": "rectangular", "shape": [4, 4], "spacing": [1.0, 2.0, 3.0]},
        r"`lattice\.spacing` must have one entry for each of the 2 axes of `lattice\.shape`, but has 3\.",
    ),
    (
        {"kind": "rectangular", "shape": [4], "spacing": [-1.0]},
        r"`lattice\.spacing\.0` is -1\.0, but .* greater than 0",
    ),
    ({"kind": "triangular", "shape": [4]}, r"`lattice\.shape` is \[4\], but it must have 2 or more entries"),
    ({"kind": "honeycomb", "shape": [4, 4, 4]}, r"`lattice\.shape` is .*, but it must have 2 or fewer entries"),
    (
        {"kind": "bravais", "shape": [4, 4], "vectors": [[1.0, 0.0]]},
        r"`lattice\.vectors` must hold 2 vectors of 2 components, .* but holds \[\[1\.0, 0\.0\]\]",
    ),
    (
        {"kind": "bravais", "shape": [4, 4], "vectors": [[1.0, 0.0], [0.0, 1.0, 0.0]]},
        r"`lattice\.vectors` must hold 2 vectors of 2 components",
    ),
    (
        {"kind": "bravais", "shape": [4, 4], "vectors": [[1.0, 1.0], [-2.0, -2.0]]},
        r"`lattice\.vectors` must be linearly independent .*, but is \[\[1\.0, 1\.0\], \[-2\.0, -2\.0\]\]",
    ),
    (
        {"kind": "bravais", "shape": [4, 4], "vectors": [[1.0, 0.0], [1.0, 1e-4]]},
        r"`lattice\.vectors` must be linearly independent and not nearly so",
    ),
    ({"kind": "bravais", "shape": [4], "vectors": [[0.0]]}, r"`lattice\.vectors` must be linearly independent"),
    (
        {"kind": "bravais", "shape": [4], "vectors": [[1.0]], "basis": [[0.0], [0.5, 0.5]]},
        r"`lattice\.basis` must hold positions of 1 fractional coordinates",
    ),
    (
        {"kind": "bravais", "shape": [4], "vectors": [[1.0]], "basis": [[0.25], [0.5], [1.25]]},
        r"`lattice\.basis` must hold positions that differ .*, but numbers 0 and 2 are \[0\.25\] and \[1\.25\]",
    ),
]


@pytest.mark.parametrize(("values", "match"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_bad_lattices_are_refused_with_a_sentence(values, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(lattice=values))


@pytest.mark.parametrize("name", LATTICES)
def test_a_diluted_lattice_has_the_distances_of_a_whole_one(name):
    whole, part = lattice(name), lattice(name, abundance=0.4)
    assert part.distances is whole.distances
    assert part.angles is whole.angles
    assert (part.size, part.n_spins) == (whole.size, round(0.4 * whole.size))


def test_occupied_sites_are_as_many_as_there_are_spins_and_none_twice():
    part = lattice({"shape": [10, 7]}, abundance=0.31)
    sites = part.occupied(np.random.default_rng(3))
    assert part.n_spins == sites.size == 22
    assert (np.diff(sites) > 0).all()
    assert 0 <= sites[0] < sites[-1] < 70
    assert part.occupied_share == pytest.approx(21 / 69)
    assert (lattice("square").occupied_share, lattice({"shape": [1]}).occupied_share) == (1.0, 1.0)


@pytest.mark.parametrize("abundance", [0.0, -0.5, 1.5])
def test_an_abundance_is_a_fraction(abundance):
    with pytest.raises(ConfigurationError, match=r"Key `lattice\.abundance` is .*, but it must be (greater|less) than"):
        validate(Experiment, experiment_values(lattice={"shape": [4, 4], "abundance": abundance}))


def test_an_abundance_leaves_two_spins():
    with pytest.raises(ConfigurationError, match=r"`lattice\.abundance` must leave at least 2 spins, .* sites is 1"):
        validate(Experiment, experiment_values(lattice={"shape": [4, 4], "abundance": 0.07}))


def test_a_whole_lattice_does_not_mention_its_abundance_in_plain_data():
    assert "abundance" not in lattice("square", abundance=1.0).model_dump()
    assert lattice("square", abundance=0.5).model_dump()["abundance"] == 0.5
