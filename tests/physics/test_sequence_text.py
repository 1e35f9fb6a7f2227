"""How a sequence prints itself."""

import pytest

from nmr_platform.physics import Cpmg, Custom, Delay, Hahn, InversionRecovery, Pulse, Segment, ShapedPulse


@pytest.mark.parametrize(
    ("sequence", "text"),
    [
        (Hahn(tau=100.0), "90x - 100 us - 180y - 200 us"),
        (Hahn(tau=100.0, phi1=180.0, phi2=-90.0, nutation=0.1), "90-x (2.5 us) - 100 us - 180-y (5 us) - 200 us"),
        (Cpmg(echo_spacing=40.0, n_echoes=1), "90x - 20 us - 180y - 40 us"),
        (Cpmg(echo_spacing=40.0, n_echoes=50), "90x - 20 us - [180y - 40 us] × 50"),
        (InversionRecovery(recovery=50.0, acquisition=60.0), "180x - 50 us - 90x - 60 us"),
        (
            Custom(elements=(ShapedPulse(segments=(Segment(duration=2.5, amplitude=0.1),) * 4), Delay(duration=1.0))),
            "shaped[4] (10 us) - 1 us",
        ),
        (
            Custom(elements=(Pulse(theta=90.0), Delay(duration=1.0), *(Pulse(theta=5.0, phi=33.0),) * 2)),
            "90x - 1 us - 5(33 deg) - 5(33 deg)",
        ),
    ],
)
def test_a_sequence_reads_as_in_a_textbook(sequence, text):
    assert str(sequence) == text
