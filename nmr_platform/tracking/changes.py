"""What was not committed when something was made: a patch that applies to the commit, and holds no secrets unasked."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking.git import ask_git
from nmr_platform.tracking.secrets import is_private_key, masked_secrets

__all__ = ["PATCH", "SOURCES", "Changes", "LineageWarning", "patch_bytes", "uncommitted_changes"]

PATCH = "uncommitted.patch"
"""Name of the patch among the files of a model."""

SOURCES = ("*.py", "*.toml", "*.yaml", "*.yml", "requirements*.lock")
"""What can change a result. Tracked outputs and `dvc.lock` do change half-way through `dvc repro`, and say nothing."""

_VARIABLE = "NMR_UNCOMMITTED"
_KEEP, _OMIT = "keep", "omit"
# Each of these has a setting by which a user gets a patch that people like to read and `git apply` does not take.
_CONFIGURED = ("core.quotePath=true", "diff.suppressBlankEmpty=false", "diff.autoRefreshIndex=true")
_PLAIN = (
    *("--patch", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "--inter-hunk-context=0"),
    *("--ignore-submodules=all", "--ws-error-highlight=none"),
)
_CONTEXTS = ("--unified=3", "--unified=1")
# What follows the numbers is for people: the last line before that git takes for the head of a section.
_PLACE = re.compile(r"^(@@ -[\d,]+ \+[\d,]+ @@).*$", re.MULTILINE)
_BINARY = "GIT binary patch"
_ESCAPE = "surrogateescape"


class LineageWarning(UserWarning):
    """Something of the working tree is kept with a result, or is not, so that it cannot be made again."""


@dataclass(frozen=True)
class Changes:
    """The changes since a commit.

    Attributes:
        patch: Takes the commit to what was there, but for what follows; bytes that are no UTF-8 are surrogates, see
            `patch_bytes`. Empty if there are none, or none are to be kept.
        kept: Files that it changes.
        masked: Those of them in whose new lines something that looks like a secret was replaced.
        left_out: Files that it does not change, because their old lines hold something that looks like a secret.
    """

    patch: str = ""
    kept: Sequence[str] = ()
    masked: Sequence[str] = ()
    left_out: Sequence[str] = ()

    def __str__(self) -> str:
        """Return what is kept, for whom, and how to turn it off; empty if there is nothing to say."""
        said = []
        if self.kept:
            said.append(
                f"Changes that are not committed ({_listed(self.kept)}) are kept as `{PATCH}` with the study and the "
                f"model, for all who can read them; {_VARIABLE}={_OMIT} keeps none."
            )
        if self.masked:
            said.append(f"What looks like a secret was masked ({_listed(self.masked)}).")
        if self.left_out:
            said.append(
                f"Changes of {_listed(self.left_out)} hold what looks like a secret and are not kept, so that the "
                "result cannot be made again from its commit."
            )
        return " ".join(said)


def uncommitted_changes(root: Path, commit: str = "HEAD") -> Changes:
    """The changes of code and settings since a commit.

    Files that git does not know are not among them. ``NMR_UNCOMMITTED=omit`` keeps none.

    Args:
        root: The repository.
        commit: Since when.

    Raises:
        ConfigurationError: ``NMR_UNCOMMITTED`` is neither ``keep`` nor ``omit``.
    """
    choice = os.environ.get(_VARIABLE) or _KEEP
    if choice not in {_KEEP, _OMIT}:
        message = f"Variable `{_VARIABLE}` must be {_KEEP} or {_OMIT}, but is {choice!r}."
        raise ConfigurationError(message, key=_VARIABLE, value=choice)
    names = None if choice == _OMIT else _diff(root, commit, "--name-only", "--no-renames", "-z", "--", *SOURCES)
    kept, masked, left_out, parts = [], [], [], []
    for name in map(os.fsdecode, (names or b"").split(b"\0")[:-1]):
        for context in _CONTEXTS:
            difference = _difference(root, commit, name, context)
            harmless = _harmless(root, commit, name, difference)
            if harmless is not None:
                kept.append(name)
                parts.append(harmless)
                masked += [name] if harmless != difference else []
                break
        else:
            left_out.append(name)
    heads = [("What looks like a secret is masked in", masked), ("For what looks like a secret, this lacks", left_out)]
    head = "".join(f"# {what} {', '.join(which)}.\n" for what, which in heads if which)
    return Changes(head + "".join(parts), tuple(kept), tuple(masked), tuple(left_out))


def patch_bytes(patch: str) -> bytes:
    """The patch as `git apply` reads it."""
    return patch.encode(errors=_ESCAPE)


def _diff(root: Path, commit: str, *arguments: str) -> bytes | None:
    settings = [argument for setting in _CONFIGURED for argument in ("-c", setting)]
    return ask_git(root, *settings, "diff", f"-O{os.devnull}", commit, *arguments)


def _difference(root: Path, commit: str, name: str, context: str) -> str:
    answer = _diff(root, commit, *_PLAIN, context, "--", f":(top,literal){name}")
    return _PLACE.sub(r"\1", (answer or b"").decode(errors=_ESCAPE))


def _harmless(root: Path, commit: str, name: str, difference: str) -> str | None:
    """A file's part of the patch with secrets masked in its new lines; None if there are some that must stay."""
    if is_private_key(difference) or (_BINARY in difference and _holds_secrets(root, commit, name)):
        return None
    code = PurePosixPath(name).suffix == ".py"
    head, hunks, body = difference.partition("\n@@")
    before = (hunks + body).split("\n")
    after = [masked_secrets(line, code=code) for line in before]
    # Old lines must be those of the commit.
    if any(old != new and not old.startswith("+") for old, new in zip(before, after, strict=True)):
        return None
    return head + "\n".join(after)


def _holds_secrets(root: Path, commit: str, name: str) -> bool:
    """Whether a file that is no text to git, in UTF-16 perhaps, holds secrets now or did in the commit."""
    top = (ask_git(root, "rev-parse", "--show-toplevel") or b"").rstrip(b"\n")
    place = Path(os.fsdecode(top)) / name
    now = place.read_bytes() if place.is_file() else b""
    before = ask_git(root, "show", f"{commit}:{name}") or b""
    texts = [content.replace(b"\0", b"").decode("latin-1") for content in (now, before)]
    return any(is_private_key(text) or masked_secrets(line) != line for text in texts for line in text.splitlines())


def _listed(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
