"""Addresses, and what programs say about them, without their passwords."""

import re
from contextlib import suppress
from urllib.parse import parse_qsl, quote, unquote, urlsplit

__all__ = ["MASK", "masked_address", "masked_uri", "without_secrets"]

MASK = "***"

# The user is a token then.
_NO_PASSWORDS = {"", "x", "x-oauth-basic"}

# A password may hold anything; quotes, brackets and stops that close the word around it are no part of it.
_CLOSING = r"""(?:["')\]},;:.]+(?:\s|$)|["'][,;:)}\]])"""
_REST = rf"(?:(?!{_CLOSING})\S)*"
_USERINFO = re.compile(rf"(?<=://)(?![/\s]){_REST}@")
_BARE = re.compile(rf"(?<![\w/:.@])[\w.+-]+:(?!//)(?=[^\s@]){_REST}@(?=\w)")
_SECRET = r"[\w.-]*(?:pass|pwd|secret|token|signature|key|cred|auth)[\w.-]*|sig"
_QUERY = re.compile(rf"([?&;](?:{_SECRET})=)(?:(?!{_CLOSING})[^&\s])+", re.IGNORECASE)
_VALUE = re.compile(rf"([?&;](?:{_SECRET})=)[^&]+", re.IGNORECASE)
_ASSIGNED = re.compile(rf"""(\b(?:{_SECRET})\s*=\s*)('[^']*'|\S+)""", re.IGNORECASE)


def masked_uri(text: str) -> str:
    """Replace the passwords in every address that ``text`` contains by ``***``.

    What stands before an ``@`` is shown up to its first colon; without one, it may be a token, and is not shown.

    Example:
        >>> masked_uri("nobody at http://ada:pa55/word@h/api?sig=0123")
        'nobody at http://ada:***@h/api?sig=***'
    """
    return _QUERY.sub(rf"\1{MASK}", _BARE.sub(_masked_userinfo, _USERINFO.sub(_masked_userinfo, text)))


def masked_address(uri: str) -> str:
    """What is known to be one address, without its password, whatever is in it; it may lack its scheme.

    Example:
        >>> masked_address('postgresql://ada:pa 55"@db/nmr'), masked_address("ada:pa55@db/nmr")
        ('postgresql://ada:***@db/nmr', '***@db/nmr')
    """
    scheme, mark, rest = uri.partition("://")
    if not mark:
        _, at, place = uri.rpartition("@")
        return _ASSIGNED.sub(rf"\1{MASK}", _VALUE.sub(rf"\1{MASK}", f"{MASK}{at}{place}" if at else uri))
    userinfo, at, place = rest.rpartition("@")
    if at and not rest.startswith("/"):
        rest = f"{_user(userinfo)}@{place}"
    return _VALUE.sub(rf"\1{MASK}", f"{scheme}{mark}{rest}")


def without_secrets(text: str, uri: str) -> str:
    """What a program said about an address, without the address's password in any form, and without any other.

    Args:
        text: For instance the message of an error.
        uri: The address.
    """
    text = text.replace(uri, masked_address(uri))
    for secret in sorted(_secrets(uri), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return masked_uri(text)


def _masked_userinfo(found: re.Match[str]) -> str:
    return f"{_user(found[0].removesuffix('@'))}@"


def _user(userinfo: str) -> str:
    user, _, password = userinfo.partition(":")
    return MASK if password in _NO_PASSWORDS else f"{user}:{MASK}"


def _secrets(uri: str) -> set[str]:
    """What must not be shown of an address, as it is written, and as the libraries that read it take it."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 a command that fails can wait for it
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    found: set[str | None] = set()
    rest = uri.partition("://")[2] or uri
    if not rest.startswith("/"):
        userinfo = rest.rpartition("@")[0]
        found.add(userinfo.partition(":")[2] or userinfo)
    queries = parse_qsl(uri.partition("?")[2], keep_blank_values=True)
    found |= {value for name, value in queries if re.fullmatch(_SECRET, name, re.IGNORECASE)}
    found |= {match[2].strip("'") for match in _ASSIGNED.finditer(uri)}
    with suppress(ArgumentError, ValueError):
        found.add(make_url(uri).password)
    with suppress(ValueError):
        found.add(urlsplit(uri).password)
    known = {secret for secret in found if secret}
    return known | {quote(secret, safe="") for secret in known} | {unquote(secret) for secret in known}
