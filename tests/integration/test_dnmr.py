"""A measured file, 22 echoes of an inversion recovery, that DNMR brings; its licence keeps it out of this project."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.exchange import read_records

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def records():
    package = find_spec("DNMR")
    if package is None or package.origin is None:
        pytest.skip("the package dnmr, whose measured file this reads, is not installed")
    return read_records(Path(package.origin).with_name("test_file.hdf"))


def test_every_echo_is_read_with_its_sequence(records):
    recoveries = [record.told.swept["recovery"] for record in records.values()]
    assert (len(recoveries), recoveries[0], recoveries[-1]) == (22, 1, 5e6)
    assert recoveries == sorted(recoveries)
    for record in records.values():
        assert (len(record.signal), record.dwell, record.start) == (1024, pytest.approx(0.2), pytest.approx(65.1))
        assert (record.told.frequency, record.told.scans) == (213.16, 128)
        assert [record.told.times[name] for name in ("p0", "p1", "p2", "d1", "d2", "ringdown")] == [
            5,
            2.5,
            5,
            50,
            0.1,
            10,
        ]
        assert record.told.phases["ph1"] == tuple(90.0 * turn for turn in (0, 2, 0, 2, 1, 3, 1, 3) * 2)


def test_the_echoes_come_when_they_must_and_recover(records):
    signals = np.array([record.signal for record in records.values()])
    time = next(iter(records.values())).time
    recovered = signals[10:].mean(axis=0)
    power = np.where(np.abs(recovered) > np.abs(recovered).max() / 4, np.abs(recovered) ** 2, 0)
    # Two delays of 50 us and a pulse of 5 us, to which finite pulses and the receiver add a few.
    assert (power * time).sum() / power.sum() == pytest.approx(105, abs=3)
    heights = ((signals @ recovered.conj()) / np.vdot(recovered, recovered)).real
    assert heights[0] < 0.65
    assert (np.diff(heights[:9]) > -0.02).all()
    np.testing.assert_allclose(heights[9:], 1, atol=0.05)
