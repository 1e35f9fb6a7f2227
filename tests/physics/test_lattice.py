"""The periodic lattice."""

import numpy as np
import pytest

from nmr_platform.physics import Lattice


@pytest.mark.parametrize("shape", [(7,), (8,), (3, 5), (4, 4), (2, 3, 2), (1, 6)])
def test_a_site_lies_at_its_nearest_periodic_image(shape):
    lattice = Lattice(shape=shape)
    for site in np.ndindex(*shape):
        images = [min((c + k * n for k in (-1, 0, 1)), key=abs) for c, n in zip(site, shape, strict=True)]
        assert np.allclose(np.abs(lattice.displacements[(slice(None), *site)]), np.abs(images))
        assert lattice.distances[site] == pytest.approx(np.hypot.reduce(images))


def test_displacements_point_from_the_origin_to_the_site_along_x_first():
    lattice = Lattice(shape=(5, 7))
    assert lattice.displacements[:, 1, 2].tolist() == [1, 2]
    assert lattice.displacements[:, 4, 6].tolist() == [-1, -1]
    assert lattice.angles[0, 1] == pytest.approx(np.pi / 2)
    assert lattice.angles[4, 0] == pytest.approx(np.pi)


def test_half_way_round_is_at_minus_half_the_length():
    assert Lattice(shape=(4,)).displacements[0].tolist() == [0, 1, -2, -1]


def test_a_chain_has_neighbours_at_angles_zero_and_pi():
    assert Lattice(shape=(5,)).angles.tolist() == [0, 0, 0, np.pi, np.pi]


def test_size_counts_the_sites():
    assert Lattice(shape=[2, 3, 4]).size == 24
