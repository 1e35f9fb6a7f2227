"""The streams of a curve are those that the design names: children of (seed of the data set, number of the curve)."""

import numpy as np
import pytest

from nmr_platform.simulation import curve_streams


@pytest.mark.parametrize("curve", [0, 1, 4096])
def test_a_curve_draws_from_the_children_of_its_own_seed_sequence(curve):
    own = np.random.SeedSequence(7, spawn_key=(curve,))
    for stream, child in zip(curve_streams(7, curve), own.spawn(3), strict=True):
        np.testing.assert_array_equal(stream.generate_state(4), child.generate_state(4))


def test_the_bits_of_a_curve_are_these():
    drawn = [int(stream.generate_state(1, np.uint64)[0]) for stream in curve_streams(7, 4)]
    assert drawn == [10402746097732149109, 6637126774462328727, 12699700241433379057]
