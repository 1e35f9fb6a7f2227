"""What is still possible after an answer: the prior, within the intervals that a record told."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmr_platform.datasets import QUANTITIES, Curve, LogUniform, Range, Recipe, Uniform
from nmr_platform.errors import DataError

__all__ = ["Known", "known_of", "narrowed", "outside"]

Known = Mapping[str, Range]
"""Intervals by quantity."""

# Draws of a round, how many inside are enough, how many of the nearest show where to draw, and how far beyond them.
_DRAWS, _ENOUGH, _NEAREST, _BEYOND = 400, 10, 20, 0.1
_ROUNDS = 12


def known_of(answer: Mapping[str, Any]) -> Known:
    """The intervals of an answer that tell something.

    Args:
        answer: As ``answer.json`` holds it.

    Raises:
        DataError: It is no answer of `nmr infer`.
    """
    try:
        told = {name: each for name, each in answer["quantities"].items() if each["informative"]}
        return {name: Range(low=each["lower"], high=each["upper"]) for name, each in told.items()}
    except (KeyError, TypeError, AttributeError) as error:
        message = f"The answer must be that of `nmr infer`, with `quantities` that have intervals, but lacks {error}."
        raise DataError(message) from error


def narrowed(recipe: Recipe, known: Known) -> Recipe:
    """A recipe whose curves all lie within the intervals, without drawing most of them in vain.

    The ranges of what is drawn are narrowed, round by round, to those of the draws that lie nearest to the intervals,
    until enough lie inside; the intervals themselves become constraints. Where couplings and range make up for each
    other, that may not be reached: the intervals are then taken as wide as it needs. That two quantities go together
    is lost, for intervals do not say it.

    Args:
        recipe: Of the prior.
        known: Intervals of quantities, or of what the prior draws, by the name that tables have for it.
    """
    free = recipe.replace(constraints={})
    for _ in range(_ROUNDS):
        curves = [free.curve(number) for number in range(_DRAWS)]
        off = np.array([outside(curve, free, known) for curve in curves])
        nearest = np.argsort(off, kind="stable")[:_NEAREST]
        wider = float(off[nearest[_ENOUGH - 1]])
        if wider == 0:
            break
        near = [curves[number].drawn for number in nearest]
        drawn = {
            key: _around(each, np.array([values[key] for values in near], dtype=float))
            for key, each in free.prior.items()
            if isinstance(each, Uniform | LogUniform)
        }
        free = free.replace(prior={**free.prior, **drawn})
    return free.replace(constraints={**recipe.constraints, **_widened(known, wider)})


def _widened(known: Known, share: float) -> dict[str, Range]:
    """Intervals that go further by a share of their width at either end."""
    return {
        name: Range(low=each.low - share * (each.high - each.low), high=each.high + share * (each.high - each.low))
        for name, each in known.items()
    }


def outside(curve: Curve, recipe: Recipe, known: Known) -> float:
    """By how many widths a curve lies outside the interval that it is farthest from; 0 inside all of them.

    Args:
        curve: A curve of the recipe, or of another with the same prior.
        recipe: What the curves are drawn from.
        known: Intervals of quantities, or of what the prior draws, by the name that tables have for it.
    """
    values = {
        name: QUANTITIES[name].of(curve.experiment) if name in QUANTITIES else float(curve.drawn[recipe.columns[name]])
        for name in known
    }
    away = (
        max(range_.low - values[name], values[name] - range_.high, 0.0) / max(range_.high - range_.low, 1e-300)
        for name, range_ in known.items()
    )
    return max(away, default=0.0)


def _around(drawn: Uniform | LogUniform, values: np.ndarray[Any, Any]) -> Uniform | LogUniform:
    """A distribution over the range of some values and a little more, but no more than there was."""
    way = np.log if isinstance(drawn, LogUniform) else np.asarray
    back = np.exp if isinstance(drawn, LogUniform) else np.asarray
    first, last = (float(way(end)) for end in (values.min(), values.max()))
    more = _BEYOND * (last - first)
    low, high = (float(back(end)) for end in (first - more, last + more))
    return drawn.replace(low=max(low, drawn.low), high=min(high, drawn.high))
