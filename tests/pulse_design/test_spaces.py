"""Search spaces: what varies, what follows, what is forbidden."""

import numpy as np
import optuna
import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Cpmg, Experiment, Hahn
from nmr_platform.pulse_design import SearchSpace, SequenceSet, named_sequence
from nmr_platform.pulse_design.spaces import Waveform
from nmr_platform.schema import validate
from tests.builders import experiment_values
from tests.pulse_design.searching import FLIPS, FREE, hahn

BASE = Hahn(tau=2.0).model_dump(mode="json")
SHAPE = {"kind": "waveform", "duration": 4.0, "points": 4, "amplitude": {"low": 0.0, "high": 0.1}}
SPLINE = SHAPE | {"basis": "b_spline", "points": 5, "segments": 16, "phase": {"low": -90.0, "high": 90.0}}


def uniform(low, high):
    return {"kind": "uniform", "low": low, "high": high}


def space(*sequences, **limits):
    return validate(SearchSpace, {"sequences": list(sequences), "limits": limits}).of(BASE)


def three_pulses(first):
    delay = {"kind": "delay", "duration": 10.0}
    refocus = {"kind": "pulse", "theta": 180.0, "phi": 90.0}
    return {"kind": "custom", "elements": [first, delay, refocus, delay, delay, refocus, delay, delay]}


SPACES = {
    "hahn": space({"vary": FLIPS}),
    "two flips bound": space(
        {"vary": {"theta1": uniform(20, 90), "theta2": {"kind": "expression", "value": "2*theta1"}}}
    ),
    "stimulated": space(
        {
            "sequence": {"kind": "stimulated", "tau": 5.0, "mixing": 10.0},
            "vary": {
                "tau": uniform(2, 8),
                "mixing": {"kind": "log_uniform", "low": 1.0, "high": 20.0},
                "phi2": uniform(0, 360),
            },
        }
    ),
    "cpmg": space(
        {
            "sequence": {"kind": "cpmg", "echo_spacing": 10.0, "n_echoes": 2, "nutation": 0.25},
            "vary": {"n_echoes": {"kind": "choice", "values": [1, 2, 4]}, "echo_spacing": uniform(4, 20)},
        }
    ),
    "three pulses": space(
        {
            "sequence": three_pulses({"kind": "pulse", "theta": 90.0}),
            "vary": {
                "elements.0.theta": uniform(10, 90),
                "elements.1.duration": uniform(5, 9),
                "elements.3.duration": {"kind": "expression", "value": "2 * elements_1_duration"},
            },
        }
    ),
    "waveform": space({"sequence": three_pulses(SHAPE)}),
    "spline": space({"sequence": three_pulses(SPLINE), "vary": {"elements.0.duration": uniform(2, 8)}}),
    "two sequences": space({"vary": FLIPS}, {"name": "late", "vary": {"tau": uniform(1, 4)}}),
}


def drawn(chosen, n=5):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [chosen.suggest(study.ask()) for _ in range(n)]


@pytest.mark.parametrize("name", SPACES)
def test_what_is_drawn_can_be_built_and_simulated(name):
    for values in drawn(SPACES[name]):
        assert values.keys() == SPACES[name].searched.keys()
        tried = SPACES[name].build(values)
        assert tried.duration > 0
        for sequence in tried.sequences.values():
            assert Experiment.model_validate(experiment_values(sequence=sequence)).echo_indices


def test_a_free_structure_has_the_parameters_of_its_own_pulses_and_can_be_simulated():
    chosen = space({"free": FREE})
    counts = set()
    for values in drawn(chosen, 20):
        n = values["pulses"]
        delays = {f"delay{k}" for k in range(1, max(n, 2))}
        own = {f"theta{k}" for k in range(1, n + 1)} | {f"phi{k}" for k in range(2, n + 1)} | delays
        assert values.keys() == {"pulses"} | own
        assert {values[key] for key in own if key.startswith("phi")} <= {0.0, 90.0, 180.0, 270.0}
        sequence = chosen.build(values).first
        assert len(sequence.pulses) == n
        simulated = Experiment.model_validate(experiment_values(sequence=sequence))
        assert bool(simulated.echo_indices) == (n > 1)
        counts.add(n)
    assert counts == {1, 2, 3, 4}


def test_the_textbook_s_echo_is_a_free_structure_of_two_pulses():
    values = {"pulses": 2, "theta1": 90.0, "delay1": 2.0, "theta2": 180.0, "phi2": 90.0}
    built, echo = space({"free": FREE}).build(values).first, Hahn(tau=2.0)
    assert (built.pulses, built.expected_echoes) == (echo.pulses, echo.expected_echoes)
    assert sum(part.duration for part in built.parts) == sum(part.duration for part in echo.parts)


@pytest.mark.parametrize("name", ["hahn", "two flips bound", "stimulated", "cpmg"])
def test_a_named_sequence_is_found_again_where_it_was_built(name):
    for values in drawn(SPACES[name]):
        built = SPACES[name].build(values)
        assert SPACES[name].values_of(built.first) == pytest.approx(values)


def test_a_sequence_that_the_space_does_not_hold_has_no_values():
    assert SPACES["hahn"].values_of(Cpmg(echo_spacing=2.0, n_echoes=1)) is None
    assert SPACES["hahn"].values_of(Hahn(tau=3.0)) is None
    assert SPACES["two flips bound"].values_of(Hahn(tau=2.0, theta1=60.0, theta2=180.0)) is None
    assert SPACES["two flips bound"].values_of(Hahn(tau=2.0)) == {"theta1": 90.0}


def test_what_follows_from_others_follows():
    sequence = SPACES["three pulses"].build({"elements.0.theta": 45.0, "elements.1.duration": 7.0}).first
    assert [part.duration for part in sequence.parts if part.kind == "delay"] == [7.0, 14.0, 10.0, 10.0, 10.0]
    # Refocused 7 us after the second pulse, and again 17 us after the third.
    assert sequence.echo_times == (7.0 + 24.0 + 17.0,)


def test_parameters_of_several_sequences_begin_with_their_names():
    assert list(SPACES["two sequences"].searched) == ["s1.theta1", "s1.theta2", "late.tau"]
    both = SPACES["two sequences"].build({"s1.theta1": 70.0, "s1.theta2": 150.0, "late.tau": 3.0})
    assert both.sequences == {"s1": Hahn(tau=2.0, theta1=70.0, theta2=150.0), "late": Hahn(tau=3.0)}
    assert both.duration == pytest.approx(6.0 + 9.0)


def test_no_two_sequences_have_one_name():
    with pytest.raises(ConfigurationError, match="must name every sequence once, but has 's1' more than once"):
        space({"name": "s1", "vary": FLIPS}, {"name": "s1", "vary": FLIPS})


def test_a_set_of_sequences_comes_back_from_what_it_is_dumped_to():
    both = SPACES["two sequences"].build(drawn(SPACES["two sequences"], 1)[0])
    assert list(both.sequences) == ["s1", "late"]
    assert validate(SequenceSet, both.model_dump(mode="json")) == both


def test_a_piecewise_waveform_is_what_was_asked_for():
    shape = validate(Waveform, SHAPE)
    pulse = shape.pulse({f"amplitude.{k}": 0.02 * k for k in range(4)})
    assert [part["amplitude"] for part in pulse["segments"]] == [0.0, 0.02, 0.04, 0.06]
    assert {part["duration"] for part in pulse["segments"]} == {1.0}


def test_a_spline_stays_between_its_coefficients_and_is_constant_if_they_are_equal():
    shape = validate(Waveform, SPLINE)
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = rng.uniform(0, 0.1, 5)
        values = {f"amplitude.{k}": a for k, a in enumerate(points)} | {f"phase.{k}": 30.0 for k in range(5)}
        amplitudes = [part["amplitude"] for part in shape.pulse(values)["segments"]]
        assert points.min() - 1e-12 <= min(amplitudes) <= max(amplitudes) <= points.max() + 1e-12
        assert [part["phase"] for part in shape.pulse(values)["segments"]] == pytest.approx([30.0] * 16)


def test_the_slew_is_limited_from_below_and_from_and_to_zero():
    shape = validate(Waveform, SHAPE | {"points": 8, "max_slew": 0.02})
    rng = np.random.default_rng(0)
    for _ in range(20):
        asked = rng.uniform(0, 0.1, 8)
        got = np.array(
            [p["amplitude"] for p in shape.pulse({f"amplitude.{k}": a for k, a in enumerate(asked)})["segments"]]
        )
        assert (got <= asked + 1e-15).all()
        assert np.abs(np.diff([0.0, *got, 0.0])).max() <= 0.02 * 0.5 + 1e-12


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"time": 5.0}, "time 6 us is over the limit of 5 us"),
        ({"flip": 150.0}, "flip 180 degrees is over the limit of 150 degrees"),
        ({"time": 5.9, "flip": 90.0}, "flip 180 degrees"),
        ({"time": 6.0, "flip": 180.0, "drive": 0.1}, ""),
    ],
)
def test_the_worst_limit_is_named(limits, sentence):
    excess, said = space({"vary": FLIPS}, **limits).limits.excess(hahn())
    assert said.startswith(sentence)
    assert (excess > 0) == bool(sentence)


def test_the_drive_of_pulses_that_last_is_limited():
    driven = SequenceSet.of(Hahn(tau=2.0, nutation=0.2))
    assert space({"vary": FLIPS}, drive=0.1).limits.excess(driven)[0] == pytest.approx(1.0)
    assert driven.largest_flip == 180.0


@pytest.mark.parametrize("name", ["90/180", "62.5/130", "stimulated", "cpmg-4"])
def test_the_textbook_s_sequences_have_names(name):
    sequence = named_sequence(name, 30.0)
    assert sequence.expected_echoes
    assert (sequence == Hahn(tau=30.0)) == (name == "90/180")


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigurationError, match="must be stimulated, cpmg-<n> or <theta1>/<theta2>, but is 'magic'"):
        named_sequence("magic", 1.0)


@pytest.mark.parametrize(
    ("sequence", "sentence"),
    [
        ({"vary": {"theta9": uniform(1, 2)}}, "Key `sequence.theta9` is not known"),
        ({"vary": FLIPS | {"tau": {"kind": "expression", "value": "3 * mixing"}}}, "name `mixing` must be one of"),
        ({"sequence": three_pulses(SHAPE | {"points": 0})}, "Key `sequence.elements.0.points` is 0"),
        ({"sequence": three_pulses(SPLINE | {"points": 3})}, "must be more than 3"),
        ({"sequence": three_pulses(SHAPE | {"segments": 9})}, "Key `segments` must equal `points`"),
        ({"sequence": three_pulses(SHAPE | {"amplitude": {"low": -1.0, "high": 1.0}})}, "must not be negative"),
        ({"vary": {"tau": uniform(-3, -1)}}, "Key `sequence.tau` is -2"),
        ({"free": FREE, "vary": FLIPS}, "Key `free` must stand alone"),
        ({"free": FREE | {"delay": {"low": 0.0, "high": 3.0}}}, "Key `delay.low` must be positive, but is 0.0 us"),
        ({"free": FREE | {"phase_step": 100.0}}, "Key `phase_step` must divide 360 degrees, but is 100.0"),
        ({"free": FREE | {"pulses": [0]}}, "Key `sequences.0.free.pulses.0` is 0"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(sequence, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        space(sequence)
