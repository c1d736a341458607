"""`gherkube gameday halt`: asks a game day that runs to halt, through its lock, from any computer."""

from __future__ import annotations

import sys
from getpass import getuser
from pathlib import Path

from gherkube.runners import settings
from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.gameday import reading
from gherkube.runners.gameday.lease import Lease, holder
from gherkube.runners.gameday.opening import target_of
from gherkube.runners.gameday.plan import Plan
from gherkube.runners.gameday.status import last_journal
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.journal import read

USAGE, PRECONDITION = 2, 4


def halt_plan(path: Path, *, kubeconfig: str, by: str, why: str) -> int:
    """0 once its holder is told; 4 when none runs."""
    try:
        plan = reading.read(path)
        context, file = _place(plan, kubeconfig)
        connection = connect(context, file)
        try:
            lease = Lease(LiveApi(connection, Discovery(connection)), plan.scope.namespace, holder())
            told = lease.ask_to_halt(by or getuser(), why or "asked with gherkube gameday halt")
        finally:
            connection.close()
    except UsageError as error:
        print(f"gherkube gameday halt: {error}", file=sys.stderr)
        return USAGE
    except GherkubeError as error:
        print(f"gherkube gameday halt: {error}", file=sys.stderr)
        return PRECONDITION
    print(f"{told.holder} was told to halt, and puts back what it did")
    return 0


def _place(plan: Plan, kubeconfig: str) -> tuple[str, str]:
    """Context and kubeconfig of the plan's target; of a simulator those that its run wrote down."""
    file = settings.find([plan.path.absolute().parent, Path.cwd()])
    found = (settings.load(file) if file else None) or settings.Settings()
    if plan.target not in (*found.targets, "simulator"):
        raise UsageError(f"{plan.path}: the target {plan.target!r} is not in the settings; name one that is")
    target = target_of(plan, found, kubeconfig)
    if target is not None:
        return target.context, target.kubeconfig
    begin = read(last_journal(plan))[0].data
    return begin["context"], begin["kubeconfig"]
