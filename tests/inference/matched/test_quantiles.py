"""Conformalised intervals: as wide as curves like the record need, whatever the others do."""

import numpy as np

from nmr_platform.inference.matched.answer import Quantiles


def _curves(n, seed):
    """A quantity that a guess misses by 0.01, and of one in four, which nothing in the guess shows, by 0.1."""
    rng = np.random.default_rng(seed)
    x, unusual = rng.uniform(size=(n, 1)), rng.uniform(size=n) < 0.25
    return x, x[:, 0] + rng.normal(size=n) * np.where(unusual, 0.1, 0.01), np.flatnonzero(unusual)


def _share_inside(interval_of, x, y, rows):
    found = [interval_of(x[[row]]) for row in rows]
    return np.mean([each.lower <= y[row] <= each.upper for each, row in zip(found, rows, strict=True)])


def test_intervals_hold_for_curves_like_the_record_where_those_of_all_curves_do_not():
    x, y, unusual = _curves(600, seed=0)
    new_x, new_y, new_unusual = _curves(1200, seed=1)
    of_all = Quantiles.fit(x, y, np.arange(len(y)), "MHz")
    of_alike = Quantiles.fit(x, y, unusual, "MHz")
    assert _share_inside(of_all.of, new_x, new_y, range(400)) > 0.86
    assert _share_inside(of_all.of, new_x, new_y, new_unusual) < 0.8
    assert 0.86 < _share_inside(of_alike.of, new_x, new_y, new_unusual) < 0.96


def test_an_interval_stays_within_what_was_simulated():
    x, y, _ = _curves(200, seed=2)
    found = Quantiles.fit(x, y, np.arange(len(y)), "MHz").of(np.array([[5.0]]))
    assert y.min() <= found.lower <= found.value <= found.upper <= y.max()
