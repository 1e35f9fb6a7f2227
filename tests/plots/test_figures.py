"""What every figure must fulfil, on ordinary and on awkward data."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import _pylab_helpers
from matplotlib.figure import Figure

from benchmarks.figures import plot_convergence, plot_phase_story, plot_twins
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Block
from nmr_platform.plots import (
    plot_confusion,
    plot_confusion_by_bin,
    plot_corner,
    plot_coverage_by_bin,
    plot_crps,
    plot_echoes,
    plot_expected_coverage,
    plot_importances_beside,
    plot_importances_over_echo,
    plot_parity,
    plot_polynomial_bars,
    plot_pulse_map,
    plot_ranks,
    plot_records,
    plot_reliability,
    plot_score_against,
    plot_search_history,
    plot_sequence,
    plot_sequences,
    plot_top_importances,
    save,
    style,
)

RNG = np.random.default_rng(11)
TIME = np.linspace(0, 300, 400)
ECHOES = 0.4 * np.exp(-np.abs(TIME - 200) / np.array([[6.0], [9.0], [14.0]]) + 0.5j)
TRUE = RNG.uniform(0.1, 0.3, 80)
PREDICTED = TRUE + RNG.normal(scale=0.02, size=80)
CONFUSION = np.array([[30, 4, 1], [0, 0, 0], [2, 3, 25]])
CLASSES = ["gaussian", "power", "rkky"]
FLIPS = RNG.uniform(20, 220, (2, 12))
NOISE = pd.DataFrame(
    {"sigma": [0.0, 1e-4, 1e-3], "value": [0.8, 0.7, 0.1], "lower": [0.7, 0.6, -0.1], "upper": [0.9, 0.8, 0.05]}
)
BINNED = NOISE.assign(w_low=[0.1, 0.2, 0.25], w_high=[0.2, 0.25, 0.3])
LEVELS = np.linspace(0.0, 1.0, 11)
RELIABILITY = pd.DataFrame(
    {
        "class": "a",
        "predicted": [0.1, 0.4, 0.9],
        "observed": [0.0, 0.5, 1.0],
        "lower": [0.0, 0.3, 0.7],
        "upper": [0.2, 0.7, 1.0],
        "n": [9, 5, 7],
    }
)

IDEAL = [Block(0.0, 0.0, np.nan, 0.0, "90x"), Block(0.0, 300.0, 0.0, 0.0, "")]
SHAPED = [
    *(Block(2.0 * k, 2.0, 0.02 * (k - 2), 100.0 * k, "shaped[9] (18 us)" if k == 0 else "") for k in range(9)),
    Block(18.0, 282.0, 0.0, 0.0, ""),
]


def samples(components=("abs",), axis="time"):
    edges = np.linspace(170, 230, 121)
    parts = [
        pd.DataFrame({"name": [f"{c}_{i}" for i in range(120)], "component": c, "start": edges[:-1], "stop": edges[1:]})
        for c in components
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(axis=axis, importance=RNG.exponential(size=len(table)))


def bins(components=("abs",), importance=None):
    rows = [
        {
            "name": f"{c}_{n}_{k}_{p}",
            "component": c,
            "start": 170 + 60 / n * k,
            "stop": 170 + 60 / n * (k + 1),
            "power": p,
        }
        for c in components
        for n in (4, 5, 10)
        for k in range(n)
        for p in (3, 2, 1, 0)
    ]
    table = pd.DataFrame(rows)
    return table.assign(importance=RNG.exponential(size=len(table)) if importance is None else importance)


def mixed():
    times = samples(("log",)).assign(power=pd.NA)
    return pd.concat(
        [bins(), times, samples(("abs",), axis="frequency").assign(power=pd.NA)], ignore_index=True
    ).fillna({"axis": "time"})


def over_echo(table, **options):
    return plot_importances_over_echo(TIME, np.abs(ECHOES).mean(axis=0), table, **options)


AXES = ("theta1 (degrees)", "theta2 (degrees)")


def pulse_map(theta1, theta2, score):
    return plot_pulse_map(
        theta1, theta2, score, best=(60, 120), baseline=(90, 180), label="R² of Z", axes=AXES, title="Search"
    )


TWINS = pd.DataFrame(
    {
        "exponent": [1.0, 3.0, 1.0, 3.0],
        "kernel": ["gaussian", "gaussian", "rkky", "rkky"],
        "accuracy": [0.5, 0.9, 0.6, 1.0],
        "lower": [0.45, 0.85, 0.55, 0.95],
        "upper": [0.55, 0.95, 0.65, 1.0],
    }
)
RECALL = pd.DataFrame(
    {"exponent_low": [1.0, 2.0], "exponent_high": [2.0, 3.0], "value": [0.4, 0.9], "lower": [0.3, 0.8], "upper": 1.0}
)
TWIN_CURVES = pd.DataFrame({"time": TIME, "power law": 0.1, "power law std": 0.01, "rkky": 0.12, "rkky std": 0.01})
TWIN_CURVES.attrs["exponent"] = 1.25


FIGURES = {
    "echoes": lambda: plot_echoes(TIME, ECHOES, ["a", "b", "c"], echo_time=200, title="Echoes"),
    "echo parts": lambda: plot_echoes(TIME, ECHOES, parts=True),
    "single curve": lambda: plot_echoes(TIME, ECHOES[0]),
    "echoes in order": lambda: plot_echoes(TIME, ECHOES, ["a", "b", "c"], ordered=True),
    "records of four": lambda: plot_records(dict.fromkeys("abcd", (TIME, ECHOES)), {}, title="x"),
    "records of one": lambda: plot_records({"uniform": (TIME, np.abs(ECHOES))}, {"uniform": 200.0}),
    "records of five": lambda: plot_records(dict.fromkeys("abcde", (TIME, ECHOES)), {}),
    "records": lambda: plot_records({"a": (TIME, ECHOES), "b": (TIME[:50], ECHOES[0, :50])}, {"a": 200.0}, title="x"),
    "parity": lambda: plot_parity(TRUE, PREDICTED, lower=TRUE - 0.1, upper=TRUE + 0.1, name="W", unit="MHz"),
    "parity of a constant": lambda: plot_parity([0.2, 0.2], [0.2, 0.2], name="W", unit="MHz", score_text="R² = 0"),
    "confusion": lambda: plot_confusion(CONFUSION, CLASSES, title="A class is missing"),
    "confusion by bin": lambda: plot_confusion_by_bin([CONFUSION, 0 * CONFUSION], [0.1, 0.2, 0.3], CLASSES, title="x"),
    "samples": lambda: over_echo(samples(), title="Pointwise"),
    "complex samples": lambda: over_echo(samples(("re", "im"))),
    "frequencies": lambda: over_echo(samples(axis="frequency")),
    "bins": lambda: over_echo(bins()),
    "bins of both components": lambda: over_echo(bins(("re", "im"))),
    "features of every kind": lambda: over_echo(mixed(), title="Combined"),
    "no importance": lambda: over_echo(bins(importance=0.0)),
    "no importance of samples": lambda: over_echo(samples().assign(importance=0.0)),
    "top": lambda: plot_top_importances(bins().assign(spread=0.1), top=20, title="Best"),
    "top of few": lambda: plot_top_importances(samples().head(2)),
    "phase story": lambda: plot_phase_story(
        [0.1, 0.4], [0.1, 0.5], [20.0, 60.0], [0.3, 0.9], [0.5, 1.0], label="R² of Z"
    ),
    "pulse map": lambda: pulse_map(*FLIPS, FLIPS.sum(axis=0)),
    "constant pulse map": lambda: pulse_map(*FLIPS, np.full(12, 0.5)),
    "pulse map on a line": lambda: pulse_map(FLIPS[0], 2 * FLIPS[0], FLIPS[0]),
    "failed trials": lambda: pulse_map([60, 90], [120, 180], [0.5, np.nan]),
    "history": lambda: plot_search_history([np.nan, 0.5, 0.4, 0.7], baseline=0.58, label="R² of Z", title="Search"),
    "single trial": lambda: plot_search_history([0.5], baseline=0.58, label="error", maximise=False),
    "sequence of ideal pulses": lambda: plot_sequence(IDEAL, title="Hahn", echo_times=[200.0]),
    "sequences": lambda: plot_sequences({"hahn": (IDEAL, [200.0]), "shaped": (SHAPED, [])}),
    "shaped pulse": lambda: plot_sequence(SHAPED),
    "pulses without delay": lambda: plot_sequence(SHAPED[:-1]),
    "convergence": lambda: plot_convergence(
        [0.1, 0.2, 0.4], {"euler": [1, 2, 4], "fast": [0.1, 0.4, 1.6]}, orders={"euler": 1.0}, floor=1e-3, title="x"
    ),
    "score against noise": lambda: plot_score_against(
        NOISE, "sigma", xlabel="noise (ħ per spin)", ylabel="R² of W", logarithmic=True, reference=0.8, title="x"
    ),
    "scores against exponent": lambda: plot_score_against(
        pd.concat([NOISE.assign(metric=name) for name in ("recall", "f1")]),
        "sigma",
        xlabel="exponent (number)",
        ylabel="R² of W",
    ),
    "coverage": lambda: plot_coverage_by_bin(BINNED, nominal=0.9, title="x"),
    "reliability": lambda: plot_reliability(
        pd.concat([RELIABILITY, RELIABILITY.assign(**{"class": "b"})]), text="3 %", title="x"
    ),
    "reliability of a point": lambda: plot_reliability(RELIABILITY.head(1)),
    "ranks": lambda: plot_ranks(
        pd.DataFrame({"low": [0.0, 0.5], "high": [0.5, 1.0], "n": [8, 12], "lower": 6, "upper": 14}), title="x"
    ),
    "expected coverage": lambda: plot_expected_coverage(
        pd.DataFrame({"level": LEVELS, "coverage": LEVELS**2, "lower": LEVELS - 0.1, "upper": LEVELS + 0.1}), title="x"
    ),
    "corner": lambda: plot_corner(
        pd.DataFrame({"W": LEVELS, "error": LEVELS**2}), {"W": "MHz", "error": ""}, title="x"
    ),
    "crps": lambda: plot_crps(BINNED, BINNED.assign(value=0.9, upper=1.0), unit="MHz", title="x"),
    "crps of a plain number": lambda: plot_crps(BINNED, BINNED, unit=""),
    "importances beside": lambda: plot_importances_beside(
        TIME, np.abs(ECHOES[0]), {"posterior": samples(), "random_forest\n(60% as posterior)": samples()}, title="x"
    ),
    "bars by bin and power": lambda: plot_polynomial_bars(bins(), title="x"),
    "bars of both components": lambda: plot_polynomial_bars(bins(("re", "im")).assign(axis="frequency")),
    "twins": lambda: plot_twins(TWINS, RECALL, curves=[TWIN_CURVES, TWIN_CURVES], title="Alike"),
    "twins without curves": lambda: plot_twins(TWINS, RECALL),
    "convergence of one": lambda: plot_convergence([0.1, 0.2], {"euler": [1e-3, 2e-3]}),
}
UNITS = ("(µs)", "(rad)", "(MHz)", "(degrees)", "(ħ per spin)", "(%)", "(number)")
WITHOUT_UNIT = ("importance", "score", "cubic fits", "feature", "R² of", "true class", "predicted class", "error")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """Draw coarsely; nothing here looks at pixels."""
    monkeypatch.setattr(style, "DPI", 50)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_unknown_to_pyplot_labels_its_axes_with_units_and_can_be_written(name, tmp_path):
    drawn = FIGURES[name]()
    assert isinstance(drawn, Figure)
    assert not _pylab_helpers.Gcf.figs
    shown = [ax for ax in drawn.axes if ax.get_visible()]
    assert any(ax.get_xlabel() for ax in shown)
    assert any(ax.get_ylabel() for ax in shown)
    labels = [label for ax in shown for label in (ax.get_xlabel(), ax.get_ylabel()) if label]
    assert [text for text in labels if not text.endswith(UNITS) and not text.startswith(WITHOUT_UNIT)] == []
    save(drawn, tmp_path / "figure.png")


@pytest.mark.parametrize("name", ["echoes", "parity", "confusion by bin", "bins", "pulse map"])
def test_saving_twice_gives_the_same_bytes(name, tmp_path):
    drawn = FIGURES[name]()
    save(drawn, tmp_path / "first.png")
    save(drawn, tmp_path / "deep" / "second.png")
    first = (tmp_path / "first.png").read_bytes()
    assert first == (tmp_path / "deep" / "second.png").read_bytes()
    assert b"matplotlib" not in first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "first.png"]


def test_drawing_again_gives_the_same_bytes(tmp_path):
    for name in ("first.png", "second.png"):
        save(FIGURES["confusion"](), tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_only_png_is_written(tmp_path):
    with pytest.raises(ConfigurationError, match=r"Argument `path` must end in \.png, but is `echo\.pdf`"):
        save(FIGURES["single curve"](), tmp_path / "echo.pdf")
