"""Pulses that last, drives that are off, and drives that differ over the sample: closed forms."""

import numpy as np
import pytest

from nmr_platform import simulate
from nmr_platform.simulation import INTEGRATORS
from nmr_platform.simulation.engine import draw_gain
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.simulation.systems import UNCOUPLED, comb, record


def after(element, *, offsets=None, seed=0, lattice=(4, 4), integrator="midpoint", **changes):
    """The state just after a first pulse, shape (3,), of uncoupled spins."""
    values = experiment(
        coupling=UNCOUPLED,
        lattice={"shape": lattice},
        sequence={"kind": "custom", "elements": [element, delay(2)]},
        **changes,
    )
    offsets = np.zeros(lattice) if offsets is None else offsets
    return record(simulate(values, offsets=offsets, seed=seed, dtype="float64", integrator=integrator))[0]


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize(("theta", "phi"), [(90, 0), (180, 90), (37, -130), (-75, 20), (400, 15)])
@pytest.mark.parametrize("steps", [12.0, 7.3, 0.4])
def test_on_resonance_a_rectangular_pulse_is_an_ideal_one(theta, phi, steps, integrator):
    fine = {"step": UNIT_STEP / 16, "integrator": integrator}
    lasting, ideal = (after(pulse(theta, phi, duration), **fine) for duration in (steps * UNIT_STEP, 0.0))
    assert np.allclose(lasting, ideal, atol=1e-12)


def test_on_resonance_a_shaped_pulse_of_one_phase_turns_by_its_area():
    parts = [(0.3, 0.2, 25.0), (0.11, 0.0, 25.0), (0.5, 0.4, 25.0), (0.2, -0.3, 25.0)]
    area = 360 * sum(duration * amplitude for duration, amplitude, _ in parts)
    assert np.allclose(after(shaped(*parts)), after(pulse(area, 25.0)), atol=1e-12)


def test_a_composite_pulse_is_its_pulses_one_after_the_other():
    # 90x 180y 90x, each as a segment, inverts; so do three ideal pulses.
    parts = [(0.5, 0.5, 0.0), (0.5, 1.0, 90.0), (0.5, 0.5, 0.0)]
    found = after(shaped(*parts), step=UNIT_STEP / 8, drive={"calibration": 0.9})
    values = experiment(
        coupling=UNCOUPLED,
        drive={"calibration": 0.9},
        sequence={"kind": "custom", "elements": [pulse(90), pulse(180, 90), pulse(90), delay(2)]},
    )
    ideal = record(simulate(values, offsets=np.zeros((4, 4)), dtype="float64"))[1]
    assert np.allclose(found, ideal, atol=1e-12)
    assert found[2] < -0.48


def nutated(amplitude, phase, duration, nu):
    """m_x, m_y, m_z of a spin along z after nutation: turned about (w cos phi, w sin phi, -nu)."""
    total = np.hypot(amplitude, nu)
    across, along, angle = amplitude / total, -nu / total, 2 * np.pi * total * duration
    # Rodrigues: z cos + (n x z) sin + n (n z)(1 - cos), in the frame where the axis lies in the x-z plane.
    m = across * along * (1 - np.cos(angle)) - 1j * across * np.sin(angle)
    m = 0.5 * m * np.exp(1j * np.deg2rad(phase))
    return np.array([m.real, m.imag, 0.5 * (np.cos(angle) + along**2 * (1 - np.cos(angle)))])


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("nu", [0.0, 0.05, -0.2, 0.6])
@pytest.mark.parametrize(("amplitude", "phase", "duration"), [(0.25, 0.0, 1.0), (0.3, 65.0, 2.7), (-0.1, -20.0, 5.0)])
def test_off_resonance_a_pulse_nutates_about_the_tilted_axis(amplitude, phase, duration, nu, integrator):
    found = after(
        pulse(360 * amplitude * duration, phase, duration), offsets=np.full((4, 4), nu), integrator=integrator
    )
    assert np.allclose(found, nutated(amplitude, phase, duration, nu), atol=1e-12)
    # Rabi: the probability of a flip is w^2 / (w^2 + nu^2) sin^2(half the angle).
    total = np.hypot(amplitude, nu)
    flipped = (amplitude / total) ** 2 * np.sin(np.pi * total * duration) ** 2
    assert 0.5 - found[2] == pytest.approx(flipped, abs=1e-12)


@pytest.mark.parametrize("duration", [0.0, 0.8])
@pytest.mark.parametrize("calibration", [1.0, 0.9, 1.25, -1.0])
def test_a_miscalibrated_drive_turns_by_a_multiple_of_the_flip_angle(calibration, duration):
    found = after(pulse(100, 30, duration), drive={"calibration": calibration})
    assert np.allclose(found, after(pulse(100 * calibration, 30)), atol=1e-12)


@pytest.mark.parametrize("calibration", [1.0, 0.85, 1.1])
def test_a_miscalibrated_hahn_echo(calibration):
    values = experiment(
        coupling=UNCOUPLED,
        lattice={"shape": [8, 8]},
        drive={"calibration": calibration},
        sequence={"kind": "hahn", "tau": 48 * UNIT_STEP},
    )
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64")
    expected = 0.5 * np.sin(np.pi / 2 * calibration) * np.sin(np.pi / 2 * calibration) ** 2
    assert echo.m[values.echo_indices[0]] == pytest.approx(-1j * expected, abs=1e-13)


UNEVEN = {"calibration": 0.95, "inhomogeneity": 0.15}


@pytest.mark.parametrize("duration", [0.0, 0.8])
def test_an_uneven_drive_averages_over_the_angles_of_the_sample(duration):
    # Angles spread normally about c theta with standard deviation c theta sigma: the mean of exp(i angle) is
    # exp(i c theta - (c theta sigma)^2 / 2).
    theta, size = np.deg2rad(200), 128
    found = after(pulse(200, 0, duration), drive=UNEVEN, lattice=(size, size), seed=3)
    mean = np.exp(1j * 0.95 * theta - (0.95 * theta * 0.15) ** 2 / 2)
    assert found[0] == pytest.approx(0, abs=1e-13)
    assert found[1] == pytest.approx(-0.5 * mean.imag, abs=5 * 0.5 / size)
    assert found[2] == pytest.approx(0.5 * mean.real, abs=5 * 0.5 / size)


@pytest.mark.parametrize("duration", [0.0, 0.8])
def test_every_spin_keeps_its_own_drive_through_all_pulses(duration):
    elements = [pulse(90, 0, duration), pulse(90, 0, duration), pulse(180, 90, duration), delay(2)]
    values = experiment(coupling=UNCOUPLED, drive=UNEVEN, sequence={"kind": "custom", "elements": elements})
    gain = draw_gain(values, 5)
    found = record(simulate(values, offsets=np.zeros((4, 4)), seed=5, dtype="float64"))[1]
    # The first two turn by the angle in the y-z plane, the third by as much from z to x.
    angle = np.pi * gain
    expected = 0.5 * np.array([np.cos(angle) * np.sin(angle), -np.sin(angle), np.cos(angle) ** 2])
    assert np.allclose(found, expected.mean(axis=1), atol=1e-12)


def test_the_unevenness_of_the_drive_is_drawn_from_the_seed_and_not_from_the_offsets():
    values = experiment(drive={"calibration": 0.9, "inhomogeneity": 0.1}, lattice={"shape": [64, 64]})
    one, again, other = (draw_gain(values, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert one.mean() == pytest.approx(0.9, abs=5 * 0.09 / 64)
    assert one.std() == pytest.approx(0.09, rel=0.06)
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / 64
    offsets = values.line.draw(4096, np.random.default_rng(1)).offsets
    assert abs(np.corrcoef(one, np.argsort(np.argsort(offsets)))[0, 1]) < 5 / 64


def test_an_even_drive_is_drawn_without_randomness():
    assert np.array_equal(draw_gain(experiment(drive={"calibration": 1.2}), 0), np.full(16, 1.2))


@pytest.mark.parametrize("duration", [1e-12, 1e-300])
def test_a_pulse_much_shorter_than_a_step_is_an_ideal_one(duration):
    assert np.allclose(after(pulse(55, 20, duration)), after(pulse(55, 20)), atol=1e-12)


@pytest.mark.parametrize(("phase", "moves"), [(90.0, False), (0.0, True)])
def test_coupling_acts_during_a_pulse_that_lasts(phase, moves):
    # Parallel spins are locked along a drive, whatever couples their z components: m_z stays 0. Driven out of the
    # plane, they feel each other.
    locking = {"kind": "custom", "elements": [pulse(90, 0), shaped((3.0, 0.3, phase + 180.0)), delay(2)]}
    states = [
        record(
            simulate(
                experiment(coupling=UNCOUPLED | {"alpha_z": alpha}, sequence=locking),
                offsets=np.zeros((4, 4)),
                dtype="float64",
            )
        )[1]
        for alpha in (0.0, 0.08)
    ]
    assert np.allclose(states[0], [0, -0.5, 0], atol=1e-12) is not moves
    assert np.allclose(*states, atol=1e-3) is not moves
