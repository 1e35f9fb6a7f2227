"""Noise, dead time and decimation of the record."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Echo, simulate
from nmr_platform.physics import GaussianLine
from tests.builders import UNIT_STEP, delay, experiment, pulse
from tests.simulation.systems import free_decay, record

SIGMA = 0.02
LONG = {"sequence": free_decay(4000), "lattice": {"shape": [2, 2]}}


def noise_of(seed=0, noise_seed=None, dtype="float64", **changes):
    """What the receiver added to the record."""
    settings, seeds = LONG | changes, {"seed": seed, "noise_seed": noise_seed}
    noisy, clean = (
        simulate(experiment(receiver={"noise": sigma}, **settings), dtype=dtype, **seeds) for sigma in (SIGMA, 0.0)
    )
    assert np.array_equal(noisy.m_z, clean.m_z)
    assert noisy.m.dtype == clean.m.dtype
    return noisy.m - clean.m


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_has_the_given_deviation_on_each_component(dtype):
    noise = noise_of(dtype=dtype)
    for part in (noise.real, noise.imag):
        assert part.std() == pytest.approx(SIGMA, rel=5 / np.sqrt(2 * 4000))
        assert part.mean() == pytest.approx(0, abs=5 * SIGMA / np.sqrt(4000))
        # White: neighbours do not know of each other.
        assert abs(np.corrcoef(part[1:], part[:-1])[0, 1]) < 5 / np.sqrt(4000)
    assert abs(np.corrcoef(noise.real, noise.imag)[0, 1]) < 5 / np.sqrt(4000)


def test_noise_follows_the_seed_of_the_disorder_by_default():
    assert np.array_equal(noise_of(seed=3), noise_of(seed=3))
    assert not np.allclose(noise_of(seed=3), noise_of(seed=4), atol=SIGMA)


def test_noise_has_a_seed_of_its_own():
    one, again, other = noise_of(3, noise_seed=8), noise_of(3, noise_seed=8), noise_of(3, noise_seed=9)
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one.real, other.real)[0, 1]) < 5 / np.sqrt(4000)
    sequence = np.random.SeedSequence(5, spawn_key=(1, 2))
    assert np.array_equal(noise_of(3, noise_seed=sequence), noise_of(3, noise_seed=sequence))


def test_noise_does_not_depend_on_the_disorder():
    assert np.allclose(noise_of(3, noise_seed=8), noise_of(4, noise_seed=8), atol=1e-15)


def test_noise_is_not_the_disorder_in_disguise():
    # The same integer seeds both, but through different children.
    offsets = GaussianLine(fwhm=0.1, bandwidth=1.0).draw(4000, np.random.default_rng(6)).offsets
    for part in (noise_of(6).real, noise_of(6).imag):
        assert abs(np.corrcoef(part, offsets)[0, 1]) < 5 / np.sqrt(4000)


def test_noise_is_the_draw_of_the_second_child_of_the_seed():
    real, imaginary = np.random.default_rng(np.random.SeedSequence(6, spawn_key=(1,))).standard_normal((2, 4000))
    assert np.allclose(noise_of(6), SIGMA * (real + 1j * imaginary), atol=1e-15)


def test_noise_is_that_of_the_averaged_record_however_long_the_phase_cycle():
    cycle = [{"pulses": [0.0]}, {"pulses": [180.0], "receiver": 180.0}]
    assert np.std(noise_of(phase_cycle=cycle).real) == pytest.approx(SIGMA, rel=5 / np.sqrt(2 * 4000))


SEQUENCES = {
    "hahn": {"kind": "hahn", "tau": 20 * UNIT_STEP},
    "finite cpmg": {"kind": "cpmg", "echo_spacing": 12 * UNIT_STEP, "n_echoes": 3, "nutation": 0.5},
}


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_every_kth_sample_is_a_slice_of_the_record(every, sequence):
    full, thinned = (
        simulate(experiment(sequence=SEQUENCES[sequence], receiver={"every": k}), dtype="float64") for k in (1, every)
    )
    assert np.array_equal(thinned.time, full.time[::every])
    assert np.array_equal(record(thinned), record(full)[::every])


# Ends of the pulses, us. Those of the train last 1 us, and delays of 6 steps lie before and after each.
PULSE_ENDS = {
    "hahn": [0.0, 20 * UNIT_STEP],
    "finite cpmg": [0.0, *(6 * UNIT_STEP + 1 + n * (12 * UNIT_STEP + 1) for n in range(3))],
}


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("dead", [1, 2.5, 5])
def test_samples_within_the_dead_time_of_any_pulse_are_dropped(dead, sequence):
    full, cut = (
        simulate(experiment(sequence=SEQUENCES[sequence], receiver={"dead_time": t}), dtype="float64")
        for t in (0.0, dead * UNIT_STEP)
    )
    since = np.array([min((t - end for end in PULSE_ENDS[sequence] if t > end + 1e-9), default=0.0) for t in full.time])
    live = since >= dead * UNIT_STEP - 1e-9
    assert np.array_equal(cut.time, full.time[live])
    assert np.array_equal(record(cut), record(full)[live])
    assert 0 < live.sum() < live.size


def test_a_sample_at_the_beginning_of_a_pulse_counts_as_before_it():
    values = experiment(sequence=SEQUENCES["hahn"], receiver={"dead_time": 3 * UNIT_STEP})
    steps = np.rint(values.time / UNIT_STEP).astype(int)
    assert steps.tolist() == [*range(3, 21), *range(23, 60)]


@pytest.mark.parametrize("receiver", [{"every": 4}, {"dead_time": 3 * UNIT_STEP}, {"dead_time": 0.8, "every": 3}])
def test_echo_indices_point_at_the_echo_in_what_is_kept(receiver):
    full, part = (experiment(sequence=SEQUENCES["finite cpmg"], receiver=r) for r in ({}, receiver))
    for index, at in zip(part.echo_indices, full.echo_indices, strict=True):
        assert part.time[index] == pytest.approx(full.time[at], abs=receiver.get("every", 1) / 2 * UNIT_STEP + 1e-9)


def test_pulses_without_a_delay_between_them_share_their_dead_time():
    elements = [pulse(90), delay(4), pulse(180, 90), pulse(10), delay(6)]
    values = experiment(sequence={"kind": "custom", "elements": elements}, receiver={"dead_time": 2 * UNIT_STEP})
    assert np.rint(values.time / UNIT_STEP).tolist() == [2, 3, 4, 6, 7, 8, 9]


TRAIN = {"kind": "cpmg", "echo_spacing": 20 * UNIT_STEP, "n_echoes": 3}


@pytest.mark.parametrize("receiver", [{}, {"every": 2}])
def test_echoes_of_a_train_are_stacked_about_their_centres(receiver):
    echo = simulate(experiment(sequence=TRAIN, receiver=receiver))
    centres = [20, 40, 60] if not receiver else [10, 20, 30]
    assert echo.echo_indices == tuple(centres)
    stack = echo.stacked(5)
    assert stack.shape == (3, 10)
    assert stack.dtype == echo.m.dtype
    for row, centre in zip(stack, centres, strict=True):
        assert np.array_equal(row, echo.m[centre - 5 : centre + 5])
        assert row[5] == echo.m[centre]


def test_the_widest_stack_reaches_from_end_to_end():
    echo = simulate(experiment(sequence=TRAIN))
    assert echo.m.size == 70
    assert echo.stacked(10)[-1].tolist() == echo.m[50:70].tolist()


@pytest.mark.parametrize("half_width", [0, -3, 11, 25])
def test_a_stack_that_reaches_outside_the_record_is_refused(half_width):
    echo = simulate(experiment(sequence=TRAIN))
    match = rf"`half_width` must keep the windows .* 20 to 60.* but is {half_width}\.$"
    with pytest.raises(ConfigurationError, match=match):
        echo.stacked(half_width)


def test_a_record_without_echoes_cannot_be_stacked():
    echo = Echo(np.arange(4.0), np.zeros(4, complex), np.zeros(4))
    with pytest.raises(ConfigurationError, match=r"`half_width` must keep the windows around the echoes"):
        echo.stacked(1)
