"""Pulses, sequences and their place on the time grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmr_platform.physics import Cpmg, Delay, Pulse
from tests.builders import UNIT_STEP, delay, experiment, pulse

X, Y, Z = np.eye(3)
PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


@pytest.mark.parametrize(
    ("theta", "phi", "before", "after"),
    [
        (90, 0, Z, -Y),
        (90, 0, Y, Z),
        (90, 90, Z, X),
        (90, 90, X, -Z),
        (180, 90, X, -X),
        (180, 90, Y, Y),
        (-90, 0, Z, Y),
        (90, 180, Z, Y),
        (360, 45, X, X),
    ],
)
def test_a_pulse_turns_spins_by_plus_theta_about_its_axis(theta, phi, before, after):
    assert np.allclose(Pulse(theta=theta, phi=phi).rotation @ before, after, atol=1e-15)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(theta=st.floats(-720, 720), phi=st.floats(-360, 360))
def test_a_pulse_is_the_unitary_of_quantum_mechanics(theta, phi):
    # U = exp(-i theta (Ix cos phi + Iy sin phi)) acts on a density matrix with Bloch vector m as U rho U^+.
    angle, phase = np.deg2rad(theta), np.deg2rad(phi)
    unitary = expm(-0.5j * angle * (np.cos(phase) * PAULI[0] + np.sin(phase) * PAULI[1]))
    rotation = [[np.trace(a @ unitary @ b @ unitary.conj().T).real / 2 for b in PAULI] for a in PAULI]
    assert np.allclose(Pulse(theta=theta, phi=phi).rotation, rotation, atol=1e-12)


def test_a_hahn_echo_is_two_pulses_with_tau_between_and_two_tau_after():
    hahn = experiment(sequence={"kind": "hahn", "tau": 3.0}).sequence
    pulses = [(e.theta, e.phi) for e in hahn.elements if isinstance(e, Pulse)]
    assert pulses == [(90, 0), (180, 90)]
    assert [e.duration for e in hahn.elements if isinstance(e, Delay)] == [3.0, 3.0, 3.0]
    assert hahn.echo_times == (6.0,)


def test_a_cpmg_train_refocuses_half_way_between_its_echoes():
    train = Cpmg(echo_spacing=2.0, n_echoes=3)
    elapsed, refocused = 0.0, []
    for element in train.elements[1:]:
        if isinstance(element, Delay):
            elapsed += element.duration
        else:
            assert (element.theta, element.phi) == (180, 90)
            refocused.append(elapsed)
    assert train.elements[0] == Pulse(theta=90, phi=0)
    assert refocused == [1.0, 3.0, 5.0]
    assert elapsed == 7.0
    assert train.echo_times == (2.0, 4.0, 6.0)


def test_the_august_2021_record_has_1884_samples_and_its_echo_at_1256():
    record = experiment(sequence={"kind": "hahn", "tau": 100.0})
    assert [part for part in record.schedule if isinstance(part, int)] == [628, 628, 628]
    assert record.n_samples == 1884
    assert record.echo_indices == (1256,)
    assert record.time.shape == (1884,)
    assert record.time[0] == 0
    assert record.time[1256] == pytest.approx(2 * 628 * UNIT_STEP)


@pytest.mark.parametrize(("step_factor", "samples"), [(2, 942), (1.88495559, 999)])
def test_longer_steps_give_the_published_record_lengths(step_factor, samples):
    # June 2021: 314 steps of two; 628.3 / 1.88495559 is 333.3.
    assert experiment(sequence={"kind": "hahn", "tau": 100.0}, step=step_factor * UNIT_STEP).n_samples == samples


def test_the_evaluation_record_has_471_samples():
    assert experiment(sequence={"kind": "hahn", "tau": 50.0}, step=2 * UNIT_STEP).n_samples == 471


@pytest.mark.parametrize(("tau", "steps"), [(3.4, 3), (3.6, 4), (2.5, 2), (3.5, 4)])
def test_delays_round_to_whole_steps_and_echoes_follow_the_rounding(tau, steps):
    record = experiment(step=1.0, sequence={"kind": "hahn", "tau": tau})
    assert record.n_samples == 3 * steps
    assert record.echo_indices == (2 * steps,)


def test_half_spacings_of_a_cpmg_train_round_alike():
    train = experiment(step=1.0, sequence={"kind": "cpmg", "echo_spacing": 5.0, "n_echoes": 2})
    # Half the spacing is 2.5 steps, which rounds to the even 2 everywhere.
    assert train.n_samples == 10
    assert train.echo_indices == (4, 8)


def test_every_echo_of_a_cpmg_train_has_its_sample():
    train = experiment(sequence={"kind": "cpmg", "echo_spacing": 20 * UNIT_STEP, "n_echoes": 3})
    assert train.echo_indices == (20, 40, 60)
    assert train.n_samples == 70


def test_a_custom_sequence_keeps_its_order_and_expects_the_echoes_it_names():
    elements = [pulse(60), delay(5), pulse(120, 90), delay(0), pulse(10, 45), delay(8)]
    record = experiment(sequence={"kind": "custom", "elements": elements, "echo_times": [10 * UNIT_STEP]})
    assert [part if isinstance(part, int) else part.theta for part in record.schedule] == [60, 5, 120, 0, 10, 8]
    assert record.echo_indices == (10,)
    assert experiment(sequence={"kind": "custom", "elements": elements}).echo_indices == ()
