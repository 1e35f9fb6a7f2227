"""The report as a page and as Markdown, from the same content."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nmr_platform.reporting.content import Content

__all__ = ["render_html", "render_markdown"]


def render_html(content: Content) -> str:
    """The report as one HTML page; its pictures lie beside it."""
    return _render("report.html.jinja", content)


def render_markdown(content: Content) -> str:
    """The report as Markdown."""
    return _render("report.md.jinja", content)


def _render(template: str, content: Content) -> str:
    environment = Environment(
        loader=PackageLoader("nmr_platform.reporting"),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = lambda value: f"{value:.3f}"
    return environment.get_template(template).render(content=content)
