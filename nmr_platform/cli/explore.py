"""`nmr explore`: an echo to play with, in the browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmr_platform.cli.options import ParamsOption
from nmr_platform.errors import ConfigurationError

if TYPE_CHECKING:
    from nmr_platform.exchange import Option

__all__ = ["explore", "explore_options"]


def explore(
    experiment: Annotated[
        Path | None,
        typer.Argument(
            dir_okay=False, help="Experiment or measurement as YAML; by default what the champions learnt from."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="nmr-W@champion, models:/nmr-W/3 or a folder; may be repeated. Else champions."),
    ] = None,
    measured: Annotated[
        Path | None, typer.Option("--measured", help="A measured record to lay over, of any format of `nmr import`.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the disorder.")] = 0,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5100,
    *,
    params: ParamsOption = Path("params.yaml"),
    **options: Any,
) -> None:
    """Open a page on which coupling, line and pulses (MHz, us, degrees) are moved and the echo follows.

    It shows what the models see in the echo and read from it, and gives its state as YAML for `nmr simulate`.

    Example: `nmr explore`, `nmr explore mine.yaml --port 5101`, `nmr explore mine.yaml --measured echo.csv --unit us`
    """
    from nmr_platform.explorer import Opening, serve_explorer  # noqa: PLC0415

    if options and measured is None:
        name, value = next(iter(options.items()))
        message = f"Option `--{name.replace('_', '-')}` has no meaning without `--measured`."
        raise ConfigurationError(message, key=name, value=value)
    opening = Opening(
        measurement=None if experiment is None else str(experiment),
        seed=seed,
        root=str(params.parent),
        models=tuple(model or ()),
        measured=None if measured is None else str(measured),
        options=options,
    )
    raise typer.Exit(serve_explorer(typer.echo, opening, port=port))


def explore_options() -> list["Option"]:
    """What the readers and corrections take."""
    from nmr_platform import exchange  # noqa: PLC0415

    return [option for option in exchange.predict_options() if option.name not in {"scale", "resample"}]
