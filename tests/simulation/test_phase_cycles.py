"""Phase cycles keep what they should and cancel the rest."""

import numpy as np
import pytest

from nmr_platform import simulate
from tests.builders import UNIT_STEP, experiment
from tests.simulation.systems import UNCOUPLED, draw_offsets, phase_time, record

TAU = 20
IMPERFECT = {"kind": "hahn", "tau": TAU * UNIT_STEP, "theta1": 60.0, "phi1": 10.0, "theta2": 150.0, "phi2": 75.0}
OFFSETS = draw_offsets((4, 4))
THETA1, PHI1, THETA2, PHI2 = np.deg2rad([60.0, 10.0, 150.0, 75.0])


def run(cycle, **changes):
    settings = {"sequence": IMPERFECT, "coupling": UNCOUPLED} | changes
    return simulate(experiment(phase_cycle=cycle, **settings), offsets=OFFSETS, dtype="float64")


def after_the_second_pulse(echo):
    """Three pathways after the second pulse: untouched, refocused, and the free decay of m_z; and what was recorded."""
    s, nu = phase_time(echo)[TAU + 1 :, None] - TAU, OFFSETS.ravel()
    first = -0.5j * np.sin(THETA1) * np.exp(1j * PHI1) * np.exp(-1j * nu * TAU)
    untouched = np.cos(THETA2 / 2) ** 2 * first
    refocused = np.sin(THETA2 / 2) ** 2 * np.exp(2j * PHI2) * first.conj()
    decay = -0.5j * np.sin(THETA2) * np.exp(1j * PHI2) * np.cos(THETA1) * np.ones_like(nu)
    return [(part * np.exp(-1j * nu * s)).mean(axis=1) for part in (untouched, refocused, decay)], echo.m[TAU + 1 :]


def test_without_a_cycle_all_pathways_are_recorded():
    pathways, found = after_the_second_pulse(run([]))
    assert np.allclose(found, sum(pathways), atol=1e-13)
    assert all(np.abs(part).max() > 0.01 for part in pathways)


def test_two_opposite_refocusing_pulses_remove_their_own_free_decay():
    echo = run([{"pulses": [0.0, 0.0]}, {"pulses": [0.0, 180.0]}])
    (untouched, refocused, _), found = after_the_second_pulse(echo)
    assert np.allclose(found, untouched + refocused, atol=1e-13)


def test_four_refocusing_pulses_leave_the_echo_alone():
    # EXORCYCLE: the echo's phase goes twice as fast as the pulse's, and the receiver follows it.
    echo = run([{"pulses": [0.0, phase], "receiver": 2 * phase} for phase in (0.0, 90.0, 180.0, 270.0)])
    (_, refocused, _), found = after_the_second_pulse(echo)
    assert np.allclose(found, refocused, atol=1e-13)
    # Before the second pulse the receiver's phases cancel whatever there is.
    assert np.abs(echo.m[: TAU + 1]).max() < 1e-15


def test_two_opposite_exciting_pulses_remove_what_they_did_not_excite():
    echo = run([{"pulses": [0.0, 0.0]}, {"pulses": [180.0, 0.0], "receiver": 180.0}])
    (untouched, refocused, _), found = after_the_second_pulse(echo)
    assert np.allclose(found, untouched + refocused, atol=1e-13)


@pytest.mark.parametrize("duration", [{}, {"nutation": 0.4}], ids=["ideal", "finite"])
def test_turning_all_pulses_and_the_receiver_together_changes_nothing_for_axial_coupling(duration):
    axial = {"alpha_x": 0.04, "alpha_y": 0.04, "alpha_z": -0.06}
    settings = {"coupling": axial, "sequence": IMPERFECT | duration}
    plain = run([], **settings)
    for phases in ([37.0], [0.0, 90.0, 180.0, 270.0]):
        cycle = [{"pulses": [phase, phase], "receiver": phase} for phase in phases]
        assert np.allclose(record(run(cycle, **settings)), record(plain), atol=1e-12)


def test_a_cycle_of_one_step_without_phases_is_no_cycle():
    coupled = {"coupling": {"alpha_x": 0.02, "alpha_y": 0.03, "alpha_z": -0.05}}
    assert np.array_equal(run([{"pulses": [0.0, 0.0]}], **coupled).m, run([], **coupled).m)


def test_the_receiver_turns_the_record_by_minus_its_phase():
    turned, plain = run([{"pulses": [0.0, 0.0], "receiver": 30.0}]), run([])
    assert np.allclose(turned.m, plain.m * np.exp(-1j * np.pi / 6), atol=1e-14)
    assert np.array_equal(turned.m_z, plain.m_z)


def test_every_step_of_a_cycle_starts_from_equilibrium_on_the_same_disorder():
    strong = {"coupling": {"alpha_x": 0.05, "alpha_y": 0.02, "alpha_z": 0.07}, "drive": {"inhomogeneity": 0.1}}
    step = {"pulses": [20.0, 100.0]}
    for integrator in ("euler", "midpoint", "fast"):
        once, thrice = (
            simulate(
                experiment(phase_cycle=[step] * n, sequence=IMPERFECT | {"nutation": 0.4}, **strong),
                seed=3,
                dtype="float64",
                integrator=integrator,
            )
            for n in (1, 3)
        )
        assert np.allclose(record(once), record(thrice), atol=1e-15)
