"""That a drawn sequence shows what the sequence says."""

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from nmr_platform.physics import Cpmg, Custom, Hahn, StimulatedEcho
from nmr_platform.plots import plot_sequence, plot_sequences
from nmr_platform.plots.style import INK

SEGMENTS = [{"duration": 1.0 + k, "amplitude": 0.1 * (-1) ** k, "phase": 100.0 * k} for k in range(5)]
SHAPED = Custom.model_validate(
    {
        "elements": [
            {"kind": "shaped", "segments": SEGMENTS},
            {"kind": "delay", "duration": 50.0},
            {"kind": "pulse", "theta": 180.0, "phi": -90.0, "duration": 4.0},
            {"kind": "delay", "duration": 90.0},
        ]
    }
)


def drawn(sequence, **options):
    figure = plot_sequence(sequence.timeline, **options)
    figure.draw_without_rendering()
    return figure.axes


def labels(ax):
    return [text.get_text() for text in ax.texts if text.get_text() and text.get_color() == INK]


def arrows(ax):
    return [text.xy[0] for text in ax.texts if not text.get_text()]


def boxes(ax):
    return [patch.get_data() for patch in ax.patches if isinstance(patch, StepPatch) and not patch.get_fill()]


def test_ideal_pulses_are_labelled_arrows_with_a_dot_at_their_phase():
    top, bottom = drawn(Hahn(tau=100.0))
    assert arrows(top) == [0.0, 100.0]
    assert labels(top) == ["90x", "180y"]
    assert bottom.lines[0].get_xydata().tolist() == [[0.0, 0.0], [100.0, 90.0]]
    assert boxes(top) == []
    assert list(top.get_yticks()) == []


def test_pulses_that_last_are_boxes_of_their_length_and_amplitude():
    top, bottom = drawn(Hahn(tau=100.0, nutation=0.05))
    assert arrows(top) == []
    assert [(b.values.tolist(), b.edges.tolist()) for b in boxes(top)] == [
        ([0.05], [0.0, 5.0]),
        ([0.05], [105.0, 115.0]),
    ]
    assert [b.values.tolist() for b in boxes(bottom)] == [[0.0], [90.0]]
    assert labels(top) == ["90x (5 µs)", "180y (10 µs)"]


def test_a_shaped_pulse_is_drawn_segment_by_segment_with_phases_in_one_turn():
    top, bottom = drawn(SHAPED)
    shape, refocusing = boxes(top)
    assert shape.edges.tolist() == [0.0, 1.0, 3.0, 6.0, 10.0, 15.0]
    assert shape.values == pytest.approx([0.1, -0.1, 0.1, -0.1, 0.1])
    assert refocusing.values == pytest.approx([0.125])
    assert [phase for b in boxes(bottom) for phase in b.values] == [0.0, 100.0, 200.0, 300.0, 40.0, 270.0]
    assert top.get_ylim()[0] < -0.1


@pytest.mark.parametrize("sequence", [Hahn(tau=100.0, nutation=0.25), SHAPED])
def test_short_pulses_get_room_and_times_stay_true(sequence):
    top, bottom = drawn(sequence)
    lasting = [b for b in sequence.timeline if b.amplitude != 0]
    pixels = [top.transData.transform([(b.start, 0), (b.start + b.duration, 0)])[:, 0] for b in lasting]
    assert sum(end - start for start, end in pixels) == pytest.approx(0.3 / 1.04 * top.bbox.width, rel=1e-6)
    assert bottom.get_xlabel() == "time, pulses drawn longer (µs)"
    named = dict(zip(bottom.get_xticks(), (t.get_text() for t in bottom.get_xticklabels()), strict=True))
    assert [float(text) for text in named.values()] == pytest.approx(list(named))
    assert len(named) > 2


def test_a_sequence_of_ideal_pulses_has_a_plain_time_axis():
    top, bottom = drawn(StimulatedEcho(tau=10.0, mixing=200.0))
    pixels = top.transData.transform([(t, 0) for t in (0.0, 50.0, 100.0)])[:, 0]
    assert pixels[2] - pixels[1] == pytest.approx(pixels[1] - pixels[0])
    assert bottom.get_xlabel() == "time (µs)"


def test_the_pulses_of_a_train_share_a_label_and_so_do_its_echoes():
    train = Cpmg(echo_spacing=40.0, n_echoes=8)
    top, _ = drawn(train, echo_times=train.expected_echoes)
    assert labels(top) == ["90x", "180y × 8"]
    dashed = [line.get_xdata()[0] for line in top.lines if line.get_linestyle() == "--"]
    assert dashed == pytest.approx(np.arange(1, 9) * 40.0)
    assert [text.get_text() for text in top.texts].count("echo × 8") == 1


def test_labels_that_would_meet_stand_above_each_other():
    top, _ = drawn(StimulatedEcho(tau=2.0, mixing=200.0))
    named = [text for text in top.texts if text.get_text()]
    spans = [text.get_window_extent() for text in named]
    assert len(named) == 3
    assert not any(a.overlaps(b) for k, a in enumerate(spans) for b in spans[:k])


def test_several_sequences_have_a_time_axis_each():
    figure = plot_sequences({"short": (Hahn(tau=10.0).timeline, [20.0]), "long": (Hahn(tau=100.0).timeline, [])})
    figure.draw_without_rendering()
    tops = figure.axes[::2]
    assert [ax.get_title(loc="right") for ax in tops] == ["short", "long"]
    assert [arrows(ax) for ax in tops] == [[0.0, 10.0], [0.0, 100.0]]
    assert [round(ax.get_xlim()[1]) for ax in tops] == [31, 306]
