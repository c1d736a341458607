"""`gherkube gameday status`: how far a game day has come, from its journal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import reading
from gherkube.runners.gameday.plan import Plan, stem
from gherkube.runners.gameday.reading import shown
from gherkube.runners.gameday.state import State
from gherkube.runners.gameday.terminal import clean, clock, picture
from gherkube.runners.live.journal import is_written, read
from gherkube.runners.live.undo import made


def tell_status(path: Path, *, json: bool) -> int:
    """Prints it; 2 when there is no journal, or it is broken."""
    try:
        journal = journal_of(path)
        records = read(journal)
    except UsageError as error:
        print(f"gherkube gameday status: {error}", file=sys.stderr)
        return 2
    state = {**State.of(records).told, "journal": str(journal), "running": is_written(journal)}
    left = [f"{each.words}: {each.told['undo']}" for each in made(records)]
    if json:
        _print_json({**state, "left": left})
    else:
        _print(state, left, journal)
    return 0


def journal_of(path: Path) -> Path:
    """The path, or of a plan the journal of its last run. UsageError when there is none."""
    return last_journal(reading.read(path)) if path.suffix in (".yaml", ".yml") else path


def last_journal(plan: Plan) -> Path:
    """The journal of a plan's last run. UsageError when there is none."""
    found = sorted(plan.folder.glob(f"{stem(plan.path)}-*.journal"), key=lambda each: each.stem)
    if not found:
        raise UsageError(
            f"{shown(plan.path)} was never run: there is no journal of it in {shown(plan.folder)}"
        )
    return found[-1]


def _print_json(state: dict[str, Any]) -> None:
    print(json.dumps(state, indent=1))


def _print(state: dict[str, Any], left: list[str], journal: Path) -> None:
    from rich.console import Console

    for each in state["log"][-20:]:
        print(f"{clock(each['at'])}  {clean(each['text'])}")
    Console(highlight=False).print(picture(state))
    if not state["running"] and state["phase"] != "ended":
        print("the run is gone, and did not come to its end")
    if not state["running"] and left:
        print("not put back:", *left, f"put it back: gherkube gameday undo {shown(journal)}", sep="\n  ")
