"""The page of an inference: what was measured, what the record shows, what it tells, and what it does not."""

from pathlib import Path

from nmr_platform.inference.matched.way import Inference
from nmr_platform.pages import render

__all__ = ["render_page"]


def render_page(found: Inference, file: Path, digest: str, command: str, suffix: str) -> str:
    """The page as HTML or Markdown; its picture, ``record.png``, lies beside it.

    Args:
        found: The answer.
        file: Where the record was read.
        digest: Of the record.
        command: What repeats it.
        suffix: ``html`` or ``md``.
    """
    room, template = "nmr_platform.inference.matched", f"page.{suffix}.jinja"
    return render(room, template, found=found, file=file, digest=digest, command=command)
