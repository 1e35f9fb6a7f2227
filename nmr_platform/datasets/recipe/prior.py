"""From a point of the unit cube to the parameters of one curve."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from numpy.typing import NDArray

from nmr_platform.datasets.recipe.distributions import Constant, Distribution, Expression, Scalar
from nmr_platform.datasets.recipe.expressions import formula, resolve
from nmr_platform.errors import ConfigurationError

__all__ = ["Prior", "numbers_in", "with_values"]


@dataclass(frozen=True)
class Prior:
    """The distributions of a recipe, in the order in which they are evaluated.

    Attributes:
        distributions: By dotted key.
        given: Keys whose values a sweep lists.
        fixed: Numbers of the experiment that are the same for all curves, by dotted key.
    """

    distributions: Mapping[str, Distribution]
    given: tuple[str, ...]
    fixed: Mapping[str, Scalar]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that has a value of its own in each curve."""
        return (*self.given, *self.distributions)

    @cached_property
    def random_keys(self) -> tuple[str, ...]:
        """Keys that take one coordinate of the unit cube each, in alphabetical order: the file's does not matter."""
        return tuple(sorted(key for key, d in self.distributions.items() if not isinstance(d, Constant | Expression)))

    @cached_property
    def bindings(self) -> tuple[tuple[str, str, Mapping[str, str]], ...]:
        """Bound keys in an order in which each needs only earlier ones: key, expression, and what its names mean.

        Raises:
            ConfigurationError: A name stands for nothing, or expressions need each other.
        """
        bound = {key: d.value for key, d in self.distributions.items() if isinstance(d, Expression)}
        needs = {key: self.meanings(text, f"prior.{key}") for key, text in bound.items()}
        graph = {key: set(names.values()) & bound.keys() for key, names in needs.items()}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            message = f"Expressions of `prior` must not need each other, but {' needs '.join(error.args[1][::-1])}."
            raise ConfigurationError(message, key="prior") from error
        return tuple((key, bound[key], needs[key]) for key in order)

    def meanings(self, text: str, where: str, extra: tuple[str, ...] = ()) -> dict[str, str]:
        """What the names in an expression stand for.

        Args:
            text: The expression.
            where: Key that it is found under, for messages.
            extra: Names that are known beside the keys.

        Returns:
            For every name a key, or one of ``extra``.

        Raises:
            ConfigurationError: A name stands for nothing, or for more than one key.
        """
        known = {*self.keys, *self.fixed, *extra}
        try:
            return {name: resolve(name, known) for name in formula(text).names}
        except ConfigurationError as error:
            message = f"Key `{where}`: {error}"
            raise ConfigurationError(message, key=where, value=text) from error

    def values(self, point: NDArray[Any], given: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The parameters of one curve.

        Args:
            point: Where in the unit cube it is drawn, shape (len(random_keys),).
            given: What a sweep says, by dotted key; taken as it is.

        Returns:
            Every drawn, bound and given parameter by dotted key, in its own unit.
        """
        values = dict(given)
        for key, distribution in self.distributions.items():
            if isinstance(distribution, Constant):
                values[key] = distribution.value
        for key, u in zip(self.random_keys, point, strict=True):
            values[key] = self.distributions[key].quantile(float(u))  # type: ignore[union-attr]
        for key, text, names in self.bindings:
            values[key] = formula(text)({name: values.get(k, self.fixed.get(k)) for name, k in names.items()})
        return values


def numbers_in(values: object, prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    """Dotted keys and values of the numbers in nested plain data.

    Args:
        values: The data.
        prefix: Of all keys, with its dot.
    """
    items = values.items() if isinstance(values, Mapping) else []
    for name, value in items:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", value
        yield from numbers_in(value, f"{prefix}{name}.")


def with_values(template: Mapping[str, Any], values: Mapping[str, Scalar]) -> dict[str, Any]:
    """A copy of nested plain data with some keys set.

    Args:
        template: The data.
        values: By dotted key; a number in a key counts the entries of a list.

    Raises:
        ConfigurationError: A key leads nowhere.
    """
    out = _copied(template)
    for key, value in values.items():
        part: Any = out
        *sections, last = key.split(".")
        try:
            for section in sections:
                part = part[int(section)] if isinstance(part, list) else part.setdefault(section, {})
            part[int(last) if isinstance(part, list) else last] = value
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            message = f"Key `{key}` must be a key of the experiment, but leads nowhere."
            raise ConfigurationError(message, key=key) from error
    return out


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value
