"""The command line: `gherkube run`, `gherkube check`, `gherkube init`, `gherkube steps`.

Everything that is run is run by pytest with gherkube's plugin, so plain pytest gives the same results.
"""

from __future__ import annotations

import gc
import sys
from copy import copy
from pathlib import Path
from typing import Annotated

import typer

from gherkube.runners.cli.gameday import app as gameday
from gherkube.runners.cli.sim import app as sim

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Gherkin for Kubernetes rollouts: says whether what should happen does, on an embedded simulator.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gherkube {version('gherkube')}")
        raise typer.Exit


@app.callback()
def about(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """What stands before a command."""


@app.command()
def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|FILE:LINE]...", help="Feature files, folders, or lines."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Seed of all chance; 1 unless said.")
    ] = None,
    tags: Annotated[str, typer.Option(metavar="EXPR", help="Only these tags: '@smoke and not @slow'.")] = "",
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="Only scenarios with this text in their name.")
    ] = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="What ${NAME} stands for.")
    ] = None,
    patience: Annotated[
        str, typer.Option(metavar="TIME", help="How long a Then waits: 90s, 5m, 1m30s.")
    ] = "",
    junit: Annotated[str, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")] = "",
    report: Annotated[
        str,
        typer.Option(metavar="DIR", help="Write a report to open to this folder: index.html."),
    ] = "",
    messages: Annotated[
        str, typer.Option(metavar="FILE", help="Write the results as Cucumber Messages (ndjson).")
    ] = "",
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="simulator|kind|live|TARGET",
            help="Where to run; on the simulator unless said. At several places, when given again.",
        ),
    ] = None,
    unsaid_report: Annotated[bool, typer.Option("--unsaid-report", hidden=True)] = False,
    context: Annotated[
        str, typer.Option(metavar="NAME", help="The live cluster: a context of the kubeconfig.")
    ] = "",
    kubeconfig: Annotated[
        str, typer.Option(metavar="FILE", help="The kubeconfig; that of KUBECONFIG unless said.")
    ] = "",
    namespace: Annotated[
        str, typer.Option(metavar="NAME", help="Run in this one, in the place of new ones.")
    ] = "",
    nodes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="kind: how many nodes take pods; 3 unless said.")
    ] = None,
    image: Annotated[
        str, typer.Option(metavar="KINDEST", help="kind: what nodes are made from; kind's own unless said.")
    ] = "",
    reuse: Annotated[
        str, typer.Option(metavar="NAME", help="kind: use this cluster, make it if need be, and leave it.")
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="kind: leave the clusters of the run.")] = False,
    workers_parallel: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many scenarios at once.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show every step, and tracebacks.")
    ] = False,
) -> None:
    """Runs feature files; of the current folder and those below it when none are named.

    Exit code: 0 passed, 1 failed, 2 cannot be run as written, 3 cannot be judged here, 4 nothing
    selected, 5 internal error, 6 a scenario passed at one place and failed at another.
    """
    options = {
        "seed": seed,
        "tags": tags,
        "name": name,
        "patience": patience,
        "report": report,
        "messages": messages,
        "context": context,
        "kubeconfig": kubeconfig,
        "namespace": namespace,
        "nodes": nodes,
        "image": image,
        "reuse": reuse,
        "keep": keep or None,
        "workers-parallel": workers_parallel,
    }
    options = {key: value for key, value in options.items() if value not in (None, "")}
    if on and len(on) > 1:
        from gherkube.runners.cli.places import run_at_places

        flags = [*(f"--set={each}" for each in set_ or ()), *(["-v"] if verbose else [])]
        options |= {"junit": junit} if junit else {}
        raise typer.Exit(run_at_places(on, paths or ["."], options, flags))
    arguments = [
        f"--gherkube-{key}" if value is True else f"--gherkube-{key}={value}"
        for key, value in options.items()
    ]
    arguments += [f"--gherkube-on={each}" for each in on or ()]
    arguments += ["--gherkube-unsaid-report"] if unsaid_report else []
    arguments += [f"--gherkube-set={each}" for each in set_ or ()]
    arguments += ["-v"] if verbose else []
    gc.disable()  # until all is imported: nearly nothing of that is ever garbage
    try:
        from gherkube.runners.cli.run import run_features

        raise typer.Exit(run_features(paths or ["."], arguments, Path(junit) if junit else None))
    finally:
        gc.enable()


@app.command()
def check(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files or folders.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="What ${NAME} stands for.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what is found as JSON, for tools.")] = False,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is found as SARIF, for code review.")
    ] = None,
    on: Annotated[
        str, typer.Option(metavar="simulator|live|TARGET", help="List what this place cannot vouch for.")
    ] = "",
) -> None:
    """Looks for mistakes in feature files without running them.

    Exit code: 0 no errors (warnings and notes may be there), 2 errors, 4 no feature files, 5 internal error.
    """
    from gherkube.runners.cli.check import check_features

    options = [f"--gherkube-set={each}" for each in set_ or ()]
    options += [f"--gherkube-on={on}"] if on else []
    options += ["--gherkube-context=any"] if on == "live" else []
    raise typer.Exit(check_features(paths or ["."], options, json=json, sarif=sarif))


@app.command()
def rbac(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files or folders.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="What ${NAME} stands for.")
    ] = None,
    namespace: Annotated[
        str, typer.Option(metavar="NAME", help="Scenarios run in this one, not in new ones.")
    ] = "",
) -> None:
    """Prints the role that feature files need on a live cluster.

    Exit code: 0, or 2 when a feature cannot be run as written.
    """
    from gherkube.runners.cli.rbac import print_role

    options = [f"--gherkube-set={each}" for each in set_ or ()]
    raise typer.Exit(print_role(paths or ["."], options, namespace))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to; the current folder unless said.")] = Path(),
) -> None:
    """Writes a first feature and the settings; never overwrites a file."""
    from gherkube.runners.cli.first import write_first

    for line in write_first(folder):
        print(line)


@app.command()
def clean(
    clusters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLUSTER]...", help="Kind clusters to remove that were kept, too."),
    ] = None,
) -> None:
    """Cleans up after runs that were killed: clusters, namespaces, nodes, changes that were not put back.

    Exit code: 0 nothing is left, 1 something is and is named, 2 a cluster that gherkube did not make.
    """
    from gherkube.runners.cli.clean import clean as clean_up

    raise typer.Exit(clean_up(clusters or ()))


@app.command()
def doctor() -> None:
    """Looks at what runs on kind need (Docker, kind, room, limits), and says what to do about each.

    Exit code: 0, or 1 when nothing can be run on kind.
    """
    from gherkube.runners.cli.doctor import doctor as look

    raise typer.Exit(look())


@app.command()
def steps(
    json: Annotated[bool, typer.Option("--json", help="As JSON, for tools.")] = False,
) -> None:
    """Prints all sentences by topic, each with an example."""
    import pytest

    raise typer.Exit(
        int(pytest.main([f"--gherkube-steps={'json' if json else 'text'}", "-p", "no:cacheprovider"]))
    )


@app.command()
def serve(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="Run this with KUBECONFIG set, and end with it."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; a free port unless said.")
    ] = 0,
    address: Annotated[str, typer.Option(help="On which address; only this computer's own unless said.")] = (
        "127.0.0.1"
    ),
    http: Annotated[bool, typer.Option("--http", help="Plain HTTP, without TLS and token.")] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the kubeconfig here.")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=0, max=5000, metavar="N", help="How many nodes take pods; 3 unless said."),
    ] = None,
    kind_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name the nodes as kind does those of the cluster NAME."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Seed of all chance; 1 unless said.")
    ] = None,
    manifest: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Create what stands there at the start.")
    ] = None,
    images: Annotated[Path | None, typer.Option(metavar="FILE", help="How images behave, as YAML.")] = None,
    speed: Annotated[float, typer.Option(min=0.001, max=100000, help="Virtual seconds a second.")] = 1.0,
    clock: Annotated[str, typer.Option(metavar="real|fast|manual", help="How time passes.")] = "real",
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the state here, and go on from it.")
    ] = None,
    top: Annotated[
        bool, typer.Option("--top", help="Show workloads, pods and events as they change.")
    ] = False,
) -> None:
    """Serves the simulator as a Kubernetes API for kubectl, helm and everything else that speaks it.

    Prints the line that makes kubectl use it. Exit code: that of COMMAND, or 0; 2 when it cannot start.
    """
    from gherkube.runners.cli.serve import Options
    from gherkube.runners.cli.serve import serve as run_server

    options = Options(
        port=port,
        address=address,
        http=http,
        kubeconfig=kubeconfig,
        nodes=nodes,
        kind=kind_name,
        seed=seed,
        manifests=manifest or (),
        images=images,
        speed=speed,
        clock=clock,
        state=state,
        top=top,
        command=command or (),
    )
    raise typer.Exit(run_server(options))


app.add_typer(sim, name="sim")
app.add_typer(gameday, name="gameday")


def main() -> None:
    """The command `gherkube`."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    called = [each for each in app.registered_commands if each.callback and each.callback.__name__ == named]
    if called:  # all commands would take typer longer to make than a short run takes
        alone = copy(app)
        alone.registered_commands, alone.registered_groups, alone.registered_callback = called, [], None
        alone(sys.argv[2:], prog_name=f"{Path(sys.argv[0]).name} {named}")
    app()
