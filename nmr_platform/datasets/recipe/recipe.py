"""The recipe of a data set: everything that decides its numbers."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from nmr_platform.datasets.quantities import QUANTITIES, RESERVED_NAMES, columns_for
from nmr_platform.datasets.recipe.distributions import Distribution, Range, Scalar
from nmr_platform.datasets.recipe.expressions import RESERVED, formula
from nmr_platform.datasets.recipe.prior import Prior, numbers_in, with_values
from nmr_platform.datasets.recipe.sampling import Sampling, points_of
from nmr_platform.datasets.recipe.sweeps import Sweep
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Experiment, Measurement, with_sweeps_expanded
from nmr_platform.schema import CurveCount, Name, Schema, Seed, validate
from nmr_platform.simulation import ENGINE_VERSION, Dtype, Integrator, curve_streams

__all__ = ["Curve", "Recipe"]

# A prior that meets its constraints less often than this is a mistake rather than a prior.
_LOWEST_ACCEPTANCE = 0.01
_MOST_DRAWS = 3000
_PROBED = 32


class Curve(NamedTuple):
    """One curve of a data set, before it is simulated.

    Attributes:
        number: Its number in the data set.
        measurement: What to simulate.
        disorder_seed: Seed of its Larmor offsets.
        disorder: Identity of the disorder: equal for curves with the same offsets.
        noise_seed: Seed of its receiver noise, where the measurement has any.
        drawn: Every drawn, bound and swept parameter by dotted key.
        n_draws: How many draws from the prior it took to meet the constraints.
    """

    number: int
    measurement: Measurement
    disorder_seed: np.random.SeedSequence
    disorder: str
    noise_seed: np.random.SeedSequence
    drawn: Mapping[str, Scalar]
    n_draws: int

    @property
    def experiment(self) -> Experiment:
        """The experiment of the first record."""
        return self.measurement.first

    def with_experiment(self, experiment: Experiment) -> "Curve":
        """The same disorder in another experiment."""
        return self._replace(measurement=Measurement.of(experiment))


class Recipe(Schema):
    """How to make a data set. Curve i is a pure function of the recipe and i.

    Attributes:
        name: Short name, usually the kernel's.
        n_curves: Number of curves.
        seed: Seed of the data set; curve i draws everything from ``SeedSequence(seed, spawn_key=(i,))``.
        disorder: ``fresh``: new Larmor offsets for every curve. ``frozen``: one draw for the whole data set.
        sampling: ``random``, or ``sobol`` for parameters that fill their space evenly.
        integrator: See `nmr_platform.simulate`.
        dtype: See `nmr_platform.simulate`.
        experiment: The experiment, as plain data, or a `Measurement` with several ``sequences``; keys that are drawn
            may be missing.
        prior: What to draw, by dotted key of the experiment, for instance ``coupling.alpha_x``. A name that is no key
            of the experiment is an auxiliary number for expressions.
        sweep: What takes listed values instead.
        constraints: Range of a quantity (W, X, Z, kernel_sum in the data set's units; N) or of an expression over
            quantities and keys; draws outside it are rejected.
    """

    name: Name
    n_curves: CurveCount
    seed: Seed
    disorder: Literal["fresh", "frozen"] = "fresh"
    sampling: Sampling = "random"
    integrator: Integrator = "euler"
    dtype: Dtype = "float32"
    experiment: dict[str, Any]
    prior: dict[str, Distribution]
    sweep: Sweep | None = None
    constraints: dict[str, Range] = Field(default_factory=dict)

    @field_validator("experiment")
    @classmethod
    def _expand_sweeps(cls, experiment: dict[str, Any]) -> dict[str, Any]:
        return with_sweeps_expanded(experiment)

    @model_validator(mode="after")
    def _makes_experiments(self) -> Self:
        try:
            self._check_names()
            _ = self.example
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def digest(self) -> str:
        """Identity of the data set: hash of the recipe and the engine's version, 16 hexadecimal digits."""
        return self._hash(self.model_dump(mode="json"))

    @property
    def curve_digest(self) -> str:
        """Identity of the curves, however many: data sets that differ only in ``n_curves`` share it."""
        return self._hash(self.model_dump(mode="json", exclude={"n_curves", "name"}))

    @cached_property
    def columns(self) -> dict[str, str]:
        """Coordinates beyond the standard ones: name -> key that is drawn or swept."""
        return columns_for(self._prior.keys)

    @property
    def record_names(self) -> tuple[str, ...]:
        """Names of the records that each curve has, in order; the empty text for the only one of a ``sequence``."""
        return tuple(self.examples)

    @property
    def example(self) -> Experiment:
        """The experiment of the first record at the middle of the prior."""
        return next(iter(self.examples.values()))

    @cached_property
    def examples(self) -> dict[str, Experiment]:
        """The experiment of each record at the middle of the prior; all curves share their time axes."""
        return self._measurement(self._values(np.full(len(self._prior.random_keys), 0.5), 0)).experiments

    def of_record(self, name: str) -> "Recipe":
        """The recipe of the same curves under one of the sequences alone.

        Parameters and disorder are the same; the receiver's noise, if there is any, is that of a first record.

        Args:
            name: Of the record; the empty text for the only one of a ``sequence``.

        Raises:
            ConfigurationError: There is no such record.
        """
        if name not in self.record_names:
            known = ", ".join(self.record_names) or "absent, for there is one sequence"
            message = f"Argument `record` must be one of {known}, but is {name!r}."
            raise ConfigurationError(message, key="record", value=name)
        if not name:
            return self
        sequence = self.experiment["sequences"][name]
        shared = {key: value for key, value in self.experiment.items() if key != "sequences"}
        return self.replace(experiment={**shared, "sequence": sequence})

    def curve(self, number: int) -> Curve:
        """Draw the parameters of one curve.

        Raises:
            ConfigurationError: No draw meets the constraints, or the parameters drawn are not acceptable; the latter
                are then the error's ``value``.
        """
        streams = curve_streams(self.seed, number)
        measurement, drawn, n_draws = self._draw(number, streams.parameters)
        if self.disorder == "frozen":
            seed, disorder = np.random.SeedSequence(self.seed), f"{self.seed}/frozen"
        else:
            seed, disorder = streams.disorder, f"{self.seed}/{number}"
        return Curve(number, measurement, seed, disorder, streams.noise, drawn, n_draws)

    def check_acceptance(self) -> float:
        """Fraction of the draws that meet the constraints, from a few curves and without simulating any.

        Raises:
            ConfigurationError: It is under 1 %.
        """
        last = (self.sweep.n_points if self.sweep else _PROBED) - 1
        numbers = np.unique(np.linspace(0, last, _PROBED).astype(int))
        n_draws = sum(self.curve(int(number)).n_draws for number in numbers) if self.constraints else numbers.size
        acceptance = numbers.size / n_draws
        if acceptance < _LOWEST_ACCEPTANCE:
            message = (
                f"Data set `{self.name}`: only {acceptance:.2%} of the draws meet {self._wanted}, "
                f"but at least {_LOWEST_ACCEPTANCE:.0%} must; widen `constraints` or move the prior."
            )
            raise ConfigurationError(message, key="constraints", value=acceptance)
        return acceptance

    def _draw(self, number: int, stream: np.random.SeedSequence) -> tuple[Measurement, dict[str, Scalar], int]:
        """A measurement that meets the constraints, what was drawn for it, and the number of draws that it took."""
        random_keys = self._prior.random_keys
        points = points_of(number, len(random_keys), stream, self.sampling, self.seed)
        most = _MOST_DRAWS if random_keys else 1
        for n_draws, point in enumerate(islice(points, most), start=1):
            values = self._values(point, number)
            measurement = self._measurement(values)
            if self._meets_constraints(measurement.first, values):
                return measurement, values, n_draws
        what = f"none of {most} draws of curve {number} meets" if random_keys else f"curve {number} does not meet"
        message = f"Data set `{self.name}`: {what} {self._wanted}; widen `constraints` or move the prior."
        raise ConfigurationError(message, key="constraints", value=self._values(point, number))

    def _values(self, point: np.ndarray[Any, Any], number: int) -> dict[str, Scalar]:
        return self._prior.values(point, self.sweep.point(number) if self.sweep else {})

    def _measurement(self, values: dict[str, Scalar]) -> Measurement:
        known = {key: value for key, value in values.items() if key not in self._auxiliary}
        try:
            return validate(Measurement, with_values(self.experiment, known), where="experiment")
        except ConfigurationError as error:
            raise ConfigurationError(str(error), key=error.key, value=values) from error

    def _meets_constraints(self, experiment: Experiment, values: Mapping[str, Scalar]) -> bool:
        for text, wanted in self.constraints.items():
            meanings = self._meanings(text).items()
            held = {name: self._number(key, experiment, values) for name, key in meanings}
            if not wanted.holds(formula(text)(held)):
                return False
        return True

    def _number(self, key: str, experiment: Experiment, values: Mapping[str, Scalar]) -> Scalar:
        if key in values:
            return values[key]
        return QUANTITIES[key].of(experiment) if key in QUANTITIES else self._prior.fixed[key]

    def _meanings(self, text: str) -> dict[str, str]:
        """What the names in a constraint stand for."""
        return self._prior.meanings(text, f"constraints.{text}", tuple(QUANTITIES))

    def _check_names(self) -> None:
        """Refuse names that mean nothing or two things, and sequences that not all curves share."""
        for key in self._prior.keys:
            if key.split(".")[0] == "sequences":
                message = (
                    f"Key `{key}` must be the same for all curves: the sequences of several records are not drawn."
                )
                raise ConfigurationError(message, key=key)
        for name in sorted({*RESERVED_NAMES, *self.columns} & {*self.experiment.get("sequences", ())}):
            message = f"Key `sequences.{name}` must have another name, for in a data set `{name}` is something else."
            raise ConfigurationError(message, key=f"sequences.{name}")
        for key in set(self.prior) & set(self.sweep.keys if self.sweep else ()):
            message = f"Key `sweep` must not list `{key}`, which `prior` draws."
            raise ConfigurationError(message, key=key)
        used = {key for _, _, names in self._prior.bindings for key in names.values()}
        for text in self.constraints:
            used |= set(self._meanings(text).values())
        for key in sorted(self._auxiliary):
            if key in RESERVED or key in QUANTITIES or key not in used:
                message = (
                    f"Key `prior.{key}` must be a key of the experiment, for instance coupling.alpha_x, or a new name "
                    "that an expression or a constraint needs, but is neither."
                )
                raise ConfigurationError(message, key=f"prior.{key}")

    @cached_property
    def _prior(self) -> Prior:
        keys = (*self.prior, *(self.sweep.keys if self.sweep else ()))
        # What belongs to one of several records is nothing that expressions could rely on in another.
        shared = {key: value for key, value in self.experiment.items() if key != "sequences"}
        fixed = {key: value for key, value in numbers_in(shared) if key not in keys}
        return Prior(self.prior, self.sweep.keys if self.sweep else (), fixed)

    @cached_property
    def _auxiliary(self) -> frozenset[str]:
        """Drawn or swept names that are no keys of the experiment."""
        return frozenset(key for key in self._prior.keys if "." not in key and key not in Measurement.model_fields)

    @property
    def _wanted(self) -> str:
        return " and ".join(f"{text} in {wanted}" for text, wanted in self.constraints.items())

    def _hash(self, content: dict[str, Any]) -> str:
        if "sequences" in content["experiment"]:
            # Their order decides whose noise is whose, and is lost where keys are sorted.
            several = [*content["experiment"]["sequences"].items()]
            content = {**content, "experiment": {**content["experiment"], "sequences": several}}
        text = json.dumps([ENGINE_VERSION, content], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
