"""What models see in the echo on the page, and what they read from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import NmrPlatformError
from nmr_platform.features import Acquisition, PolynomialFeatures, extract
from nmr_platform.inference import Conditions, Predictor
from nmr_platform.physics import Coupling, Measurement
from nmr_platform.simulation import Echo, measure

__all__ = ["Answer", "Seen", "Weights", "features_of", "posterior_of", "read_by", "weigh"]

# Stretches of the record whose weight is asked for.
_STRETCHES = 24
_WIDEST = 150
Echoes = Mapping[str, Echo]


@dataclass(frozen=True)
class Answer:
    """What a model reads from an echo.

    Attributes:
        task: Name of its task.
        value: The number, or the class; None if it refuses the record.
        quantity: What it is.
        unit: Of the number.
        lower: Lower end of the interval, None of a class.
        upper: Upper end.
        level: Nominal coverage of the interval.
        probabilities: Of every class.
        p_value: How many of the training curves look at least as strange.
        note: Its warning, or why it refuses.
    """

    task: str
    value: float | str | None = None
    quantity: str = ""
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    p_value: float = float("nan")
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """Features of an echo.

    Attributes:
        name: Of the feature set.
        table: One row a feature: ``name``, ``value``, and where it lies: ``record``, ``component``, ``start``,
            ``stop``, ``axis``, ``power``, and how many ``samples`` long that is.
    """

    name: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Weights:
    """What each stretch of a record weighs in a reading.

    Attributes:
        record: Name of the record.
        time: Middles of the stretches, us, shape (n,).
        change: Of the reading, in its unit (of a class: of its probability), when the echo of the same spins without
            coupling takes the place of the stretch, with the sign turned: what the stretch adds, shape (n,).
        unit: Of the change.
        what: What is read.
    """

    record: str
    time: NDArray[np.float64]
    change: NDArray[np.float64]
    unit: str
    what: str


def read_by(model: Predictor, measurement: Measurement, echoes: Echoes) -> Answer:
    """What a model reads from the records on the page, or why it does not.

    Args:
        model: The model.
        measurement: What is on the page.
        echoes: Its records by name.
    """
    task = model.facts.task_name
    try:
        row = _predict(model, measurement, _signals(_seen_by(model, echoes))).to_dict("records")[0]
    except NmrPlatformError as refusal:
        return Answer(task, note=str(refusal))
    mark = "probability_"
    return Answer(
        task=task,
        value=row["prediction"],
        quantity=row["quantity"],
        unit=row["unit"],
        lower=row.get("lower"),
        upper=row.get("upper"),
        level=row.get("level"),
        probabilities={str(key).removeprefix(mark): row[key] for key in row if str(key).startswith(mark)},
        p_value=row["p_value"],
        note=row["warning"],
    )


def features_of(model: Predictor | None, measurement: Measurement, echoes: Echoes) -> Seen:
    """The features that a model sees, with their places.

    Args:
        model: The model; cubic fits to |M| in 4, 5 and 10 bins where there is none.
        measurement: What is on the page.
        echoes: Its records by name.

    Raises:
        NmrPlatformError: The features cannot be had from these records.
    """
    taken = {name: Acquisition.of(each) for name, each in measurement.experiments.items()}
    if model is None:
        name, own = next(iter(taken.items()))
        room = min(_WIDEST, own.echo_index, own.n_samples - own.echo_index)
        chosen: Any = PolynomialFeatures(signal="magnitude", half_width=room)
        signals = {"": echoes[name].m[np.newaxis]}
        taken = {"": own}
    else:
        chosen, seen = model.facts.feature_set, _seen_by(model, echoes)
        signals = _signals(seen)
        taken = {record: taken[_behind(record, echoes)] for record in seen}
    values = extract(signals, chosen, taken).iloc[0]
    places = chosen.intervals(taken)
    steps = places["record"].map({record: own.step for record, own in taken.items()})
    samples = ((places["stop"] - places["start"]) / steps).round()
    return Seen(chosen.name, places.assign(value=values[places["name"]].to_numpy(dtype=np.float64), samples=samples))


def posterior_of(
    model: Predictor, seen: Seen, points: int = 200
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The posterior density of a number, if the model has one.

    Args:
        model: The model.
        seen: What it sees.
        points: How many values.

    Returns:
        Values in the target's unit, and the density there, each of shape (points,).
    """
    scaled = model.estimator
    inner = getattr(scaled, "model", scaled)
    if not hasattr(inner, "posterior") or model.facts.task.class_names:
        return None
    rows = pd.DataFrame([seen.table["value"].to_numpy(dtype=np.float32)], columns=list(seen.table["name"]))
    mixture = inner.posterior(rows).moved(getattr(scaled, "scale_", 1.0), getattr(scaled, "offset_", 0.0))
    shares, centres, widths = mixture.shares[0], mixture.centres[0], mixture.widths[0]
    reach = 3 * widths
    values = np.linspace((centres - reach)[shares > 0.01].min(), (centres + reach)[shares > 0.01].max(), points)
    normal = np.exp(-(((values[:, np.newaxis] - centres) / widths) ** 2) / 2) / (np.sqrt(2 * np.pi) * widths)
    return values, normal @ shares


def weigh(model: Predictor, measurement: Measurement, echoes: Echoes, seed: int) -> list[Weights]:
    """Where in this very echo a reading comes from, whatever the model is.

    Each stretch of a record in turn is exchanged, by smooth weights that add up to 1, for that of the same spins
    without coupling; what the reading loses by it is the weight of the stretch.

    Args:
        model: The model.
        measurement: What is on the page.
        echoes: Its records by name.
        seed: Of the disorder.

    Raises:
        NmrPlatformError: The model refuses the records.
    """
    bare = measure(
        measurement.replace(coupling=Coupling(alpha_x=0.0, alpha_y=0.0, alpha_z=0.0)),
        seed=seed,
        integrator="fast",
    )
    seen, flat = _signals(_seen_by(model, echoes)), _signals(_seen_by(model, bare))
    answer = _predict(model, measurement, seen)
    places = _where(model)
    out = []
    for record in model.needs:
        time = model.facts.records[record].time
        middles, shares = _stretches(time, *places[record])
        exchanged = {name: np.repeat(each, len(middles), axis=0) for name, each in seen.items()}
        exchanged[record] = seen[record] + shares * (flat[record] - seen[record])
        change = _reading(answer, answer) - _reading(_predict(model, measurement, exchanged), answer)
        is_class = bool(model.facts.task.class_names)
        what = f"probability of {answer['prediction'].iloc[0]}" if is_class else str(answer["quantity"].iloc[0])
        out.append(Weights(record, middles, change, "" if is_class else model.facts.task.unit, what))
    return out


def _seen_by(model: Predictor, echoes: Echoes) -> dict[str, Echo]:
    """The records by the names that the model has for them: one that knows a single record looks at the first."""
    if "" in model.facts.records and "" not in echoes:
        return {"": next(iter(echoes.values()))}
    model.require_records(echoes)
    return {name: echoes[name] for name in model.needs}


def _behind(record: str, echoes: Echoes) -> str:
    return record if record in echoes else next(iter(echoes))


def _signals(echoes: Echoes) -> dict[str, NDArray[np.complexfloating[Any, Any]]]:
    return {name: echo.m[np.newaxis] for name, echo in echoes.items()}


def _predict(
    model: Predictor, measurement: Measurement, signals: Mapping[str, NDArray[np.complexfloating[Any, Any]]]
) -> pd.DataFrame:
    experiments = measurement.experiments
    own = {name: experiments[name if name in experiments else next(iter(experiments))] for name in signals}
    return model.predict(
        signals,
        {name: each.time for name, each in own.items()},
        acquisition={name: Conditions.of(each) for name, each in own.items()},
    )


def _reading(table: pd.DataFrame, first: pd.DataFrame) -> NDArray[np.float64]:
    """The number, or the probability of the class that was read first."""
    column = f"probability_{first['prediction'].iloc[0]}"
    return table[column if column in table else "prediction"].to_numpy(dtype=np.float64)


def _where(model: Predictor) -> dict[str, tuple[float, float]]:
    """The times between which the features of each record lie, us; all of it where they lie in frequency."""
    taken = {name: Acquisition.of(own.experiment) for name, own in model.facts.records.items()}
    places = model.facts.feature_set.intervals(taken)
    out = {}
    for name in model.needs:
        own, time = places[places["record"] == name], model.facts.records[name].time
        in_time = own[own["axis"] == "time"]
        whole = in_time.empty or len(in_time) < len(own)
        out[name] = (
            (float(time[0]), float(time[-1]))
            if whole
            else (float(in_time["start"].min()), float(in_time["stop"].max()))
        )
    return out


def _stretches(time: NDArray[np.float64], start: float, stop: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of the stretches, us, and the share of each in every sample, shape (n, n_samples)."""
    width = (stop - start) / _STRETCHES
    middles = start + width * (np.arange(_STRETCHES) + 0.5)
    # Triangles: each falls to nothing where the next one is whole, and all of them add up to 1.
    distance = np.abs(np.clip(time, middles[0], middles[-1]) - middles[:, np.newaxis]) / width
    shares = np.clip(1.0 - distance, 0.0, 1.0)
    return middles.astype(np.float64), shares * ((time >= start) & (time <= stop))
