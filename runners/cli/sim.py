"""`gherkube sim`: what no kubectl can ask of a cluster, asked of a `gherkube serve`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Faults, images and time of a server that `gherkube serve` runs.",
)
_asked: dict[str, Path | None] = {}


@app.callback()
def server(
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Of which server; that of KUBECONFIG, or the only one, unless said."
        ),
    ] = None,
) -> None:
    """Faults, images and time of a server that `gherkube serve` runs."""
    _asked["kubeconfig"] = kubeconfig


@app.command()
def status() -> None:
    """Prints seed, time and nodes, as JSON."""
    _print(_ask("GET", ""))


@app.command()
def stop_node(name: Annotated[str, typer.Argument(help="As in node-2.")]) -> None:
    """Takes the power from a node: kubelet and containers stop, the API server hears no more."""
    _ask("POST", f"/nodes/{name}/stop")


@app.command()
def start_node(name: Annotated[str, typer.Argument(help="As in node-2.")]) -> None:
    """Gives a node its power back."""
    _ask("POST", f"/nodes/{name}/start")


@app.command()
def advance(time: Annotated[str, typer.Argument(help="As in 90s, 5m, 1h30m.")]) -> None:
    """Lets that much virtual time pass at once, and prints the time it is then."""
    _print(_ask("POST", "/clock/advance", {"seconds": time}))


@app.command()
def clock(
    mode: Annotated[str, typer.Argument(metavar="[real|fast|manual]", help="How time passes.")] = "",
    speed: Annotated[float | None, typer.Option(help="Virtual seconds a second.")] = None,
) -> None:
    """Says how time passes from now on, and prints how it does."""
    wanted: dict[str, Any] = {"mode": mode} if mode else {}
    wanted |= {} if speed is None else {"speed": speed}
    _print(_ask("PATCH", "/clock", wanted) if wanted else _ask("GET", "/clock"))


@app.command()
def images(
    sentences: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SENTENCE]...", help="""As in 'image "hello:2" does not exist'."""),
    ] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Such sentences, as YAML.")] = None,
) -> None:
    """Says how images behave from now on, and prints all that was said of them."""
    said: Any = sentences or None
    if file is not None:
        from gherkube.runners.cli.serve import said_in

        said = _told(lambda: said_in(file))
    _print(_ask("PATCH", "/images", said) if said else _ask("GET", "/images"))


@app.command()
def seed(number: Annotated[int, typer.Argument(min=0, help="The seed.")]) -> None:
    """Lets all chance come from another seed from now on."""
    _print(_ask("PATCH", "/seed", {"seed": number}))


def _ask(method: str, path: str, body: Any = None) -> Any:
    from gherkube.runners.simulator.server.runs import ask, find

    return _told(lambda: ask(find(_asked["kubeconfig"]), method, path, body))


def _told(do: Any) -> Any:
    """What comes of it; a user's mistake is told without a traceback."""
    from gherkube.runners.errors import UsageError

    try:
        return do()
    except UsageError as error:
        print(f"gherkube sim: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def _print(answer: Any) -> None:
    print(json.dumps(answer, indent=2))
