"""A server on a real loopback port whose time stands still until a test lets it pass."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server.app import Limits, Server
from gherkube.runners.simulator.server.front import WINDOW, Front
from gherkube.runners.simulator.server.pump import Pump
from gherkube.runners.simulator.server.state import State

T = TypeVar("T")
PODS = "/api/v1/namespaces/default/pods"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


class Answer:
    """An answer, read to its end."""

    def __init__(self, response: ClientResponse, body: bytes) -> None:
        self.code, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def warnings(self) -> list[str]:
        """What its Warning headers say."""
        return [text.partition('"')[2].rpartition('"')[0] for text in self.headers.getall("Warning", [])]


class Loopback:
    """Speaks HTTP to one server, one request after another."""

    def __init__(self, server: Server, client: TestClient[Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.server, self.client, self._loop = server, client, loop
        self.cluster = server.front.cluster

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What comes of it."""
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, 300))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The answer to a request; `content_type` in headers stands for Content-Type."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            named.setdefault("content-type", "application/json")

        async def asked() -> Answer:
            async with self.client.request(method, path, data=data, headers=named) as response:
                return Answer(response, await response.read())

        return self.run(asked())

    def get(self, path: str, **headers: str) -> Answer:
        """GET"""
        return self.ask("GET", path, **headers)

    def make(self, name: str, **more: Any) -> Object:
        """A new ConfigMap."""
        answer = self.ask("POST", CONFIGMAPS, {"metadata": {"name": name}, **more})
        assert answer.code == 201, answer.body
        return answer.json  # type: ignore[no-any-return]

    def advance(self, time: str) -> None:
        """Lets that much time pass."""
        assert self.ask("POST", "/gherkube/v1/clock/advance", {"seconds": time}).code == 200

    @contextmanager
    def watch(self, path: str, **headers: str) -> Iterator[Watching]:
        """An open watch."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.run(_request(self.client, path, named))
        try:
            yield Watching(self, response)
        finally:
            response.close()


async def _request(client: TestClient[Any, Any], path: str, headers: dict[str, str]) -> ClientResponse:
    return await client.get(path, headers=headers)


class Watching:
    """A watch that is read line by line."""

    def __init__(self, loopback: Loopback, response: ClientResponse) -> None:
        self._loopback, self._response = loopback, response

    def next(self) -> Object:
        """The next event."""
        return json.loads(self.line())  # type: ignore[no-any-return]

    def line(self) -> bytes:
        """The next line."""
        return self._loopback.run(self._response.content.readline())

    def ends(self) -> bool:
        """Whether there is nothing more."""
        return not self._loopback.run(self._response.content.read(1))


@contextmanager
def loopback(
    *,
    seed: int = 1,
    nodes: int = 3,
    token: str = "",
    limits: Limits | None = None,
    window: int = WINDOW,
    state: State | None = None,
) -> Iterator[Loopback]:
    """A server with a manual clock, and a client of it."""
    loop = asyncio.new_event_loop()
    cluster = Simulator(seed, nodes, keeps=True)
    front = Front(cluster, window=window)

    async def begin() -> tuple[Server, TestClient[Any, Any]]:
        pump = Pump(cluster.store.clock, "manual")
        if state is not None:
            state.play(front, pump)
        server = Server(front, pump, token=token, limits=limits, state=state)
        listening = TestServer(server.app())
        await listening.start_server(**server.limits.of_runner())
        client: TestClient[Any, Any] = TestClient(listening)
        await client.start_server()
        return server, client

    server, client = loop.run_until_complete(begin())
    try:
        yield Loopback(server, client, loop)
    finally:
        loop.run_until_complete(client.close())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        server.close()


def deployment(name: str = "web", image: str = "hello:1", replicas: int = 2) -> Object:
    """A Deployment that listens on 8080."""
    labels = {"app": name}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
