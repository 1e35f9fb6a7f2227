"""Pulses and sequences: rotations, delays, echoes and the time axis."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.linalg import expm

from nmr_platform import ConfigurationError
from nmr_platform.physics import (
    Cpmg,
    Custom,
    Hahn,
    InversionRecovery,
    Pulse,
    Segment,
    Sequence,
    ShapedPulse,
    StimulatedEcho,
    rotation_about,
)
from nmr_platform.schema import validate
from tests.builders import delay, pulse, shaped

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
    assert np.allclose(rotation_about(np.deg2rad(theta), np.deg2rad(phi)) @ before, after, atol=1e-15)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(angle=st.floats(-12, 12), phase=st.floats(-6, 6))
def test_a_pulse_is_the_unitary_of_quantum_mechanics(angle, phase):
    # U = exp(-i theta (Ix cos phi + Iy sin phi)) acts on a density matrix with Bloch vector m as U rho U^+.
    unitary = expm(-0.5j * angle * (np.cos(phase) * PAULI[0] + np.sin(phase) * PAULI[1]))
    rotation = [[np.trace(a @ unitary @ b @ unitary.conj().T).real / 2 for b in PAULI] for a in PAULI]
    assert np.allclose(rotation_about(angle, phase), rotation, atol=1e-12)


def test_a_pulse_without_duration_is_ideal_and_has_no_drive():
    assert Pulse(theta=90.0).segments == ()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(theta=st.floats(-720, 720), phi=st.floats(-360, 360), duration=st.floats(1e-6, 1e3))
def test_the_drive_of_a_rectangular_pulse_turns_by_its_flip_angle(theta, phi, duration):
    (segment,) = Pulse(theta=theta, phi=phi, duration=duration).segments
    assert (segment.duration, segment.phase) == (duration, phi)
    assert 360 * segment.amplitude * segment.duration == pytest.approx(theta, rel=1e-12)


def test_shifting_a_pulse_adds_to_its_phase_and_nothing_else():
    plain = Pulse(theta=60.0, phi=20.0, duration=0.5)
    assert plain.shifted(100.0) == Pulse(theta=60.0, phi=120.0, duration=0.5)
    segments = [Segment(duration=0.1, amplitude=2.0, phase=-10.0), Segment(duration=0.2, amplitude=1.0)]
    turned = ShapedPulse(segments=segments).shifted(45.0)
    assert [part.phase for part in turned.segments] == [35.0, 45.0]
    assert [(part.duration, part.amplitude) for part in turned.segments] == [(0.1, 2.0), (0.2, 1.0)]


def test_a_shaped_pulse_lasts_as_long_as_its_segments():
    assert ShapedPulse(segments=[Segment(duration=d, amplitude=1.0) for d in (0.1, 0.25, 0.4)]).duration == 0.75


# Sequences as (theta, phi) of every pulse and the time between them.


def outline(sequence):
    parts = sequence.parts
    assert isinstance(parts[0], Pulse)
    pulses = [(part.theta, part.phi) for part in parts if isinstance(part, Pulse)]
    waits, since = [], None
    for part in parts:
        if isinstance(part, Pulse):
            waits += [] if since is None else [since]
            since = 0.0
        else:
            since += part.duration
    return pulses, [*waits, since]


OUTLINES = {
    "hahn": (Hahn(tau=3.0), [(90, 0), (180, 90)], [3.0, 6.0], (6.0,)),
    "hahn of other pulses": (
        Hahn(tau=2.0, theta1=60.0, phi1=10.0, theta2=120.0, phi2=-5.0),
        [(60, 10), (120, -5)],
        [2.0, 4.0],
        (4.0,),
    ),
    "cpmg": (
        Cpmg(echo_spacing=2.0, n_echoes=3),
        [(90, 0), (180, 90), (180, 90), (180, 90)],
        [1.0, 2.0, 2.0, 2.0],
        (2.0, 4.0, 6.0),
    ),
    "stimulated": (
        StimulatedEcho(tau=3.0, mixing=10.0, theta2=80.0, phi3=90.0),
        [(90, 0), (80, 0), (90, 90)],
        [3.0, 10.0, 6.0],
        (16.0,),
    ),
    "inversion recovery": (
        InversionRecovery(recovery=20.0, acquisition=5.0, phi2=90.0),
        [(180, 0), (90, 90)],
        [20.0, 5.0],
        (),
    ),
}


@pytest.mark.parametrize("name", OUTLINES)
def test_textbook_sequences_have_the_textbooks_pulses_delays_and_echoes(name):
    sequence, pulses, waits, echoes = OUTLINES[name]
    assert outline(sequence) == (pulses, waits)
    assert sequence.expected_echoes == pytest.approx(echoes)
    assert len(sequence.pulses) == len(pulses)


NUTATION = 0.25  # MHz: 90 degrees last 1 us.
FINITE = {
    "hahn": (Hahn(tau=3.0, nutation=NUTATION), [1.0, 2.0], (8.0,)),
    "cpmg": (Cpmg(echo_spacing=2.0, n_echoes=3, nutation=NUTATION), [1.0, 2.0, 2.0, 2.0], (4.0, 8.0, 12.0)),
    "stimulated": (StimulatedEcho(tau=3.0, mixing=10.0, theta3=-45.0, nutation=NUTATION), [1.0, 1.0, 0.5], (17.5,)),
    "inversion recovery": (InversionRecovery(recovery=20.0, acquisition=5.0, nutation=NUTATION), [2.0, 1.0], ()),
}


@pytest.mark.parametrize("name", FINITE)
def test_pulses_of_a_given_drive_last_and_delay_the_echoes(name):
    sequence, durations, echoes = FINITE[name]
    assert [part.duration for part in sequence.pulses] == pytest.approx(durations)
    assert [abs(part.segments[0].amplitude) for part in sequence.pulses] == pytest.approx([NUTATION] * len(durations))
    assert sequence.expected_echoes == pytest.approx(echoes)


@pytest.mark.parametrize("name", FINITE)
def test_echoes_are_refocused_by_the_delays_alone(name):
    # Time forwards and backwards cancels: after each refocusing pulse the phase runs back by what it gained.
    sequence, _, echoes = FINITE[name]
    for echo in echoes:
        before = [0.0]
        for part in sequence.parts[1:]:
            before.append(before[-1] + part.duration)
        assert any(start == pytest.approx(echo) for start in before)


def test_a_pulse_of_no_angle_takes_no_time_whatever_the_drive():
    assert [part.duration for part in Hahn(tau=1.0, theta1=0.0, nutation=2.0).pulses] == pytest.approx([0.0, 0.25])


def test_a_custom_sequence_is_its_list():
    elements = [pulse(60), delay(5), shaped((0.5, 1.0, 0.0)), delay(0), pulse(10, 45, 0.3), delay(8)]
    custom = Custom.model_validate({"elements": elements, "echo_times": [0.5, 1]})
    assert [part.kind for part in custom.parts] == ["pulse", "delay", "shaped", "delay", "pulse", "delay"]
    assert [part.kind for part in custom.pulses] == ["pulse", "shaped", "pulse"]
    assert custom.expected_echoes == (0.5, 1.0)


sequences: TypeAdapter[Sequence] = TypeAdapter(Sequence)


def test_the_timeline_is_without_gaps_and_shows_every_segment():
    elements = [
        pulse(90),
        {"kind": "delay", "duration": 2.0},
        shaped((0.5, 1.0, 10.0), (0.25, -2.0, 90.0)),
        {"kind": "delay", "duration": 1.0},
        pulse(180, 90, duration=0.5),
        {"kind": "delay", "duration": 3.0},
    ]
    blocks = sequences.validate_python({"kind": "custom", "elements": elements}).timeline
    assert [block.start for block in blocks] == pytest.approx([0.0, 0.0, 2.0, 2.5, 2.75, 3.75, 4.25])
    assert [block.duration for block in blocks] == pytest.approx([0.0, 2.0, 0.5, 0.25, 1.0, 0.5, 3.0])
    for one, following in pairwise(blocks):
        assert following.start == pytest.approx(one.start + one.duration)
    assert np.isnan(blocks[0].amplitude)
    assert [block.amplitude for block in blocks[1:]] == pytest.approx([0.0, 1.0, -2.0, 0.0, 1.0, 0.0])
    assert [block.phase for block in blocks] == [0.0, 0.0, 10.0, 90.0, 0.0, 90.0, 0.0]
    assert [block.label for block in blocks] == ["90x", "", "shaped[2] (0.75 us)", "", "", "180y (0.5 us)", ""]


@pytest.mark.parametrize("name", OUTLINES)
def test_the_timeline_of_a_textbook_sequence_starts_with_its_first_pulse_and_ends_with_its_last_delay(name):
    sequence, _, waits, _ = OUTLINES[name]
    blocks = sequence.timeline
    assert (blocks[0].start, blocks[0].duration) == (0.0, 0.0)
    assert blocks[-1].start + blocks[-1].duration == pytest.approx(sum(waits))


angles = st.floats(-400, 400)
times = st.floats(1e-3, 1e3)
named = st.one_of(
    st.builds(Hahn, tau=times, theta1=angles, phi1=angles, theta2=angles, nutation=st.none() | times),
    st.builds(Cpmg, echo_spacing=times, n_echoes=st.integers(1, 9), theta2=angles, nutation=st.none() | times),
    st.builds(StimulatedEcho, tau=times, mixing=times, theta3=angles, phi2=angles),
    st.builds(InversionRecovery, recovery=times, acquisition=times, theta1=angles),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sequence=named)
def test_sequences_survive_plain_data_and_json_and_can_be_listed(sequence):
    assert sequences.validate_python(sequence.model_dump()) == sequence
    assert sequences.validate_json(sequence.model_dump_json()) == sequence
    listed = Custom(elements=sequence.parts, echo_times=sequence.expected_echoes)
    assert listed.timeline == sequence.timeline or any(np.isnan(block.amplitude) for block in listed.timeline)
    assert str(listed) == str(sequence)
    # Every echo lies within the sequence.
    end = sum(part.duration for part in sequence.parts[1:])
    assert all(0 < echo <= end * (1 + 1e-12) for echo in sequence.expected_echoes)


REFUSED = [
    (Hahn, {"kind": "hahn"}, r"^Key `tau` is missing \(us\)\.$"),
    (Hahn, {"tau": 3.0, "nutation": 0.0}, r"^Key `nutation` is 0\.0, but it must be greater than 0 \(MHz\)\.$"),
    (Hahn, {"tau": 3.0, "theta3": 90.0}, r"^Key `theta3` is not known\."),
    (Cpmg, {"echo_spacing": 3.0, "n_echoes": 2.5}, r"`n_echoes` is 2\.5, but it must be a valid integer"),
    (StimulatedEcho, {"tau": 3.0, "mixing": -1.0}, r"`mixing` is -1\.0, but it must be greater than 0"),
    (InversionRecovery, {"recovery": 3.0}, r"^Key `acquisition` is missing \(us\)\.$"),
    (Custom, {"elements": [pulse(90), shaped()]}, r"`elements\.1\.segments` is \[\], but it must have 1 or more"),
    (Custom, {"elements": [pulse(90, 0, -0.1)]}, r"`elements\.0\.duration` is -0\.1, but it must be greater than or"),
    (
        Custom,
        {"elements": [shaped((0.0, 1.0, 0.0))]},
        r"`elements\.0\.segments\.0\.duration` is 0\.0, but it must be greater than 0",
    ),
    (Custom, {"elements": [pulse(float("nan")), delay(3)]}, r"`elements\.0\.theta` is nan, .* a finite number"),
    (Custom, {"elements": [pulse(90), delay(0)]}, r"`elements`: it must hold a delay"),
    (Custom, {"elements": [delay(3), pulse(90)]}, r"`elements`: it must start with a pulse"),
    (Custom, {"elements": [pulse(90), delay(3)], "echo_times": [-1.0]}, r"`echo_times\.0` is -1\.0, but it must be"),
]


@pytest.mark.parametrize(("model", "values", "match"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_bad_sequences_are_refused_with_a_sentence(model, values, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(model, values)
