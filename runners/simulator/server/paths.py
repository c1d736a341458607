"""Paths of the API: `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE/…` taken apart.

staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from gherkube.runners.errors import ApiError

OF_A_NAMESPACE = frozenset({"status", "finalize"})
"""What stands after a namespace's name and is no resource in it."""


class Target(NamedTuple):
    """What a path names; "" where it names nothing. `rest` is what follows the subresource, as sent."""

    group: str
    version: str
    namespace: str
    resource: str
    name: str = ""
    subresource: str = ""
    rest: str = ""


def parse(path: str) -> Target:
    """What a path under /api or /apis names. ApiError NotFound when it is no such path."""
    parts = path.split("/")[1:]
    if parts and parts[-1] == "" and "proxy" not in parts:
        parts.pop()
    prefix = 2 if parts[:1] == ["api"] else 3
    if parts[:1] not in (["api"], ["apis"]) or len(parts) <= prefix:
        raise no_such_path()
    group, version = ("", parts[1]) if prefix == 2 else (parts[1], parts[2])
    parts = parts[prefix:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in OF_A_NAMESPACE:
        namespace, parts = parts[1], parts[2:]
        if not namespace:
            raise no_such_path()
    resource, name, subresource = (*parts[:3], "", "")[:3]
    target = Target(*map(_decoded, (group, version, namespace, resource, name, subresource)))
    if "" in parts[:3] or (len(parts) > 3 and subresource != "proxy"):
        raise no_such_path()
    return target._replace(rest="/".join(parts[3:]))


def no_such_path() -> ApiError:
    """What is said of a path at which there is nothing."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def _decoded(part: str) -> str:
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise no_such_path() from None
    if "/" in text or "\0" in text or text in (".", ".."):
        raise no_such_path()
    return text
