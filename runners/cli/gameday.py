"""`gherkube gameday`: a game day is planned, checked, rehearsed, run, halted, undone and told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Game days: planned as a file, rehearsed on the simulator, run against a cluster, always put back.",
)

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, NAME.gameday.yaml.")]
Kubeconfig = Annotated[str, typer.Option(metavar="FILE", help="The kubeconfig; the target's unless said.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="What ${NAME} stands for.")
]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; the user of this computer unless said.")]


def _options(sets: list[str] | None) -> list[str]:
    return [f"--gherkube-set={each}" for each in sets or ()]


@app.command()
def new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: NAME.gameday.yaml.")],
) -> None:
    """Asks what has to be known of a game day, and writes its plan; never overwrites a file."""
    from gherkube.runners.gameday.new import new_plan

    raise typer.Exit(new_plan(path))


@app.command()
def schema() -> None:
    """Prints the JSON Schema of plans, for editors."""
    from gherkube.runners.gameday.schema import print_schema

    raise typer.Exit(print_schema())


@app.command()
def check(plan: PlanFile, kubeconfig: Kubeconfig = "", set_: Sets = None) -> None:
    """Looks whether a game day could be run now, and touches nothing. `run` needs it.

    Exit code: 0 it could, 2 the plan cannot be run as written, 4 something stands against it.
    """
    from gherkube.runners.gameday.check import check_plan

    raise typer.Exit(check_plan(plan, kubeconfig=kubeconfig, options=_options(set_)))


@app.command()
def rehearse(
    plan: PlanFile,
    kubeconfig: Kubeconfig = "",
    set_: Sets = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="SNAPSHOT", help="Rehearse with these objects, in the place of the target's."
        ),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many times; the plan's unless said.")
    ] = None,
) -> None:
    """Plays a game day many times on the simulator, with the target's objects, and writes what to expect.

    Exit code: 0 the hypothesis is predicted to hold, 1 to be broken, 2 usage, 3 not judged.
    """
    from gherkube.runners.gameday.rehearsing import rehearse_plan

    code = rehearse_plan(plan, kubeconfig=kubeconfig, options=_options(set_), source=source, runs=runs)
    raise typer.Exit(code)


@app.command()
def run(
    plan: PlanFile,
    kubeconfig: Kubeconfig = "",
    set_: Sets = None,
    page: Annotated[
        bool, typer.Option("--page", help="Serve a page on this computer: state, halt, gates, notes.")
    ] = False,
    yes_i_am: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Confirm the gates of this person without asking."),
    ] = None,
    despite: Annotated[
        str,
        typer.Option(
            "--despite-prediction",
            metavar="OWNER",
            help="Run though the prediction is of a broken hypothesis, or of an older plan.",
        ),
    ] = "",
) -> None:
    """Runs a game day: journal first, gates, rounds, abort conditions; what it changes is put back.

    Exit code: 0 the hypothesis held, 1 broken, 2 usage, 3 not judged, 4 something stood against it and
    nothing was touched, 5 internal error, 7 ended early and all is back, 8 NOT all is back: what is left is
    listed.
    """
    from gherkube.runners.gameday.running import run_plan

    code = run_plan(
        plan, kubeconfig=kubeconfig, options=_options(set_), page=page, iam=yes_i_am or (), despite=despite
    )
    raise typer.Exit(code)


@app.command()
def undo(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="What a run has written.")],
    kubeconfig: Kubeconfig = "",
) -> None:
    """Puts back what a run changed and could not put back itself; again and again if need be.

    Exit code: as of `run`, 8 when something is left.
    """
    from gherkube.runners.gameday.undoing import undo_journal

    raise typer.Exit(undo_journal(journal, kubeconfig=kubeconfig))


@app.command()
def status(
    path: Annotated[
        Path, typer.Argument(metavar="PLAN|JOURNAL", help="A plan (its last run), or a journal.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON, for tools.")] = False,
) -> None:
    """Says how far a game day has come, from its journal."""
    from gherkube.runners.gameday.status import tell_status

    raise typer.Exit(tell_status(path, json=json))


@app.command()
def halt(
    plan: PlanFile,
    kubeconfig: Kubeconfig = "",
    by: By = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; told in the journal and report.")] = "",
) -> None:
    """Halts a game day that runs, from any computer that reaches its cluster; it puts all back.

    Exit code: 0 the run was told, 4 there is none.
    """
    from gherkube.runners.gameday.halting import halt_plan

    raise typer.Exit(halt_plan(plan, kubeconfig=kubeconfig, by=by, why=why))


@app.command()
def note(
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL|PLAN", help="What a run has written, or the plan's last.")
    ],
    text: Annotated[str, typer.Argument(help="What was found.")],
    by: By = "",
    severity: Annotated[str, typer.Option(metavar="low|medium|high", help="It is a finding.")] = "",
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who sees to the finding.")] = "",
    retest: Annotated[str, typer.Option(metavar="DATE", help="When it is tested again: 2026-12-01.")] = "",
) -> None:
    """Writes a note or a finding into the journal of a game day that is over; then report tells it, too.

    Exit code: 0 it is written, 2 usage, 4 it cannot be written.
    """
    from gherkube.runners.gameday.noting import write_note

    raise typer.Exit(write_note(journal, by, text, severity, owner, retest))


@app.command()
def report(
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL|PLAN", help="What a run has written, or the plan's last.")
    ],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; beside the journal unless said.")
    ] = None,
) -> None:
    """Writes what happened beside what was predicted: one HTML file, and Markdown."""
    from gherkube.runners.gameday.report import write_report

    raise typer.Exit(write_report(journal, folder))
