"""The page itself, a marimo notebook: cells that hand widgets' values to the functions of this folder."""

import marimo

__all__ = ["app"]

app = marimo.App(width="full", app_title="nmr explore", css_file="page.css")

with app.setup:
    import tempfile
    import time
    from pathlib import Path

    import marimo as mo

    from nmr_platform.errors import NmrPlatformError
    from nmr_platform.explorer import controls, figures, overlay, page, reading
    from nmr_platform.explorer.opening import begun
    from nmr_platform.simulation import Echo, measure


@app.cell
def _():
    opening = begun()
    base = opening.first
    models = {f"nmr-{model.facts.task_name}": model for model in opening.predictors}
    listed = controls.choices(base)
    kernel, line, lattice = (
        mo.ui.dropdown(options, value=options[0], label=label, full_width=True)
        for options, label in zip(
            (listed["kernel.kind"], listed["line.kind"], listed["lattice.shape"]),
            ("shape", "line", "sites"),
            strict=True,
        )
    )
    sliders = mo.ui.dictionary(
        {
            key: mo.ui.slider(
                steps=list(each.steps), value=each.value, label=each.label, show_value=True, full_width=True
            )
            for key, each in controls.controls(base).items()
        }
    )
    second = mo.ui.switch(label="a second sequence")
    seed = mo.ui.number(0, 2**32 - 1, step=1, value=opening.seed, label="seed")
    parts = mo.ui.switch(label="Re and Im")
    hold = mo.ui.switch(label="hold this echo in grey")
    upload = mo.ui.file(label="Lay a measured record over it")
    pane = mo.ui.tabs(dict.fromkeys(("Reading", "Where it comes from", "Features", "YAML"), ""))
    return base, hold, kernel, lattice, line, models, opening, pane, parts, second, seed, sliders, upload


@app.cell
def _(hold, kernel, lattice, line, parts, second, seed, sliders, upload):
    def group(title, *parts):
        inside = "\n".join(f"<div>{part}</div>" for part in parts)
        return mo.Html(f'<div class="group"><div class="name">{title}</div>{inside}</div>')

    def of(*prefixes):
        return [
            sliders[key]
            for key in sliders
            if key.startswith(prefixes) and controls.shown(key, kernel.value, second=second.value)
        ]

    sequences = sorted({key.rpartition(".")[0] for key in sliders if key.startswith("sequences.")})
    mo.sidebar(
        mo.vstack(
            [
                mo.Html('<div class="title">nmr explore</div>'),
                group("Coupling", kernel, *of("kernel."), *of("coupling.")),
                *(group(name.partition(".")[2], *of(f"{name}.")) for name in sequences),
                *([] if sequences else [group("Sequence", *of("sequence."), second, *of("second."))]),
                group("Sample", lattice, line, *of("line."), seed),
                group("Receiver", *of("receiver."), parts, hold, upload),
            ],
            gap=0.3,
        ),
        width="330px",
    )


@app.cell
def _(base, kernel, lattice, line, second, sliders):
    chosen = {"kernel.kind": kernel.value, "line.kind": line.value, "lattice.shape": lattice.value}
    try:
        measurement, wrong = controls.measured_by(base, chosen, sliders.value, second=second.value), ""
    except NmrPlatformError as error:
        measurement, wrong = None, str(error)
    return measurement, wrong


@app.cell
def _(measurement, opening, upload):
    # A file is read once, and again only when the sequences are others.
    overlays_of, overlay_refusal = {}, ""
    try:
        if measurement is not None and upload.value:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / Path(upload.name()).name
                file.write_bytes(upload.contents())
                overlays_of = overlay.read_overlay(file, measurement)
        elif measurement is not None and opening.measured:
            overlays_of = overlay.read_overlay(Path(opening.measured), measurement, opening.options)
    except NmrPlatformError as error:
        overlay_refusal = str(error)
    return overlay_refusal, overlays_of


@app.cell
def _(measurement, seed, wrong):
    mo.stop(measurement is None, mo.Html(page.refusal(wrong)))
    started = time.perf_counter()
    echoes = measure(measurement, seed=int(seed.value or 0), integrator="fast")
    return echoes, started


@app.cell
def _():
    held: dict[str, Echo] = {}
    return (held,)


@app.cell
def _(echoes, held, hold, measurement, overlay_refusal, overlays_of, parts, started):
    if not hold.value:
        held.clear()
    elif not held:
        held.update(echoes)
    overlays = {name: overlay.lay_over(each, echoes[name]) for name, each in overlays_of.items() if name in echoes}
    drawn = figures.as_svg(figures.draw_echoes(echoes, overlays, held=held, parts=parts.value), "echo")
    facts = page.facts_of(measurement, echoes, overlays, time.perf_counter() - started)
    mo.Html(f"{facts}{page.refusal(overlay_refusal) if overlay_refusal else ''}{drawn}")


@app.cell
def _(models, pane):
    which = mo.ui.dropdown([*models], value=next(iter(models), None), label="model")
    pane
    return (which,)


@app.cell
def _(echoes, measurement, models, pane, seed, which):
    def read():
        answers = [reading.read_by(model, measurement, echoes) for model in models.values()]
        drawn = []
        for model, answer in zip(models.values(), answers, strict=True):
            if answer.value is None:
                continue
            density = reading.posterior_of(model, reading.features_of(model, measurement, echoes))
            if density is not None:
                drawn.append(figures.as_svg(figures.draw_posterior(*density, answer), f"posterior of {answer.task}"))
        return page.answers_of(answers) + "".join(drawn)

    def weighed():
        if which.value is None:
            return page.answers_of(())
        weights = reading.weigh(models[which.value], measurement, echoes, int(seed.value or 0))
        return "".join(
            figures.as_svg(
                figures.draw_weights(echoes.get(each.record) or next(iter(echoes.values())), each), "weights"
            )
            for each in weights
        )

    def seen():
        features = reading.features_of(models.get(which.value), measurement, echoes)
        return figures.as_svg(figures.draw_features(features, echoes), "features") + page.features_table(features)

    shown = {"Reading": read, "Where it comes from": weighed, "Features": seen}
    try:
        content = mo.Html(shown[pane.value]()) if pane.value in shown else None
    except NmrPlatformError as error:
        content = mo.Html(page.refusal(str(error)))
    if content is None:
        text = controls.as_yaml(measurement, int(seed.value or 0))
        content = mo.vstack(
            [mo.download(text.encode(), filename="mine.yaml", label="mine.yaml"), mo.Html(page.yaml_of(text))]
        )
    elif pane.value != "Reading" and models:
        content = mo.vstack([which, content])
    content


if __name__ == "__main__":
    app.run()
