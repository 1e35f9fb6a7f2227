"""That figures show the numbers they were given."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.patches import Rectangle

from nmr_platform.plots import (
    plot_confusion,
    plot_confusion_by_bin,
    plot_echoes,
    plot_importances_over_echo,
    plot_parity,
    plot_search_history,
    plot_top_importances,
    read_picture,
    save,
)


def test_confusion_shows_shares_of_the_true_class_and_counts():
    figure = plot_confusion([[30, 10], [0, 0]], ["power", "other"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75%\n30", "25%\n10", "none", "none"]


@pytest.mark.parametrize("dtype", [int, float])
def test_counts_read_as_whole_numbers_whatever_they_are_held_in(dtype):
    counts = np.array([[1209, 0], [0, 3]], dtype=dtype)
    for figure in (plot_confusion(counts, ["a", "b"]), plot_confusion_by_bin([counts], [0.1, 0.3], ["a", "b"])):
        assert [text.get_text().split("\n")[1] for text in figure.axes[0].texts] == ["1,209", "0", "0", "3"]


def test_confusion_by_bin_names_the_range_of_w():
    figure = plot_confusion_by_bin([[[3, 1], [0, 4]], [[0, 0], [0, 0]]], [0.1, 0.15, 0.3], ["a", "b"])
    titles = [ax.get_title(loc="left") for ax in figure.axes[:2]]
    assert titles == ["W 0.1 to 0.15 MHz\naccuracy 88%, n = 8", "W 0.15 to 0.3 MHz\nn = 0"]


def test_parity_thins_its_intervals_and_says_so():
    true = np.linspace(0, 1, 500)
    figure = plot_parity(true, true, lower=true - 0.1, upper=true + 0.1, name="W", unit="MHz")
    (bars,) = figure.axes[0].collections
    assert len(bars.get_segments()) == 60
    assert bars.get_label() == "prediction interval (60 of 500 shown)"


def test_powers_of_a_bin_are_added_up():
    table = pd.DataFrame(
        {
            "name": ["4_1_1", "4_1_0", "4_2_1", "4_2_0"],
            "component": "abs",
            "start": [0.0, 0.0, 5.0, 5.0],
            "stop": [5.0, 5.0, 10.0, 10.0],
            "power": [1, 0, 1, 0],
            "importance": [0.1, 0.2, 0.3, 0.4],
        }
    )
    time = np.linspace(0, 10, 50)
    drawn = plot_importances_over_echo(time, time, table)
    assert sum(isinstance(patch, Rectangle) for patch in drawn.axes[1].patches) == 2
    # The colour scale ends at the largest importance drawn.
    assert drawn.axes[-1].get_ylim()[1] == pytest.approx(0.7)


def test_overlapping_features_become_a_density_that_keeps_their_sum():
    table = pd.DataFrame(
        {
            "name": ["a", "b", "c"],
            "component": ["abs", "abs", "abs"],
            "start": [0.0, 2.0, -1.0],
            "stop": [4.0, 6.0, 1.0],
            "axis": ["time", "time", "frequency"],
            "importance": [0.4, 0.2, 0.3],
        }
    )
    time = np.linspace(0, 10, 50)
    _, in_time, in_frequency = plot_importances_over_echo(time, time, table).axes
    for ax, heights, edges in (
        (in_time, [0.1, 0.15, 0.05], [0, 2, 4, 6]),
        (in_frequency, [0.15], [-1, 1]),
    ):
        (drawn,) = ax.patches
        np.testing.assert_allclose(drawn.get_data().values, heights)
        np.testing.assert_allclose(drawn.get_data().edges, edges)
    assert [ax.get_xlim() for ax in (in_time, in_frequency)] == [(0, 6), (-1, 1)]
    assert [ax.get_xlabel() for ax in (in_time, in_frequency)] == ["time (µs)", "frequency (MHz)"]


def test_top_importances_are_sorted_and_cut():
    table = pd.DataFrame({"name": ["a", "b", "c"], "importance": [0.2, 0.5, 0.3]})
    (ax,) = plot_top_importances(table, top=2).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["c", "b"]


@pytest.mark.parametrize(("maximise", "expected"), [(True, [0.5, 0.5, 0.7]), (False, [0.5, 0.4, 0.4])])
def test_history_keeps_the_best_so_far(maximise, expected):
    figure = plot_search_history([0.5, 0.4, 0.7], baseline=0.6, label="score", maximise=maximise)
    best = figure.axes[0].lines[1]
    assert list(best.get_ydata()) == expected


def spots(figure, path):
    save(figure, path)
    return json.loads(read_picture(path).spots)


def test_a_file_says_where_its_marks_are(tmp_path):
    figure = plot_parity(
        [0.1, 0.3], [0.15, 0.25], lower=[0.1, 0.2], upper=[0.2, 0.3], name="W", unit="MHz", curves=["a 1", "a 2"]
    )
    found = spots(figure, tmp_path / "parity.png")
    top, bottom = figure.axes
    width, height = figure.bbox.width, figure.bbox.height
    for number, (left, upper, right, lower, text) in enumerate(found[:2]):
        x, y = top.transData.transform([(0.1, 0.15), (0.3, 0.25)][number])
        assert (left, upper) == (right, lower) == pytest.approx((x / width, 1 - y / height), abs=1e-4)
        assert text.startswith(f"a {number + 1}\ntrue {[0.1, 0.3][number]}, predicted ")
    assert "interval 0.1 to 0.2" in found[0][4]
    assert all(1 - bottom.get_position().y1 <= upper <= 1 for _, upper, _, _, _ in found[2:])


def test_a_figure_without_marks_says_nothing(tmp_path):
    save(plot_search_history([0.5], baseline=0.6, label="score"), tmp_path / "history.png")
    assert read_picture(tmp_path / "history.png").spots == ""


def test_a_step_names_the_features_that_lie_over_it(tmp_path):
    table = pd.DataFrame(
        {"name": list("abcde"), "component": "abs", "start": [0.0, 2, 2, 2, 2], "stop": [4.0, 6, 6, 6, 6]}
    ).assign(importance=[0.4, 0.05, 0.3, 0.2, 0.1])
    time = np.linspace(0, 10, 50)
    told = [text for *_, text in spots(plot_importances_over_echo(time, time, table), tmp_path / "figure.png")]
    assert told == [
        "0 to 2 µs\na: 0.4",
        "2 to 4 µs\na: 0.4\nc: 0.3\nd: 0.2\nand 2 more",
        "4 to 6 µs\nc: 0.3\nd: 0.2\ne: 0.1\nand 1 more",
    ]


def test_curves_in_an_order_go_from_light_to_dark():
    (ax,) = plot_echoes(np.arange(3), np.ones((4, 3)), list("abcd"), ordered=True).axes
    lightness = [rgb_to_hsv(to_rgb(line.get_color()))[2] for line in ax.lines]
    assert lightness == sorted(lightness, reverse=True)
    assert len(set(lightness)) == 4
