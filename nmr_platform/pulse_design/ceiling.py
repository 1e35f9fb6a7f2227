"""The ceiling of a data set: how well any model could read numbers off its records, by the Cramer-Rao bound."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from nmr_platform.datasets import Recipe
from nmr_platform.features import SingleFeatureSet
from nmr_platform.pulse_design.ensemble import Ensemble, RecordCache
from nmr_platform.pulse_design.objectives import FisherSettings, Judgement
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.schema import Schema, Seed

__all__ = ["CeilingSettings", "ceiling_of"]


class CeilingSettings(Schema):
    """How the ceilings of data sets are found.

    Attributes:
        n_curves: Curves of the prior from which the spread of the targets and the points come.
        seed: Of these curves; no data set may use it.
        bound: Targets, unknowns and how the bound is computed.
        features: What is looked at of each record.
    """

    n_curves: Annotated[int, Field(ge=20, le=1_000_000)]
    seed: Seed
    bound: FisherSettings
    features: SingleFeatureSet

    @model_validator(mode="after")
    def _points_are_curves(self) -> Self:
        if self.bound.points > self.n_curves:
            message = (
                f"Key `ceiling.bound.points` must be at most `ceiling.n_curves`, but {self.bound.points} is more than "
                f"{self.n_curves}."
            )
            raise ValueError(message)
        return self


def ceiling_of(recipe: Recipe, settings: CeilingSettings, cache: RecordCache) -> Iterator[Judgement]:
    """Find the ceiling of one data set from more and more points of its prior.

    The kernel is known to the bound: a model that has to find it out, too, may know less.

    Args:
        recipe: Of the data set; its sequences are the measurement.
        settings: Points, targets and unknowns.
        cache: Where records are kept, from which an interrupted call continues.

    Yields:
        The judgement from the first 2, 3, ... points; the last is that from all. ``r2_<target>`` of its details is the
        largest R2 that a model can have, ``error_<target>`` its standard error.

    Raises:
        ConfigurationError: The kernel lacks an unknown, or a target follows from something that is not among them.
        DataError: The prior does not draw a target.
    """
    drawn = recipe.of_record(recipe.record_names[0]).replace(n_curves=settings.n_curves, seed=settings.seed)
    measured = [each.sequence for each in recipe.examples.values()]
    tried = SequenceSet(sequences=dict(zip(_names(recipe), measured, strict=True)))
    objective = settings.bound.prepare({recipe.name: Ensemble(drawn, cache)}, recipe.name, settings.features, 0)
    for n_points in range(2, settings.bound.points + 1):
        yield objective.judge(tried, n_points / settings.bound.points)


def _names(recipe: Recipe) -> tuple[str, ...]:
    return tuple(name or f"s{number}" for number, name in enumerate(recipe.record_names, 1))
