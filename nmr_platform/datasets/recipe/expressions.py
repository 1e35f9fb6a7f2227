"""Arithmetic that a parameter file may hold: parsed once, evaluated without running any code of the file."""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from nmr_platform.errors import ConfigurationError

__all__ = ["RESERVED", "Formula", "formula", "resolve"]

_LONGEST = 500
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "cos": math.cos,
    "exp": math.exp,
    "hypot": math.hypot,
    "log": math.log,
    "log10": math.log10,
    "max": max,
    "min": min,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}

RESERVED = frozenset(_CONSTANTS) | frozenset(_FUNCTIONS)
"""Names that an expression gives a meaning of its own."""


class Formula:
    """A parsed expression of numbers, names, + - * / **, and a few functions.

    Args:
        text: For instance ``0.5 * coupling.alpha_x`` or ``alpha * pi * xi**2 / N``.

    Attributes:
        text: The same.
        names: The quantities that it needs, dotted where they are.

    Raises:
        ConfigurationError: It is no arithmetic.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = ast.parse(text.strip() if len(text) <= _LONGEST else "", mode="eval").body
            self.names = frozenset(self._names(self._tree))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            message = f"Expression `{text[:60]}` is not arithmetic of at most {_LONGEST} characters."
            raise ConfigurationError(message, key="expression", value=text) from error

    def __call__(self, values: Mapping[str, Any]) -> float:
        """Evaluate with the quantities of `names` taken from ``values``.

        Raises:
            ConfigurationError: The result is no finite number.
        """
        try:
            result = self._value(self._tree, values)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise self._failed(values, str(error)) from error
        if not math.isfinite(result):
            raise self._failed(values, f"the result is {result}")
        return result

    def _names(self, node: ast.expr) -> Iterable[str]:
        """Names below ``node``; refuses everything that is not arithmetic."""
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return []
            case ast.Name() | ast.Attribute():
                name = _dotted(node)
                return [] if name in _CONSTANTS else [name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return [*self._names(left), *self._names(right)]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return self._names(operand)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                return [item for argument in args for item in self._names(argument)]
        message = (
            f"Expression `{self.text}` must be made of numbers, names, + - * / ** and "
            f"{', '.join(sorted(_FUNCTIONS))}, but has `{ast.unparse(node)}`."
        )
        raise ConfigurationError(message, key="expression", value=self.text)

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> float:
        match node:
            case ast.Constant(value=value):
                return float(value)  # type: ignore[arg-type]
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](self._value(left, values), self._value(right, values))
            case ast.UnaryOp(op=op, operand=operand):
                return _UNARY[type(op)](self._value(operand, values))
            case ast.Call(func=ast.Name(id=name), args=args):
                return float(_FUNCTIONS[name](*[self._value(argument, values) for argument in args]))
        name = _dotted(node)
        return _CONSTANTS[name] if name in _CONSTANTS else float(values[name])

    def _failed(self, values: Mapping[str, Any], reason: str) -> ConfigurationError:
        held = ", ".join(f"{name} = {values[name]}" for name in sorted(self.names))
        message = f"Expression `{self.text}` has no value at {held or 'all'}: {reason}."
        return ConfigurationError(message, key="expression", value=self.text)


@lru_cache(maxsize=1024)
def formula(text: str) -> Formula:
    """The formula of ``text``, parsed once.

    Raises:
        ConfigurationError: It is no arithmetic.
    """
    return Formula(text)


def resolve(name: str, known: Iterable[str]) -> str:
    """The key that a name stands for: itself, or the only key that ends in it.

    Args:
        name: For instance ``xi``, or the whole key ``kernel.xi``.
        known: The keys that there are.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    keys = list(known)
    if name in keys:
        return name
    candidates = sorted(key for key in keys if key.endswith(f".{name}"))
    if len(candidates) == 1:
        return candidates[0]
    meant = "could be " + " or ".join(candidates) if candidates else f"is none of {', '.join(sorted(keys))}"
    message = f"name `{name}` must stand for one number of the experiment, but {meant}."
    raise ConfigurationError(message, key=name, value=name)


def _dotted(node: ast.expr) -> str:
    """The dotted name that ``node`` spells; anything else is refused."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
    message = f"Expression part `{ast.unparse(node)}` must be a name, such as coupling.alpha_x, but is not."
    raise ConfigurationError(message, key="expression", value=ast.unparse(node))
