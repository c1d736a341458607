"""The container engine: Docker, through its own Python package; and what to do when it does not answer."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gherkube.runners.errors import CannotJudge

if TYPE_CHECKING:
    import docker

SOCKET = "unix:///var/run/docker.sock"
"""Where the engine is unless something else is said."""
ANSWER = 60
"""Seconds that the engine may take to answer."""


class NoEngine(CannotJudge):
    """The engine does not answer, so nothing can be run on kind."""


def engine() -> docker.DockerClient:
    """A client of the engine that the docker command uses, too. Raises NoEngine."""
    from docker import DockerClient
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    address = host()
    settings: dict[str, Any] = {**kwargs_from_env(), **_named(address)}
    with ExitStack() as opened:
        try:
            _knock(address)
            client = DockerClient(**settings, timeout=ANSWER)
            opened.callback(client.close)
            client.ping()
        except (DockerException, OSError, ValueError) as error:
            raise NoEngine(advice(address, error)) from None
        opened.pop_all()
    return client


def _knock(address: str) -> None:
    """Raises OSError where nobody listens at a socket: docker's package leaves its own open then."""
    scheme, _, path = (address or SOCKET).partition("://")
    if scheme == "unix" and sys.platform != "win32":
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(path)


def host() -> str:
    """Where the engine is: DOCKER_HOST, the docker command's current context, or the usual place ("")."""
    if named := os.environ.get("DOCKER_HOST"):
        return named
    try:
        folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
        context = os.environ.get("DOCKER_CONTEXT") or json.loads((folder / "config.json").read_text()).get(
            "currentContext"
        )
        if context in (None, "", "default"):
            return ""
        for meta in (folder / "contexts" / "meta").glob("*/meta.json"):
            said = json.loads(meta.read_text())
            if said["Name"] == context:
                return str(said["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return ""


def _named(address: str) -> dict[str, str]:
    return {"base_url": address} if address else {}


def advice(address: str, error: BaseException) -> str:
    """Why the engine does not answer, and what to do."""
    at = address or SOCKET
    why = _root(error)
    if "Permission denied" in why:
        then = (
            "add your user to the group docker (and log in again), or set DOCKER_HOST to an engine of yours"
        )
    elif "No such file" in why or "refused" in why:
        then = "start it (Docker Desktop, or: sudo systemctl start docker), or set DOCKER_HOST"
    else:
        then = "see that `docker info` works, or set DOCKER_HOST"
    return f"Docker does not answer at {at} ({why}), and kind runs its nodes there: {then}"


def _root(error: BaseException) -> str:
    """The innermost reason, without Python's wrapping."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if len(error.args) > 1 and isinstance(error.args[1], OSError):
        error = error.args[1]
    return str(getattr(error, "strerror", None) or error)
