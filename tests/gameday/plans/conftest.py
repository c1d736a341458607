"""A project's own steps: what they do through `cluster.api` is fenced, written down and put back."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Event

from pytest_bdd import parsers, when

from gherkube.runners.cluster import Cluster
from gherkube.runners.gameday.halting import halt_plan
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery

PLAN = Path(__file__).with_name("shop.gameday.yaml")


@when(parsers.parse('somebody deletes the config map "{name}"'))
def _delete_config_map(cluster: Cluster, name: str) -> None:
    cluster.api.delete("configmaps", name, "shop")


@when(parsers.parse("somebody presses ^C {times:d} times"))
def _interrupt(times: int) -> None:
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


@when("the computer loses its power")
def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@when("somebody is asked who never answers")
def _ask() -> None:
    Event().wait()


@when("somebody goes on whatever happens")
def _go_on(cluster: Cluster) -> None:
    def go_on() -> None:
        with suppress(BaseException):
            cluster.api.patch("deployments", "web", {"metadata": {"labels": {"more": "more"}}}, "shop")
            Event().wait(0.1)

    signal.signal(signal.SIGALRM, lambda *_: None)
    while True:
        go_on()


@when("somebody halts it from another computer")
def _halt() -> None:
    assert halt_plan(PLAN, kubeconfig="", by="Vera Viewer", why="customers call") == 0


@when(parsers.parse('somebody else scales deployment "{name}" to {replicas:d}'))
def _scale(name: str, replicas: int) -> None:
    connection = connect("gherkube", os.environ["SHOP_KUBECONFIG"])
    api = LiveApi(connection, Discovery(connection))
    api.patch("deployments", name, {"spec": {"replicas": replicas}}, "shop")
    connection.close()
