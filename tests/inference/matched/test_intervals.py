"""Conformalised intervals: as wide as curves like the record need, whatever the others do."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.inference.matched.intervals import Quantiles, curves_alike


def _curves(n, seed):
    """A quantity that a guess misses by 0.01, and of one in four, which nothing in the guess shows, by 0.1."""
    rng = np.random.default_rng(seed)
    x, unusual = rng.uniform(size=(n, 1)), rng.uniform(size=n) < 0.25
    return x, x[:, 0] + rng.normal(size=n) * np.where(unusual, 0.1, 0.01), np.flatnonzero(unusual)


def _share_inside(quantiles, alike, x, y, rows):
    found = [quantiles.of(x[[row]], alike) for row in rows]
    return np.mean([each.lower <= y[row] <= each.upper for each, row in zip(found, rows, strict=True)])


def test_intervals_hold_for_curves_like_the_record_where_those_of_all_curves_do_not():
    x, y, unusual = _curves(600, seed=0)
    new_x, new_y, new_unusual = _curves(1200, seed=1)
    quantiles, every = Quantiles.fit(x, y, "MHz"), np.arange(len(y))
    assert _share_inside(quantiles, every, new_x, new_y, range(400)) > 0.86
    assert _share_inside(quantiles, every, new_x, new_y, new_unusual) < 0.8
    assert 0.86 < _share_inside(quantiles, unusual, new_x, new_y, new_unusual) < 0.96


def test_an_interval_stays_within_what_was_simulated():
    x, y, _ = _curves(200, seed=2)
    found = Quantiles.fit(x, y, "MHz").of(np.array([[5.0]]), np.arange(len(y)))
    assert y.min() <= found.lower <= found.value <= found.upper <= y.max()


@pytest.mark.parametrize(("line", "expected"), [(0.05, range(100, 200)), (0.8, range(240, 300))])
def test_curves_are_alike_that_show_such_a_line(line, expected):
    """A hundred at the record's line; at the end of what was simulated the nearest sixty."""
    shown = np.repeat([0.02, 0.05, 0.2], 100) * np.exp(1e-4 * np.arange(300))
    found = curves_alike(pd.DataFrame({"look_line": np.log(shown)}), line)
    assert sorted(found) == [*expected]
