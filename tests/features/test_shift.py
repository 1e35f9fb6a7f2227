"""The shift of echoes with the first flip angle, beside shifts that can be written down."""

import numpy as np
import pytest

from nmr_platform import simulate
from nmr_platform.features import Acquisition, ShiftFeatures, extract
from tests.builders import experiment
from tests.features.across_contract import STEP, AcrossContract, taken_of

ANGLES = {"a": 90.0, "b": 60.0, "c": 120.0, "d": 30.0}
TAKEN = taken_of(**{name: {"kind": "hahn", "tau": 40.0, "theta1": angle} for name, angle in ANGLES.items()})
NEAR = ShiftFeatures(half_width=40)


class TestShift(AcrossContract):
    feature_set = NEAR
    taken = TAKEN
    needed = frozenset(("phase", "offset"))


def test_phase_and_frequency_in_proportion_to_the_cosine_are_read_off():
    turn, shift = np.array([4.0, -1.5]), np.array([0.003, -0.01])
    m = {}
    for name, taken in TAKEN.items():
        t, along = STEP * (np.arange(taken.n_samples) - taken.echo_index), np.cos(np.deg2rad(ANGLES[name]))
        phase = 0.4 + turn[:, None] * along + 2 * np.pi * shift[:, None] * along * t
        m[name] = 0.4 * np.exp(-((t / 8) ** 2) + 1j * phase)
    table = extract(m, NEAR, TAKEN)
    own = [f"{name}.{part}" for name in ANGLES for part in ("phase_cos", "phase_sin", "frequency")]
    assert list(table.columns) == [*own, "phase_slope", "frequency_slope"]
    np.testing.assert_allclose(table["phase_slope"], turn, rtol=1e-5)
    np.testing.assert_allclose(table["frequency_slope"], shift, rtol=1e-3)
    np.testing.assert_allclose(table["b.frequency"], shift / 2, rtol=1e-3)
    np.testing.assert_allclose(table["b.phase_sin"], np.sin(0.4 + turn / 2), atol=1e-6)


def test_the_local_field_of_what_the_first_pulse_leaves_is_read_off():
    """Without a line all spins precess alike, at alpha_z sum K m_z with m_z = cos(theta1) / 2, turned around by 180."""
    taken, m = {}, {}
    for name, angle in ANGLES.items():
        one = experiment(
            kernel={"kind": "uniform"},
            coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0005},
            sequence={"kind": "hahn", "tau": 40.0, "theta1": angle},
            step=STEP,
        )
        taken[name] = Acquisition.of(one)
        m[name] = simulate(one, offsets=np.zeros((4, 4)), integrator="midpoint", dtype="float64").m[np.newaxis]
    table = extract(m, NEAR, taken)
    field = one.coupling.alpha_z * one.kernel_sum / 2
    assert table["frequency_slope"][0] == pytest.approx(field, rel=1e-3)
    assert table["phase_slope"][0] == pytest.approx(2 * np.pi * field * 80.0, rel=1e-3)


def test_the_window_of_the_frequency_stays_inside_the_record():
    early = TAKEN | {"a": TAKEN["a"].replace(echo_index=10)}
    assert NEAR.needs_by_record(early)["a"].samples == ((0, 80),)
    with pytest.raises(Exception, match=r"^Record `a`: Argument `half_width` must keep"):
        ShiftFeatures(half_width=300).needs_by_record(TAKEN)


def test_angles_beyond_half_a_turn_have_no_place():
    with pytest.raises(Exception, match="from 0 to 180 degrees"):
        NEAR.intervals(taken_of(a={"kind": "hahn", "tau": 40.0}, b={"kind": "hahn", "tau": 40.0, "theta1": 270.0}))
