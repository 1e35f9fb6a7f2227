"""The page of an inference: what was measured, what the record shows, what it tells, and what it does not."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nmr_platform.inference.matched.way import Inference

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
    environment = Environment(
        loader=PackageLoader("nmr_platform.inference.matched"),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(f"page.{suffix}.jinja")
    return template.render(found=found, file=file, digest=digest, command=command)
