"""That figures show the numbers they were given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from nmr_platform.plots import (
    plot_confusion,
    plot_confusion_by_bin,
    plot_importances_over_echo,
    plot_parity,
    plot_search_history,
    plot_top_importances,
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
