"""Sequences on the time grid: sample times, rounding, and what the receiver keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.physics import Cpmg, Custom, Delay, Hahn, Pulse, Receiver, Recording, Segment, ShapedPulse
from tests.builders import UNIT_STEP, delay, experiment, pulse

ALL = Receiver()


def lengths(recording):
    """Steps of the delays in order."""
    return [part for part in recording.schedule if isinstance(part, int)]


def test_the_august_2021_record_has_1884_samples_and_its_echo_at_1256():
    record = experiment(sequence={"kind": "hahn", "tau": 100.0})
    assert lengths(record.recording) == [628, 628, 628]
    assert record.n_samples == 1884
    assert record.echo_indices == (1256,)
    assert record.time.shape == (1884,)
    assert record.time[0] == 0
    assert np.allclose(record.time, np.arange(1884) * UNIT_STEP, rtol=1e-13)


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


def test_a_stimulated_echo_and_an_inversion_recovery_have_their_samples():
    stimulated = experiment(step=1.0, sequence={"kind": "stimulated", "tau": 5.0, "mixing": 12.0})
    assert lengths(stimulated.recording) == [5, 12, 5, 5]
    assert stimulated.echo_indices == (22,)
    recovery = experiment(step=1.0, sequence={"kind": "inversion_recovery", "recovery": 9.0, "acquisition": 4.0})
    assert recovery.time.tolist() == list(range(13))
    assert recovery.echo_indices == ()


def test_a_custom_sequence_keeps_its_order_and_expects_the_echoes_it_names():
    elements = [pulse(60), delay(5), pulse(120, 90), delay(0), pulse(10, 45), delay(8)]
    record = experiment(sequence={"kind": "custom", "elements": elements, "echo_times": [10 * UNIT_STEP]})
    schedule = record.recording.schedule
    assert [part if isinstance(part, int) else part.theta for part in schedule] == [60, 5, 120, 0, 10, 8]
    assert record.echo_indices == (10,)
    assert experiment(sequence={"kind": "custom", "elements": elements}).echo_indices == ()


def test_an_echo_may_be_expected_at_the_very_end_of_the_record():
    # Sums of the delays differ from the user's own sum by rounding.
    elements = [pulse(60), {"kind": "delay", "duration": 0.1}, pulse(90), {"kind": "delay", "duration": 0.7}]
    for end in (0.8, 0.1 + 0.7):
        values = {"kind": "custom", "elements": elements, "echo_times": [end]}
        assert experiment(step=0.1, sequence=values).echo_indices == (7,)


def test_pulses_that_last_shift_the_times_after_them_but_the_first():
    sequence = Custom(
        elements=[
            Pulse(theta=90.0, duration=5.0),
            Delay(duration=3.0),
            ShapedPulse(segments=[Segment(duration=d, amplitude=0.1) for d in (0.3, 0.4)]),
            Delay(duration=2.0),
            Pulse(theta=180.0, duration=0.25),
            Pulse(theta=180.0),
            Delay(duration=2.0),
        ]
    )
    recording = Recording.of(sequence, ALL, 1.0)
    assert recording.times == pytest.approx([0, 1, 2, 3, 4.7, 5.7, 6.95])
    assert recording.end == pytest.approx(3 + 0.7 + 2 + 0.25 + 2)
    assert recording.n_steps == 7


def test_rounded_delays_and_exact_pulses_make_the_grid_that_echoes_are_looked_up_on():
    train = Cpmg(echo_spacing=5.2, n_echoes=2, nutation=0.5)
    recording = Recording.of(train, ALL, 1.0)
    # Half a spacing is 2.6, which rounds to 3; 180 degrees last 1 us.
    assert lengths(recording) == [3] * 5
    assert [recording.on_grid(echo) for echo in train.expected_echoes] == pytest.approx([7.0, 14.0])
    values = experiment(step=1.0, sequence=train.model_dump())
    assert values.time[list(values.echo_indices)] == pytest.approx([7.0, 14.0])
    assert recording.on_grid(0.0) == 0.0
    assert recording.on_grid(1.3) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("dead_time", "kept"),
    [
        (0.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (1.0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (1.5, [2, 3, 4, 6, 7, 8, 9, 10, 11]),
        (4.0, [4, 8, 9, 10, 11]),
        (4.1, [9, 10, 11]),
    ],
)
def test_dead_time_runs_from_the_end_of_every_pulse(dead_time, kept):
    # Samples 0 to 4 lie before the second pulse, the last of them on its beginning.
    assert Recording.of(Hahn(tau=4.0), Receiver(dead_time=dead_time), 1.0).kept.tolist() == kept
    finite = Recording.of(Hahn(tau=4.0, nutation=0.1), Receiver(dead_time=dead_time), 1.0)
    assert finite.kept.tolist() == kept


def test_dead_time_runs_on_over_delays_that_follow_each_other():
    waits = [Delay(duration=length) for length in (3.0, 4.0, 2.0)]
    assert Recording.of(Custom(elements=(Pulse(theta=90), *waits)), Receiver(dead_time=7.5), 1.0).kept.tolist() == [8]


def test_dead_time_of_whole_steps_is_not_lost_to_rounding():
    for steps in range(1, 40):
        recording = Recording.of(Hahn(tau=60 * UNIT_STEP), Receiver(dead_time=steps * UNIT_STEP), UNIT_STEP)
        assert recording.kept[0] == steps
        assert recording.kept.size == 180 - steps - (steps - 1)


@pytest.mark.parametrize("every", [1, 2, 5, 11])
def test_every_counts_samples_from_the_first_whether_they_live_or_not(every):
    whole = Recording.of(Hahn(tau=4.0), Receiver(dead_time=1.5), 1.0).kept
    kept = Recording.of(Hahn(tau=4.0), Receiver(dead_time=1.5, every=every), 1.0).kept
    assert kept.tolist() == [k for k in whole if k % every == 0]


durations = st.floats(0.0, 30.0)
elements = st.one_of(
    st.builds(Delay, duration=durations),
    st.builds(Pulse, theta=st.just(90.0), duration=st.sampled_from([0.0, 0.3, 2.0])),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    parts=st.lists(elements, min_size=1, max_size=7),
    step=st.floats(0.2, 3.0),
    dead_time=st.floats(0, 5),
    every=st.integers(1, 4),
)
def test_any_sequence_has_a_sample_at_the_start_and_one_a_step_but_the_last(parts, step, dead_time, every):
    sequence = Custom(elements=[Pulse(theta=90.0), *parts, Delay(duration=10.0)])
    recording = Recording.of(sequence, Receiver(dead_time=dead_time, every=every), step)
    assert recording.n_steps == sum(lengths(recording)) == recording.times.size
    assert recording.times[0] == 0
    assert (np.diff(recording.times) >= step * (1 - 1e-9)).all()
    assert recording.times[-1] + step == pytest.approx(recording.rounded[-1])
    assert recording.end == pytest.approx(sum(part.duration for part in sequence.parts))
    assert set(recording.kept) <= set(range(0, recording.n_steps, every))
    assert np.abs(recording.nominal - recording.rounded).max() <= step / 2 * (len(parts) + 1) + 1e-9
    assert recording.on_grid(recording.end) == pytest.approx(recording.rounded[-1])
