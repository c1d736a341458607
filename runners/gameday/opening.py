"""How each command begins with a plan: it is read, and its sentences and scenarios are looked at, before
anything else; all that is wrong with it is told at once."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.gameday.plan import Plan
from gherkube.runners.gameday.reading import look, told
from gherkube.runners.gameday.rules import unfit
from gherkube.runners.gameday.shapes import Mistake
from gherkube.runners.gameday.stage import Stage, with_stage
from gherkube.runners.live.fences import Fenced, Fences
from gherkube.runners.settings import Settings
from gherkube.runners.target import SIMULATOR, Target

if TYPE_CHECKING:
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.discovery import Discovery

USAGE, PRECONDITION, INTERNAL = 2, 4, 5
"""Exit codes: what was asked cannot be done as it is written; something stands against it; a mistake of
gherkube's own, or of a project's steps."""


def opened(path: Path, options: Sequence[str], command: str, act: Callable[[Plan, Stage], int]) -> int:
    """Runs `act` in the session of the plan's features, and returns its exit code.

    USAGE, and all mistakes on standard error, when the plan cannot be run as it is written.
    """
    try:
        plan, mistakes, lines = look(path)
    except UsageError as error:
        return _refuse(str(error))
    there = tuple(each for each in plan.rounds if each.feature.is_file())
    if not there:
        return _tell(path, mistakes) or USAGE

    def checked(stage: Stage) -> int:
        nonlocal mistakes
        mistakes, found = [], sorted([*mistakes, *unfit(replace(plan, rounds=there), stage, lines)])
        return _tell(path, found) or act(plan, stage)

    try:
        code = with_stage(replace(plan, rounds=there), options, checked)
    except UsageError as error:
        return _refuse(f"gherkube gameday {command}: {error}")
    except GherkubeError as error:
        print(f"gherkube gameday {command}: {error}", file=sys.stderr)
        return PRECONDITION
    except Exception:
        traceback.print_exc()
        return INTERNAL
    _tell(path, mistakes)  # those that the session did not come to
    return code


def target_of(plan: Plan, settings: Settings, kubeconfig: str = "") -> Target | None:
    """The target with its fences, where things are in the plan's namespace; None: the simulator.

    The fences stay those of the settings. Raises Fenced for a namespace that they do not allow.
    """
    if plan.target == SIMULATOR:
        return None
    target = settings.targets[plan.target]
    allowed = {target.namespace, *target.namespaces} - {""}
    if not target.disposable and (outside := [each for each in plan.scope.namespaces if each not in allowed]):
        raise Fenced(
            f"namespace {', '.join(outside)} is outside of the fences of target {plan.target!r}: "
            f"its namespaces are {', '.join(sorted(allowed)) or 'none'}"
        )
    return target._replace(
        kubeconfig=kubeconfig or target.kubeconfig,
        namespace=plan.scope.namespace,
        namespaces=plan.scope.namespaces,
    )


@contextmanager
def reached(target: Target) -> Iterator[tuple[LiveApi, Discovery, Target]]:
    """The API of a target, what it serves, and the target as its fences hold there.

    Raises CannotJudge where nobody or another cluster answers.
    """
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.connection import connect
    from gherkube.runners.live.discovery import Discovery

    connection = connect(target.context, target.kubeconfig)
    try:
        connection.clock_skew(0.0)
        Fences(target, connection)
        discovery = Discovery(connection)
        api = LiveApi(connection, discovery)
        yield api, discovery, target._replace(disposable=target.disposable or _is_served(api))
    finally:
        connection.close()


def _is_served(api: LiveApi) -> bool:
    """Whether a `gherkube serve` answers, which is disposable."""
    from gherkube.runners.live.served import find

    return find(api) is not None


def _tell(path: Path, mistakes: Sequence[Mistake]) -> int:
    """Tells the mistakes; USAGE when one of them is more than a warning."""
    for line in told(path, list(mistakes)):
        print(line, file=sys.stderr)
    return USAGE if any(not each.is_warning for each in mistakes) else 0


def _refuse(what: str) -> int:
    print(what, file=sys.stderr)
    return USAGE
