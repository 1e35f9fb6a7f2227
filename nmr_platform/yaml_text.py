"""YAML as DVC reads it: version 1.2, each key once, one document, of a size and depth that a person writes."""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

__all__ = ["parse_yaml"]

_DEEPEST = 50
_LONGEST = 1_000_000
_MOST_VALUES = 1_000_000
# So many brackets in a row take the scanner minutes before anybody can count levels.
_OPENED = re.compile(rf"(?:[\[{{]\s*){{{_DEEPEST}}}")


def parse_yaml(text: str) -> Any:
    """Read one document into plain data.

    ``030`` is thirty, ``1:30`` and ``yes`` are texts and ``1e-5`` is a number, in our checks as in DVC's.

    Args:
        text: The document.

    Raises:
        ValueError: It is not YAML, holds a key twice, refers to itself, or is larger or deeper than anything that a
            person writes; the message completes the sentence "It ...".

    Example:
        >>> parse_yaml("{a: 030, b: 1e-5, c: yes}")
        {'a': 30, 'b': 1e-05, 'c': 'yes'}
    """
    if len(text) > _LONGEST:
        message = f"is longer than {_LONGEST:,} characters"
        raise _Unreasonable(message)
    if _OPENED.search(text):
        raise _Unreasonable
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _Composer
    try:
        node = reader.compose(text)
        _require_reasonable(node)
        return None if node is None else reader.constructor.construct_document(node)
    except YAMLError as error:
        message = f"is not valid YAML: {_reason(error)}"
        raise ValueError(message) from error
    except _Unreasonable:
        raise
    except (ValueError, OverflowError, TypeError, LookupError) as error:
        # A tag or a look that its text does not keep to, for instance a 40th of March.
        message = f"holds a value that cannot be read ({error})"
        raise ValueError(message) from error


class _Unreasonable(ValueError):
    """More than a person writes."""

    def __init__(self, what: str = f"is nested deeper than {_DEEPEST} levels") -> None:
        super().__init__(what)


class _Composer(Composer):
    """Stops before Python's own stack ends."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._depth += 1
        if self._depth > _DEEPEST + 1:
            raise _Unreasonable
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _require_reasonable(node: Node | None) -> None:
    """Refuse, before anything is built, what its aliases make endless or too large."""
    if node is not None and _size(node, {}, []) > _MOST_VALUES:
        message = f"holds more than {_MOST_VALUES:,} values"
        raise _Unreasonable(message)


def _size(node: Node, known: dict[int, int], above: list[int]) -> int:
    """How many values a node stands for if every alias is written out."""
    if not isinstance(node, CollectionNode):
        if any("\ud800" <= letter <= "\udfff" for letter in node.value):
            message = f"holds half a character in line {node.start_mark.line + 1}"
            raise _Unreasonable(message)
        return 1
    if id(node) in above:
        message = f"refers to itself in line {node.start_mark.line + 1}"
        raise _Unreasonable(message)
    if len(above) >= _DEEPEST:
        raise _Unreasonable
    if id(node) not in known:
        pairs = node.value if isinstance(node, MappingNode) else [(inner,) for inner in node.value]
        known[id(node)] = 1 + sum(_size(inner, known, [*above, id(node)]) for pair in pairs for inner in pair)
    return known[id(node)]


def _reason(error: YAMLError) -> str:
    """What is wrong and where, without the advice for programmers."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if not problem or mark is None:
        return " ".join(str(error).split())
    return f"{' '.join(str(problem).split())}, in line {mark.line + 1}, column {mark.column + 1}"
