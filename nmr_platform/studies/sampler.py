"""A sampler whose every trial depends on the history and its place in it, never on how often the study was resumed."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies.attempts import PLACE, is_abandoned

__all__ = ["OUTSIDE", "SamplerKind", "SteadySampler", "grid_points"]

OUTSIDE = "outside"
"""Attribute of a trial that tries something outside the search space: samplers do not see it."""

SamplerKind = Literal["tpe", "cmaes", "gp", "random", "grid", "nsga2"]
Space = Mapping[str, BaseDistribution]
_LEVELS = 5


class SteadySampler(BaseSampler):  # type: ignore[misc, unused-ignore]
    """Seeds a fresh sampler for each trial from the study's seed and the trial's place among those that count.

    A sampler that lives through a study draws other points after a resume than it would have without; inside the
    start-up phase it would even repeat itself. Trials left by a killed process do not count, so that a study that was
    killed and resumed tries the same points as one that was not.

    Args:
        seed: Seed of the study.
        kind: ``tpe``; ``cmaes`` for a few continuous parameters; ``gp`` for expensive trials, if PyTorch is there;
            ``random``; ``grid``, in random order; ``nsga2`` for two objectives.
        startup_trials: Random trials before the search space is modelled; the population of ``nsga2``.
        space: The search space; only a grid needs to know it beforehand.

    Attributes:
        place: Of the last trial that was sampled.

    Raises:
        ConfigurationError: There is no such kind, it is not installed, or a grid has no space.
    """

    def __init__(
        self, seed: int, kind: SamplerKind = "tpe", startup_trials: int = 10, space: Space | None = None
    ) -> None:
        _require_known(kind, space)
        self._seed = seed
        self._kind = kind
        self._startup_trials = startup_trials
        self._space = space or {}
        self._grid = grid_points(self._space) if kind == "grid" else []
        self._point: Mapping[str, object] = {}
        self.place = 0
        self._inner: BaseSampler = self._seeded(0)

    @property
    def n_points(self) -> int | None:
        """Number of points that there are to try; None if there is no end to them."""
        return len(self._grid) if self._kind == "grid" else None

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the sampler for this trial, see `BaseSampler.before_trial`."""
        self.place = _place(study, trial)
        self._inner = self._seeded(self.place)
        study = _within_space(study)
        if self._kind == "grid":
            order = np.random.default_rng(self._seed).permutation(len(self._grid))
            self._point = self._grid[order[self.place % len(order)]]
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Delegate, see `BaseSampler.infer_relative_search_space`."""
        space: dict[str, BaseDistribution] = self._inner.infer_relative_search_space(_within_space(study), trial)
        return space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Delegate, see `BaseSampler.sample_relative`."""
        params: dict[str, Any] = self._inner.sample_relative(_within_space(study), trial, search_space)
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> object:
        """Look up in the grid, or delegate, see `BaseSampler.sample_independent`."""
        if param_name in self._point:
            return self._point[param_name]
        return self._inner.sample_independent(_within_space(study), trial, param_name, param_distribution)

    def _seeded(self, place: int) -> BaseSampler:
        seed = int(np.random.SeedSequence(self._seed, spawn_key=(place,)).generate_state(1)[0])
        makers: dict[SamplerKind, Callable[[], BaseSampler]] = {
            "tpe": lambda: TPESampler(seed=seed, n_startup_trials=self._startup_trials),
            "cmaes": lambda: CmaEsSampler(
                seed=seed, n_startup_trials=self._startup_trials, warn_independent_sampling=False
            ),
            "gp": lambda: GPSampler(seed=seed, n_startup_trials=self._startup_trials, warn_independent_sampling=False),
            "random": lambda: RandomSampler(seed=seed),
            "grid": lambda: RandomSampler(seed=seed),
            "nsga2": lambda: NSGAIISampler(seed=seed, population_size=max(2, self._startup_trials)),
        }
        return makers[self._kind]()


def grid_points(space: Space) -> list[dict[str, object]]:
    """Every point of a grid: all choices of a category, up to five values of a number, evenly (or log) spaced."""
    levels = {name: _levels(distribution) for name, distribution in space.items()}
    return [dict(zip(levels, values, strict=True)) for values in product(*levels.values())]


def _levels(distribution: BaseDistribution) -> list[Any]:
    match distribution:
        case CategoricalDistribution():
            return list(distribution.choices)
        case IntDistribution():
            spaced = _spaced(distribution.low, distribution.high, log=distribution.log)
            steps = np.round((spaced - distribution.low) / distribution.step).astype(int)
            return [int(distribution.low + step * distribution.step) for step in sorted(set(steps.tolist()))]
        case FloatDistribution(step=None):
            return [float(value) for value in _spaced(distribution.low, distribution.high, log=distribution.log)]
        case FloatDistribution():
            spaced = _spaced(distribution.low, distribution.high, log=False)
            steps = np.floor((spaced - distribution.low) / distribution.step + 1e-9).astype(int)
            return [float(distribution.low + step * distribution.step) for step in sorted(set(steps.tolist()))]
    message = f"A grid must be made of categories and numbers, but has {distribution}."
    raise ConfigurationError(message, key="sampler", value="grid")


def _spaced(low: float, high: float, *, log: bool) -> Any:
    values = np.geomspace(low, high, _LEVELS) if log else np.linspace(low, high, _LEVELS)
    return np.clip(values, low, high)


def _place(study: Study, trial: FrozenTrial) -> int:
    """Number of earlier trials that count; a point that is tried again keeps its own."""
    if PLACE in trial.user_attrs:
        return int(trial.user_attrs[PLACE])
    earlier = (other for other in study.get_trials(deepcopy=False) if other.number < trial.number)
    return sum(not is_abandoned(other) and OUTSIDE not in other.user_attrs for other in earlier)


def _within_space(study: Study) -> Any:
    """The study as samplers see it: without the trials that lie outside the search space."""
    return _Within(study) if any(OUTSIDE in trial.user_attrs for trial in study.get_trials(deepcopy=False)) else study


class _Within:
    """A study in which samplers do not find the trials that lie outside the search space.

    One trial without parameters is enough to make CMA-ES take the space for empty.
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy, states)
        return [trial for trial in trials if OUTSIDE not in trial.user_attrs]

    # Optuna's own samplers ask by this name, and there is no public one: without it they would see every trial.
    def _get_trials(self, deepcopy: bool = True, states: Any = None, use_cache: bool = False) -> list[FrozenTrial]:  # noqa: ARG002 Optuna's
        return self.get_trials(deepcopy, states)


def _require_known(kind: str, space: Space | None) -> None:
    if kind not in get_args(SamplerKind):
        message = f"Key `sampler` must be one of {', '.join(get_args(SamplerKind))}, but is {kind!r}."
        raise ConfigurationError(message, key="sampler", value=kind)
    if kind == "gp" and find_spec("torch") is None:
        message = "Key `sampler` is gp, which needs PyTorch: install `torch`, or choose tpe or cmaes."
        raise ConfigurationError(message, key="sampler", value=kind)
    if kind == "grid" and not space:
        message = "Key `sampler` is grid, which needs a search space that is known beforehand, but there is none."
        raise ConfigurationError(message, key="sampler", value=kind)
