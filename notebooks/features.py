"""Tutorial 2: a data set, the window around the echo, and multiscale polynomial features."""

import marimo

app = marimo.App(app_title="2 A data set, the window, and polynomial features")

with app.setup:
    import marimo as mo
    import numpy as np
    from sklearn.ensemble import ExtraTreesRegressor

    from nmr_platform import plots
    from nmr_platform.datasets import coordinates_of, read_preset, simulate_curves
    from nmr_platform.features import Acquisition, PolynomialFeatures, extract


@app.cell
def _():
    mo.md(r"""
    # 2 A data set, the window, and polynomial features

    To learn the coupling from an echo, many echoes of known coupling are needed. The preset `august2021` draws them
    as the reference did: three kernels, couplings at random, W between 0.1 and 0.3 MHz, and **new disorder for
    every curve**, so that no model can learn one realisation by heart. Here the lattice is small and the curves are
    few.
    """)


@app.cell
def _():
    preset = read_preset("august2021")
    recipes = {
        kernel: preset.recipe(kernel).replace(
            n_curves=40,
            integrator="fast",
            experiment={**preset.recipe(kernel).experiment, "lattice": {"shape": [32, 32]}},
        )
        for kernel in preset.kernels
    }

    def simulated(recipe):
        curves = [recipe.curve(number) for number in range(recipe.n_curves)]
        m = np.array([echoes[""].m for echoes in simulate_curves(curves, recipe)])
        return m, np.array([coordinates_of(recipe, curve)["W"] for curve in curves])

    made = {kernel: simulated(recipe) for kernel, recipe in recipes.items()}
    example = recipes["gaussian"].example
    return example, made


@app.cell
def _(example, made):
    plots.plot_records(
        {kernel: (example.time, m[:8]) for kernel, (m, _) in made.items()},
        dict.fromkeys(made, 200.0),
        title="eight echoes of each",
    )


@app.cell
def _():
    mo.md(r"""
    ## The window

    Most of the record is disorder. The reference cuts out 300 samples around the echo, 150 on each side. Of these,
    it divides a curve by its own maximum; here the height stays, for it says something.
    """)


@app.cell
def _(example, made):
    centre = example.echo_indices[-1]
    window = slice(centre - 150, centre + 150)
    m, w = made["gaussian"]
    order = np.argsort(w)[[0, 20, 39]]
    plots.plot_echoes(
        example.time[window],
        m[order][:, window],
        [f"W = {value:.3f} MHz" for value in w[order]],
        echo_time=float(example.time[centre]),
        title="the window, from weak to strong",
    )
    return m, w


@app.cell
def _():
    mo.md(r"""
    ## Multiscale polynomial features

    The window is cut into 4, 5 and 10 equal pieces, and a cubic is fitted to each: 19 pieces, 4 coefficients, 76
    numbers instead of 300. Few pieces see the whole shape, many see its details. The fit is a constant matrix, so
    it costs microseconds a curve.
    """)


@app.cell
def _(example, m):
    chosen = PolynomialFeatures(signal="magnitude", half_width=150)
    taken = Acquisition.of(example)
    table = extract(m, chosen, taken)
    mo.plain_text(
        f"{table.shape[0]} curves, {table.shape[1]} features\n\n{table.iloc[:5, :8].to_string(float_format='%.3g')}"
    )
    return chosen, table, taken


@app.cell
def _(example, m, table, taken):
    from nmr_platform.explorer.figures import draw_features
    from nmr_platform.explorer.reading import Seen
    from nmr_platform.simulation import Echo

    shapes = PolynomialFeatures(signal="magnitude", half_width=150)
    places = shapes.intervals(taken)
    length = ((places["stop"] - places["start"]) / taken.step).round()
    first = places.assign(value=table.iloc[0].to_numpy(float), samples=length)
    draw_features(Seen(shapes.name, first), {"": Echo(example.time, m[0], m[0].real, example.echo_indices)})


@app.cell
def _():
    mo.md(r"""
    ## What a forest makes of them

    A forest learns W from these features of the 40 curves. Its importances say where it looks; they can be laid
    over the echo, because every feature knows its place, and drawn for each piece and power as the reference does.
    """)


@app.cell
def _(chosen, example, m, table, taken, w):
    forest = ExtraTreesRegressor(n_estimators=100, random_state=0).fit(table, w)
    weighed = chosen.intervals(taken).assign(importance=forest.feature_importances_)
    mo.vstack(
        [
            plots.plot_importances_over_echo(example.time, np.abs(m).mean(axis=0), weighed, title="where it looks"),
            plots.plot_polynomial_bars(weighed, title="by piece and power"),
        ]
    )


@app.cell
def _():
    mo.md(r"""
    Forty curves are too few to believe in any bar. `make august2021` draws the same pictures from 5000 a kernel.

    ## Go on

    [datasets.md](../docs/datasets.md) has priors, sweeps and presets, [features.md](../docs/features.md) the other
    kinds of features. Next: `notebooks/models.py`, which model learns most, and how that is found out honestly.
    """)


if __name__ == "__main__":
    app.run()
