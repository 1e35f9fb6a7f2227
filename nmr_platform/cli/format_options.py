"""Commands whose options the formats declare: one signature, made when the command is called."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from nmr_platform.exchange import Option

__all__ = ["add_command"]


def add_command(
    app: typer.Typer, name: str, command: Callable[..., None], options: Callable[[], Sequence["Option"]]
) -> None:
    """Add a command that takes more options than those in its signature.

    Args:
        app: Where to.
        name: What it is called.
        command: Its function; the further options that were given come by keyword.
        options: The further options; asked for when the command is called, because formats take a second to import.
    """

    class Whole(TyperCommand):
        def whole(self) -> Any:
            """The command with all of its options."""
            alone = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            alone.command(name)(_with_options(command, options()))
            return typer.main.get_command(alone)

        def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
            return self.whole().make_context(info_name, args, parent, **extra)

    app.command(name, cls=Whole)(_with_options(command, ()))


def _with_options(command: Callable[..., None], options: Sequence["Option"]) -> Callable[..., None]:
    """The function with a signature that names further options, between its arguments and its own options."""

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        own = {name: value for name, value in given.items() if name in signature.parameters}
        command(**own, **{option.name: given[option.name] for option in options if given[option.name] is not None})

    signature = inspect.signature(command)
    own = list(signature.parameters.values())
    arguments = [each for each in own if each.kind is each.POSITIONAL_OR_KEYWORD]
    keywords = [each for each in own if each.kind is each.KEYWORD_ONLY]
    further = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if option.required else None,
            annotation=Annotated[
                option.kind if option.required else option.kind | None,
                typer.Option(option.flag, min=option.least, help=option.meaning),
            ],
        )
        for option in options
    ]
    wrapper.__signature__ = signature.replace(parameters=[*arguments, *further, *keywords])  # type: ignore[attr-defined]
    return wrapper
