"""Whether a record is like the simulated ones, and what differs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nmr_platform.inference.matched.misfit import Misfit, Neighbourhood
from nmr_platform.inference.novelty import Novelty

SEEN = {"": SimpleNamespace(line=SimpleNamespace(value=0.1), record=SimpleNamespace(dwell=1.0))}
POINTS = np.arange(-20, 20)


def records(n, seed, change=lambda m, _: m):
    """Echoes of drawn widths with some noise, in the columns of a feature table."""
    rng = np.random.default_rng(seed)
    width = rng.uniform(0.05, 0.2, n)
    m = np.exp(-width[:, None] * np.abs(POINTS)) + 0.005 * rng.normal(size=(n, len(POINTS)))
    shown = np.column_stack([np.log(width), rng.normal(scale=0.1, size=n)])
    columns = [*(f"abs_{point}" for point in POINTS), "look_line", "look_echo"]
    return pd.DataFrame(np.hstack([change(m, POINTS), shown]).astype(np.float32), columns=columns)


@pytest.fixture(scope="module")
def simulated():
    table = records(300, 0)
    return Neighbourhood.of(table, SEEN), Novelty.fit(table, np.arange(300))


def test_records_of_the_same_kind_are_like_the_simulated_ones(simulated):
    neighbourhood, novelty = simulated
    found = [neighbourhood.misfit(records(1, seed), novelty).p_value for seed in range(1, 41)]
    assert np.mean(np.array(found) < 0.05) <= 0.15
    assert np.median(found) > 0.2


def test_a_record_with_a_second_echo_is_unlike_them_and_where_is_said(simulated):
    neighbourhood, novelty = simulated
    found = neighbourhood.misfit(records(1, 1, lambda m, t: m + 0.3 * np.exp(-np.abs(t - 14))), novelty)
    assert found.p_value < 0.05
    assert "its decay after the echo" in found.warnings[0]
    assert "Do not trust the rest" in found.warnings[0]


def test_nothing_is_said_of_a_record_that_fits():
    assert Misfit(0.3, {"top": 0.2, "after": 0.9}).warnings == ()
