"""An API server that is started again while a scenario runs."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.expectations.count import at_least
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import Becomes, Throughout
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.kubectl import set_image
from gherkube.runners.live import connection
from gherkube.runners.live.connection import Unreachable
from tests.door.serving import CODE, PATIENCE, deployment
from tests.live.conftest import Connect
from tests.live.proxy import Answer, Proxy


class Server:
    """A `gherkube serve` on a port of its own, that keeps its state."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.kubeconfig = folder / "config"
        options = ["--http", "--port", str(port), "--state", str(folder / "state"), "--clock", "fast"]
        options += ["--speed", "20", "--kubeconfig", str(self.kubeconfig)]
        self._command = [sys.executable, "-c", CODE, "serve", *options]
        self._environment = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
        self.start()

    def start(self) -> None:
        """Returns when it serves."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, env=self._environment)
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def stop(self) -> None:
        """As a restart does it."""
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(300)
        self._process.stdout.close()


def test_a_server_that_is_started_again(tmp_path: Path, connect: Connect) -> None:
    """The scenario goes on: what is so now is judged, and nothing unseen is claimed of the past."""
    server = Server(tmp_path)
    try:
        cluster = connect(server.kubeconfig)
        ref = WorkloadRef("deployments", cluster.namespace, "web")
        judge = Judge(cluster, patience=PATIENCE)
        cluster.api.create(deployment(replicas=3), namespace=cluster.namespace)
        judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
        judge.first_when = judge.moment()
        set_image(cluster.api, "deployments", "web", cluster.namespace, {"app": "hello:2"})
        judge.last_when = cluster.clock.now()
        server.stop()
        server.start()
        judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
        pods = PodsStatement(PodSelector(ref, cluster.namespace), at_least(2), "ready")
        with suppress(CannotJudge):
            judge.judge(pods, Throughout())
        impossible = PodsStatement(PodSelector(ref, cluster.namespace), at_least(5), "ready")
        with pytest.raises((CannotJudge, ExpectationFailed)):
            judge.judge(impossible, Throughout())
        cluster.close()  # verifies that its namespace is gone
    finally:
        server.stop()


def test_a_port_that_is_open_with_nobody_behind_it(served: Path, tmp_path: Path) -> None:
    """As Docker forwards one to a server that is started again: it does not answer, and is asked again."""
    with socket.create_server(("127.0.0.1", 0)) as forwarded:
        thread = threading.Thread(target=lambda: forwarded.accept()[0].close())
        thread.start()
        config = yaml.safe_load(served.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{forwarded.getsockname()[1]}"
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        with pytest.raises(Unreachable, match="does not answer"):
            connection.connect("gherkube", str(tmp_path / "config")).send("GET", "/version")
        thread.join()


def test_who_may_do_what_is_not_known_at_first(proxy: Proxy, connect: Connect) -> None:
    """A server that did not answer a moment ago, and refuses now, is asked again; another one is not."""
    cluster = connect(proxy.kubeconfig)
    denied = {"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}
    path = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    proxy.rule = lambda _, asked: Answer(403, body=denied) if asked.startswith(path) else None
    with pytest.raises(ApiError, match="no"):
        cluster.api.list("configmaps", cluster.namespace)
    assert len([asked for _, asked in proxy.asked if asked.startswith(path)]) == 1
    cluster._connection.unreachable(OSError("reset"))
    answers = [Answer(403, body=denied), Answer(403, body=denied)]
    proxy.rule = lambda _, asked: answers.pop() if answers and asked.startswith(path) else None
    cluster.api.list("configmaps", cluster.namespace)
    assert not answers
