"""The page of an inference: what was measured, what the record shows, what it tells, and what it does not."""

from collections.abc import Mapping
from pathlib import Path

from nmr_platform.inference.matched.way import Inference
from nmr_platform.pages import render

__all__ = ["render_page"]


def render_page(
    found: Inference, title: str, files: Mapping[str, Path], pictures: Mapping[str, str], command: str, suffix: str
) -> str:
    """The page as HTML or Markdown.

    Args:
        found: The answer.
        title: What was measured.
        files: Where each record was read, by its name.
        pictures: What lies beside the page: files, and what each shows; those of candidates begin with ``refined``.
        command: What repeats it.
        suffix: ``html`` or ``md``.
    """
    room, template = "nmr_platform.inference.matched", f"page.{suffix}.jinja"
    refined = {name: shows for name, shows in pictures.items() if name.startswith("refined")}
    others = {name: shows for name, shows in pictures.items() if name not in refined}
    return render(
        room, template, found=found, title=title, files=files, refined=refined, pictures=others, command=command
    )
