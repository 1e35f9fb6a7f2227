"""What looks like a secret in a line of code or settings, and the line without it."""

import re

from nmr_platform.tracking.masking import MASK, masked_uri

__all__ = ["is_private_key", "masked_secrets"]

_NAME = r"[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|(?:api|access|private|account)[_-]?key)\w*"
# `name: value`, `"name": "value"`, `name: str = "value"`; of a program only what is quoted: the rest is an expression.
_QUOTED = re.compile(
    rf"""({_NAME}["']?\]?(?:\s*:\s*[\w\[\], |.]+)?\s*[:=]\s*[bru]?(["']))(?!\*\*\*)(?:(?!\2).){{4,}}(?=\2)""",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"""^(.?\s*(?:-\s+)?{_NAME}\s*[:=]\s*)(?!\*\*\*|["'\[{{|>&!]|null\b|true\b|false\b)[^\s=]\S{{3,}}.*$""",
    re.IGNORECASE,
)
_HEADER = re.compile(r"\b((?:Bearer|Basic|Token)\s+)(?=[^\s\"']*\d)[A-Za-z0-9._~+/=-]{12,}")
_KEYS = re.compile(
    r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{12,}|xox[abeoprs]-[\w-]{10,}"
    r"|sk-[\w-]{16,}|hf_[A-Za-z0-9]{16,}|npm_\w{16,}|pypi-[\w-]{16,}|dapi[0-9a-f]{32}|AIza[\w-]{30,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_WORD = re.compile(r"[A-Za-z0-9+_-]{24,}")
_MIXED = re.compile(r"(?=(?:.*[a-z]){3})(?=(?:.*[A-Z]){3})(?=(?:.*[0-9]){3})")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")


def masked_secrets(line: str, *, code: bool = False) -> str:
    """A line without passwords in addresses, values that are called a secret, keys of known forms, and random words.

    Args:
        line: One line.
        code: Whether it is of a program, in which a secret is a literal in quotes.

    Example:
        >>> masked_secrets("token: 0123abcd")
        'token: ***'
        >>> masked_secrets("token = uuid4().hex", code=True)
        'token = uuid4().hex'
    """
    line = _QUOTED.sub(rf"\1{MASK}", masked_uri(line))
    if not code:
        line = _BARE.sub(rf"\1{MASK}", line)
    line = _KEYS.sub(MASK, _HEADER.sub(rf"\1{MASK}", line))
    return _WORD.sub(lambda word: MASK if _MIXED.match(word[0]) else word[0], line)


def is_private_key(text: str) -> bool:
    """Whether a key begins in ``text``, which goes over many lines."""
    return _PRIVATE_KEY.search(text) is not None
