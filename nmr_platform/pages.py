"""Pages for people, as HTML or Markdown, from the templates of a room."""

from collections.abc import Callable, Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

__all__ = ["render"]


def render(room: str, template: str, filters: Mapping[str, Callable[..., str]] | None = None, **content: object) -> str:
    """A page; what it is filled with is escaped in HTML, and a name that is not there is an error.

    Args:
        room: The package whose folder ``templates`` holds the template.
        template: Its file, for instance ``page.html.jinja``.
        filters: Formats that it uses, by name.
        content: What it shows, by name.

    Raises:
        UndefinedError: The template shows something that is not there.
    """
    environment = Environment(
        loader=PackageLoader(room),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters or {}
    return environment.get_template(template).render(**content)
