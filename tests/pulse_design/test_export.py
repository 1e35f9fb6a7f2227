"""Sequences in the formats of others."""

import csv
import io
import re

import numpy as np
import pytest
import yaml

from nmr_platform.physics import Cpmg, Custom, Experiment, Hahn, Pulse, Segment, ShapedPulse
from nmr_platform.pulse_design.export import bruker_shape, plain_yaml, shape_files, timeline_csv
from tests.builders import experiment, shaped


def points(text):
    body = text[text.index("##XYPOINTS= (XY..XY)\n") : text.index("##END=")].splitlines()[1:]
    return np.array([[float(number) for number in line.split(",")] for line in body])


def header(text, name):
    return re.search(rf"(?m)^##\$?{name}= (.*)$", text)[1]


def test_a_shape_has_amplitudes_in_percent_and_phases_from_0_to_360():
    pulse = ShapedPulse(
        segments=[
            Segment(duration=1.0, amplitude=0.05, phase=-90.0),
            Segment(duration=2.0, amplitude=-0.1, phase=30.0),
        ]
    )
    text = bruker_shape(pulse, "tip")
    np.testing.assert_allclose(points(text), [[50, 270], [100, 210], [100, 210]], rtol=1e-6)
    assert header(text, "NPOINTS") == "3"
    assert "$$ length 3 us\n$$ 100 % is a nutation frequency of 100000 Hz" in text


@pytest.mark.parametrize("theta", [30.0, 90.0, 180.0])
def test_the_total_rotation_of_a_rectangular_pulse_is_its_flip_angle(theta):
    text = bruker_shape(Pulse(theta=theta, phi=90.0, duration=4.0), "hard")
    assert float(header(text, "SHAPE_TOTROT")) == pytest.approx(theta)
    assert points(text).tolist() == [[100.0, 90.0]]


def test_pieces_of_incommensurate_length_are_cut_finely():
    pulse = ShapedPulse(segments=[Segment(duration=np.pi, amplitude=0.1), Segment(duration=1.0, amplitude=0.05)])
    sampled = points(bruker_shape(pulse, "odd"))
    assert len(sampled) == 1000
    assert (sampled[:, 0] == 100).mean() == pytest.approx(np.pi / (np.pi + 1), abs=1e-3)


def test_every_pulse_that_lasts_has_a_file_and_ideal_ones_have_none():
    assert shape_files(Hahn(tau=1.0)) == {}
    assert list(shape_files(Cpmg(echo_spacing=4.0, n_echoes=2, nutation=1.0))) == [f"pulse{k}.shape" for k in (1, 2, 3)]


def test_a_table_has_a_line_a_pulse_piece_and_delay_that_follow_each_other():
    sequence = Custom.model_validate(
        {
            "elements": [
                shaped((1.0, 0.125, 0.0), (1.0, 0.25, 90.0)),
                {"kind": "delay", "duration": 5.0},
                {"kind": "pulse", "theta": 180.0, "phi": 90.0},
                {"kind": "delay", "duration": 5.0},
            ]
        }
    )
    rows = list(csv.DictReader(io.StringIO(timeline_csv(sequence))))
    starts = [float(row["start_us"]) for row in rows]
    assert starts == [0.0, 1.0, 2.0, 7.0, 7.0]
    assert [float(row["flip_angle_deg"]) for row in rows] == [45.0, 90.0, 0.0, 180.0, 0.0]
    assert [row["amplitude_MHz"] for row in rows] == ["0.125", "0.25", "0", "", "0"]


def test_an_experiment_comes_back_from_its_yaml():
    before = experiment(sequence={"kind": "cpmg", "echo_spacing": 2.0, "n_echoes": 2})
    assert Experiment.model_validate(yaml.safe_load(plain_yaml(before))) == before
