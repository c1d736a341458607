"""What the tests of the API share: a server, and the smallest objects it takes."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.store import Store

Json = dict[str, Any]


def server(seed: int = 0) -> ApiServer:
    """A server without anything but its own namespaces."""
    return ApiServer(Store(Clock()), Chance(seed))


def container(**fields: Any) -> Json:
    return {"name": "app", "image": "hello:1", **fields}


def deployment(name: str = "web", *, pod: Json | None = None, **spec: Any) -> Json:
    """A Deployment; `pod` are fields of its template's spec, the rest those of its own."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container()], **(pod or {})},
            },
            **spec,
        },
    }


def pod(name: str = "p", **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container()], **spec},
    }


def service(name: str = "web", **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080}], **spec},
    }


def refusal(call: Any, *args: Any, **options: Any) -> ApiError:
    """The error with which the call is refused."""
    with pytest.raises(ApiError) as caught:
        call(*args, **options)
    return caught.value


def message(call: Any, *args: Any, **options: Any) -> str:
    """The message with which the call is refused."""
    return refusal(call, *args, **options).message
