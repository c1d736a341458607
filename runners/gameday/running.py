"""`gherkube gameday run`: what has to be so before, the lock, the journal, who is shown what, and signals."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from os import execv  # as it is: within a scenario, that of `os` is held back
from pathlib import Path
from typing import Any

import yaml

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.gameday import check, hooks, lease, prediction, serving
from gherkube.runners.gameday.book import Book
from gherkube.runners.gameday.conductor import PRECONDITION, Conductor
from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.keeping import Keeper
from gherkube.runners.gameday.opening import opened, target_of
from gherkube.runners.gameday.places import cluster_at
from gherkube.runners.gameday.plan import Plan, fingerprint, stem
from gherkube.runners.gameday.reading import shown
from gherkube.runners.gameday.scope import ScopeFence
from gherkube.runners.gameday.stage import Stage
from gherkube.runners.gameday.terminal import view
from gherkube.runners.gameday.watching import SELF
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.journal import Journal
from gherkube.runners.target import Target

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_plan(
    path: Path, *, kubeconfig: str, options: Sequence[str], page: bool, iam: Sequence[str], despite: str
) -> int:
    """Runs a game day; returns the exit code.

    `page`: whether a page is served. `iam`: whose gates are confirmed without asking. `despite`: the owner's
    name, where it is to be run though its rehearsal does not speak for it.
    """

    def act(plan: Plan, stage: Stage) -> int:
        target = target_of(plan, stage.settings, kubeconfig)
        if why := against(plan, despite, checked=target is not None):
            print(f"gherkube gameday run: {why}; nothing was touched", file=sys.stderr)
            return PRECONDITION
        if predicted(plan) is None:
            print(
                f"NOT REHEARSED as it stands: gherkube gameday rehearse {shown(plan.path)} predicts",
                flush=True,
            )
        with ExitStack() as last_first:
            return _run(plan, stage, target, page, iam, last_first)

    return opened(path, options, "run", act)


def against(plan: Plan, despite: str, *, checked: bool) -> str:
    """What stands against a game day before its cluster is asked; "" when nothing does."""
    if checked and (why := check.refused(plan)):
        return f"{shown(plan.path)}: {why}"
    now, window = datetime.now(UTC), plan.window
    if window is not None and not window.begin <= now <= window.end:
        return f"its window is {window.begin.isoformat()} to {window.end.isoformat()}, and it is not now"
    if despite != plan.roles.owner and (why := doubted(plan)):
        return f"{why}, unless its owner says otherwise: --despite-prediction '{plan.roles.owner}'"
    for hook in plan.hooks:
        if hook.on == "incident":
            came = hooks.call(hook, {"event": "incident", "gameday": plan.name})
            if came.get("exit", came.get("status")) not in (0, 200, 204):
                return f"an incident may be going on: {came}"
    return ""


def doubted(plan: Plan) -> str:
    """Why its rehearsal does not speak for running it; "" where it does, or there is none."""
    try:
        found = prediction.of(plan)
    except UsageError as error:
        return str(error)
    if found is not None and found.verdict == prediction.BROKEN:
        return "its rehearsal predicts that the hypothesis is broken: mend the plan"
    return ""


def predicted(plan: Plan) -> dict[str, Any] | None:
    """What rehearsals of the plan as it stands have predicted."""
    try:
        found = prediction.of(plan)
    except UsageError:
        return None
    return None if found is None else {**json.loads(found.text), "verdict": found.verdict}


def _run(
    plan: Plan, stage: Stage, target: Target | None, page: bool, iam: Sequence[str], last_first: ExitStack
) -> int:
    """With everything that is to be closed in the end on the stack."""
    requests: Sequence[Any] = ()
    if target is None:
        target = last_first.enter_context(serving.simulator(plan))
        requests = serving.furnish(plan, stage, target)
    connection = connect(target.context, target.kubeconfig)
    last_first.callback(connection.close)
    api = LiveApi(connection, Discovery(connection))
    lock = lease.Lease(api, plan.scope.namespace, lease.holder())
    cluster = cluster_at(target)
    last_first.callback(_told, cluster.close)
    cluster.api.also = ScopeFence(plan.scope, api)
    stage.establish(requests, cluster)
    control, keeper = Control(plan.roles, iam), Keeper(lock)
    book = Book(_journal(plan), lambda error: control.halt(SELF, str(error)))
    last_first.callback(_report, book.path)
    last_first.callback(book.close)
    _take(lock, book, keeper, _begin(plan, target, connection.server, lease.cluster_of(api), lock.holder))
    last_first.callback(_told, lock.release)
    keeper.begin(control)
    conductor = Conductor(plan, stage, cluster, book, control, keeper)
    last_first.callback(_let_go, cluster, keeper)
    with _shown(conductor, control, plan, page, iam) as end_views, _halting(conductor, control, book):
        conductor.give_up = lambda step: _hand_over(book, step, end_views)
        code = conductor.run()
        keeper.close()
        if _told(lock.release):
            book.note("lease", event="released", holder=lock.holder, expires="")
        book.note("end")
    with suppress(OSError):  # nobody is there to read it
        _conclude(conductor, book)
    return code


def _conclude(conductor: Conductor, book: Book) -> None:
    """Says what to do next."""
    if book.full:
        print(f"gherkube gameday run: {book.full}", file=sys.stderr)
    if conductor.refused:
        print(f"gherkube gameday run: {conductor.refused}; nothing was touched", file=sys.stderr)
    if conductor.left:
        print(f"left: gherkube gameday undo {shown(book.path)}", file=sys.stderr)
    print(f"journal: {shown(book.path)}", flush=True)


def _hand_over(book: Book, step: str, end_views: Callable[[], object]) -> None:
    """Ends this process, with the step that hangs in it, and has `gherkube gameday undo` take its place."""
    book.note(
        "halt", by=SELF, why=f"{step} does not end, so the run ends with it, and undo puts back what it did"
    )
    end_views()
    path = str(book.path.absolute())
    with suppress(OSError):
        print(f"{step} does not end: gherkube gameday undo {shown(book.path)}", file=sys.stderr, flush=True)
    execv(sys.executable, [sys.executable, "-c", serving.MAIN, "gameday", "undo", path])


def _report(journal: Path) -> None:
    from gherkube.runners.gameday.report import write_at_end

    write_at_end(journal, "run")


def _take(lock: lease.Lease, book: Book, keeper: Keeper, begin: dict[str, Any]) -> None:
    """Begins the journal and takes the lock. Where one cannot be, there is no trace of the other."""
    try:
        book.write("begin", **begin)
        before = lock.take()
        event = "taken" if before is None else "taken over"
        book.write("lease", event=event, holder=lock.holder, expires=keeper.expires)
    except GherkubeError:
        _told(lock.release)
        book.path.unlink()
        raise
    if before is not None:
        print(f"TAKEN OVER: the lock of {before.holder} had expired: see that its journal is undone")


def _told(do: Callable[[], object]) -> bool:
    """Does it; what goes wrong is told, and does not change what the game day came to."""
    try:
        do()
    except GherkubeError as error:
        print(f"gherkube gameday run: {error}", file=sys.stderr)
        return False
    return True


def _let_go(cluster: LiveCluster, keeper: Keeper) -> None:
    """What was done was put back by the conductor, as far as it can be."""
    keeper.close()
    cluster.api.changes.release()
    cluster.api.pause_with(time.sleep)


def _journal(plan: Plan) -> Journal:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{stem(plan.path)}-{stamp}{more}.journal" for more in ("", *(f"-{n}" for n in range(2, 100))))
    return Journal.create(next(path for name in names if not (path := plan.folder / name).exists()))


def _begin(plan: Plan, target: Target, server: str, uid: str, holder: str) -> dict[str, Any]:
    return {
        "plan": yaml.safe_load(plan.path.read_text("utf-8")),
        "plan_path": str(plan.path.absolute()),
        "fingerprint": fingerprint(plan),
        "target": plan.target,
        "context": target.context,
        "kubeconfig": str(Path(target.kubeconfig).absolute()) if target.kubeconfig else "",
        "cluster": server,
        "uid": uid,
        "namespace": plan.scope.namespace,
        "operator": plan.roles.operator,
        "holder": holder,
        "features": {str(each.feature): each.feature.read_text("utf-8") for each in plan.rounds},
        "prediction": predicted(plan),
        "version": version("gherkube"),
    }


@contextmanager
def _shown(
    conductor: Conductor, control: Control, plan: Plan, page: bool, iam: Sequence[str]
) -> Iterator[Callable[[], object]]:
    """Shows how things stand in the terminal, and on a page; yields what ends that."""
    views: list[Any] = [view(control, iam[0] if iam else plan.roles.operator)]
    if page:
        from gherkube.runners.gameday.page import Page

        views.append(Page(control))
        print(f"page: {views[-1].url}", flush=True)

    def each(do: Callable[[Any], object]) -> None:
        for one in list(views):
            try:
                do(one)
            except Exception:  # a terminal that is gone keeps nobody from putting back what was done
                views.remove(one)

    def show() -> None:
        state = conductor.state()
        each(lambda one: one.show(state))

    conductor.watch.show = show
    try:
        yield lambda: each(lambda one: one.close())
    finally:
        show()
        each(lambda one: one.close())


@contextmanager
def _halting(conductor: Conductor, control: Control, book: Book) -> Iterator[None]:
    """The first signal halts; another one says how to go on."""

    def stop(number: int, _: object) -> None:
        if control.halted is None:
            control.halt(signal.Signals(number).name, "stopped by a signal")
            return
        conductor.hurried = True
        with suppress(OSError, RuntimeError):  # nobody reads it, or something is just being printed
            print(
                "what was done is being put back, and that is not skipped. If it must end: kill -9, then "
                f"gherkube gameday undo {shown(book.path)}",
                file=sys.stderr,
                flush=True,
            )

    before = {number: signal.signal(number, stop) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
