"""Requests that flow by themselves, as a judgement in the present sees them."""

from __future__ import annotations

from gherkube.runners.cluster import Cluster
from gherkube.runners.expectations.endpoints import SERVICE
from gherkube.runners.expectations.requests import Requests, RequestsStatement, Verdict
from gherkube.runners.objects import Key

NEXT = 20
"""How many of them a judgement is about."""
LOOK = 0.1
"""Seconds after which it is looked whether more have come."""
SETTLED = 1.2
"""Seconds after a change of a service within which every kube-proxy, which writes its rules once a second
at most, has written them. pkg/proxy/runner"""


def settle(cluster: Cluster, service: Key) -> None:
    """Waits until every node has had time to hear of the last change of the service's endpoints."""
    changed = 0.0
    for change in cluster.history.since():
        if change.resource in ("services", "endpointslices"):
            metadata = change.object["metadata"]
            name = (metadata.get("labels") or {}).get(SERVICE, metadata["name"])
            if (metadata["namespace"], name) == service:
                changed = change.at
    if (rest := changed + SETTLED - cluster.clock.now()) > 0:
        cluster.clock.sleep(rest)


def look_at_next(
    cluster: Cluster, statement: RequestsStatement, *, patience: float, origin: float
) -> Verdict:
    """Of the next that come.

    What is said of the answers is said of those that the present endpoints give: it waits until the
    nodes know them. Losses count from now on.
    """
    if not cluster.traffic.flows(statement.service):
        return statement.look([], origin)
    if statement.of_answers:
        settle(cluster, statement.service)
    clock = cluster.clock
    begin, end = clock.now(), clock.now() + patience
    while len(found := _since(cluster, statement, begin)) < NEXT and clock.now() < end:
        clock.sleep(min(LOOK, end - clock.now()))
    return statement.look(found[:NEXT] if len(found) >= NEXT else [], origin)


def look_at_any(
    cluster: Cluster, statement: RequestsStatement, *, begin: float, end: float, origin: float
) -> Verdict:
    """Of any so many in a row between the two times.

    What was so from the beginning on, and is so no more, did not become so.
    """
    if not cluster.traffic.flows(statement.service):
        return statement.look([], origin)
    clock = cluster.clock
    now = clock.now()
    seen, was_not = NEXT - 1, False
    verdict = statement.look([], origin)
    while True:
        found = [one for one in _since(cluster, statement, begin) if one.at <= end]
        for last in range(seen, len(found)):
            verdict = statement.look(found[last + 1 - NEXT : last + 1], origin)
            if verdict.holds and (was_not or found[last].at >= now):
                return verdict
            was_not = was_not or not verdict.holds
        seen = max(seen, len(found))
        if clock.now() >= end:
            return verdict
        clock.sleep(min(LOOK, end - clock.now()))


def look_at_some(statement: RequestsStatement, requests: Requests, origin: float) -> Verdict:
    """Of one of them; where a number or a time is told, of any so many in a row, or of all."""
    size = 1 if statement.of_each else min(NEXT, len(requests))
    whole = statement.look(requests, origin)
    some = range(len(requests) - size + 1) if requests else ()
    if (whole.holds and not statement.of_each) or any(
        statement.look(requests[first : first + size], origin).holds for first in some
    ):
        return Verdict(True, "")
    return whole._replace(found=f"never so; in all, {whole.found}") if requests else whole


def _since(cluster: Cluster, statement: RequestsStatement, begin: float) -> Requests:
    return [one for one in cluster.traffic.requests if one.at > begin and one.service == statement.service]
