"""What is looked at before a game day on a live target: all that it does there; nothing is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.gameday.ground import AGAINST, NOTE, OK, Finding, Ground
from gherkube.runners.gameday.lease import HALT, NAME, Lease, holder, stamp
from gherkube.runners.gameday.places import kind_of
from gherkube.runners.gameday.simulated import Write
from gherkube.runners.live.access import Need, base, manifest, missing
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.served import find as find_served

VERBS = {"create": "create", "replace": "update", "patch": "patch", "delete": "delete", "post": "create"}
"""What each write needs to be allowed."""
READS = ("get", "list", "watch")
UNDOES = {"create": ("get", "delete"), "delete": ("get", "create"), "post": ("get",)}
"""What putting it back needs; a change needs to get and update."""


def _fences(ground: Ground) -> Iterator[Finding]:
    refused = ground.played.refused
    if refused:
        yield Finding("fences", AGAINST, "they do not allow all of it", tuple(refused))
    else:
        yield Finding("fences", OK, f"they allow all of it ({len(ground.writes)} acts)")


def _vouched(ground: Ground) -> Iterator[Finding]:
    """Sentences that mean nothing on a cluster that others use."""
    api, _, target = ground.live
    if find_served(api) is not None:
        return
    scenarios = (each for round_ in ground.plan.rounds for each in ground.stage.scenarios(round_))
    breaks = bool(kind_of(target.context))
    doubts = [doubt for each in scenarios for doubt in ground.stage.unvouched(each, target, breaks=breaks)]
    if doubts:
        words = "a live cluster cannot vouch for all of them"
        yield Finding("sentences", AGAINST, words, tuple(dict.fromkeys(doubts)))


def _rights(ground: Ground) -> Iterator[Finding]:
    """Whether the API server allows exactly this, and putting it back."""
    api, discovery, target = ground.live
    needs = set(base(ground.plan.scope.namespaces, makes=False))
    for round_ in ground.plan.rounds:
        for scenario in ground.stage.scenarios(round_):
            needs |= set(map(_looks, ground.stage.needs(scenario, ground.plan.scope.namespace)))
    for write in ground.requests:
        group, verbs = discovery.named(write.resource).group, UNDOES.get(write.verb, ("get", "update"))
        below = f"/{write.subresource}" if write.subresource else ""
        needs.add(Need(VERBS[write.verb], group, f"{write.resource}{below}", write.namespace))
        needs |= {Need(verb, group, write.resource, write.namespace) for verb in verbs}
    for verb in ("get", "create", "update", "patch", "delete"):
        needs.add(Need(verb, "coordination.k8s.io", "leases", ground.plan.scope.namespace))
    absent = missing(api, needs)
    if absent:
        words = f"the user of context {target.context} may not {', '.join(each.words for each in absent)}"
        yield Finding("rights", AGAINST, words, ("a role that grants it:", *manifest(absent).splitlines()))
    else:
        yield Finding("rights", OK, f"all that is needed ({len(needs)} asked)")


def _dry_runs(ground: Ground) -> Iterator[Finding]:
    """Each change as the API server would take it now."""
    api, discovery, _ = ground.live
    there = {pod["metadata"]["name"] for pod in ground.taken.of("pods")}
    made = {write.name for write in ground.requests if write.verb == "create"}
    refused, later, done = list[str](), 0, 0
    for write in ground.requests:
        if _comes_later(write, there, made):
            later += 1
            continue
        try:
            _dry_run(api, discovery, write)
            done += 1
        except (ApiError, CannotJudge) as error:
            refused.append(f"{write.words}: {error}")
    words = f"{done} of {done + len(refused)} acts taken" + (
        f"; {later} on what is not there yet" if later else ""
    )
    yield Finding("dry run", AGAINST if refused else OK, words, tuple(refused))


def _looks(need: Need) -> Need:
    """What a sentence needs to look at things; what is done is known from the rehearsal."""
    below = "/" in need.resource and need.verb != "get"
    resource = need.resource.partition("/")[0] if below else need.resource
    return need._replace(verb=need.verb if need.verb in READS else "get", resource=resource)


def _comes_later(write: Write, there: set[str], made: set[str]) -> bool:
    """Whether what it is about is only made during the game day."""
    if write.resource == "pods":
        return write.name not in there
    return write.verb != "create" and write.name in made


def _dry_run(api: LiveApi, discovery: Discovery, write: Write) -> None:
    """Asks the API server to do it, and to store nothing (dryRun=All). Raises ApiError."""
    body: Any = write.body
    if isinstance(body, dict) and "metadata" in body:
        unversioned = {k: v for k, v in body["metadata"].items() if k not in ("resourceVersion", "uid")}
        body = {**body, "metadata": unversioned}
    if write.verb == "create":
        api.create(body, namespace=write.namespace, dry_run=True)
    elif write.verb == "patch":
        api.patch(
            write.resource,
            write.name,
            body,
            write.namespace,
            type=write.type,  # type: ignore[arg-type]
            subresource=write.subresource,
            dry_run=True,
        )
    else:
        path = discovery.named(write.resource).path(write.namespace, write.name, write.subresource)
        method = {"replace": "PUT", "delete": "DELETE", "post": "POST"}[write.verb]
        api.connection.ask(method, path, {"dryRun": "All"}, body if body is not None else {})


def _steady(ground: Ground) -> Iterator[Finding]:
    """Whether the steady state holds now."""
    from gherkube.runners.live.cluster import LiveCluster

    *_, target = ground.live
    cluster = LiveCluster(target)
    try:
        for sentence in ground.plan.steady:
            held = ground.stage.holds(sentence, cluster, None)
            state = {True: OK, False: AGAINST, None: NOTE}[held.verdict]
            words = {
                True: sentence.text,
                False: f"not so: {sentence.text}",
                None: f"not told now: {sentence.text}",
            }
            yield Finding(
                "steady state", state, words[held.verdict], (held.words,) if held.verdict is not True else ()
            )
        for sentence in ground.plan.abort:
            held = ground.stage.holds(sentence, cluster, None)
            if held.verdict:
                yield Finding("abort", AGAINST, f"it is so already: {sentence.text}", (held.words,))
    finally:
        cluster.close()


def _lock(ground: Ground) -> Iterator[Finding]:
    """Whether another game day runs there."""
    api, *_ = ground.live
    lease = Lease(api, ground.plan.scope.namespace, holder())
    found = lease.look()
    if found is None or not found.holder:
        yield Finding("other game days", OK, "none: the lock is free")
    elif found.expires > lease.now():
        words = f"{found.holder} holds the lock until {stamp(found.expires)}"
        yield Finding("other game days", AGAINST, words)
    else:
        words = f"{found.holder} left the lock, which expired at {stamp(found.expires)}: was all put back?"
        yield Finding("other game days", NOTE, words)


def _kill_switch(ground: Ground) -> Iterator[Finding]:
    """Whether the lock could be written, through which others halt a game day."""
    api, *_ = ground.live
    namespace = ground.plan.scope.namespace
    lock = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}}
    asks = {"metadata": {"annotations": {HALT: "{}"}}}
    try:
        if Lease(api, namespace, holder()).look() is None:
            api.create(lock, namespace=namespace, dry_run=True)
        else:
            api.patch("leases", NAME, asks, namespace, type="merge", dry_run=True)
    except ApiError as error:
        yield Finding("kill switch", AGAINST, f"the lease {NAME} cannot be written: {error}")
    else:
        yield Finding("kill switch", OK, f"the lease {NAME} can be written, from any computer")


LIVE: tuple[Callable[[Ground], Iterator[Finding]], ...] = (
    *(_fences, _vouched, _rights, _dry_runs, _steady, _lock, _kill_switch),
)
