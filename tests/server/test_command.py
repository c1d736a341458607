"""`gherkube serve` and `gherkube sim` from outside, with real kubectl where there is one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl here")
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "hello:1", ports: [{containerPort: 8080}]}]}
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are noted, and kubectl keeps what it discovered, where no other test looks."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("KUBECONFIG", raising=False)


def gherkube(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GHERKUBE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, **environment},
    )


class Served:
    """A server in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*GHERKUBE, "serve", "--clock", "manual", *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("export KUBECONFIG="), line
        self.kubeconfig = line.strip().removeprefix("export KUBECONFIG=")

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        assert KUBECTL is not None
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(300)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    if server.process.poll() is None:
        server.stop()


def test_a_command_runs_with_the_server_and_its_code_is_kept(tmp_path: Path) -> None:
    """KUBECONFIG is set meanwhile; afterwards the file is gone."""
    script = "import os, sys; print(open(os.environ['KUBECONFIG']).read()); sys.exit(7)"
    done = gherkube("serve", "--", sys.executable, "-c", script)
    assert (done.returncode, "server: https://127.0.0.1:" in done.stdout) == (7, True), done.stderr
    assert not list((tmp_path / "gherkube").iterdir())


def test_sim_finds_the_only_server(served: Served) -> None:
    """Without being told; stopped nodes and passing time show."""
    assert gherkube("sim", "stop-node", "node-2").returncode == 0
    assert json.loads(gherkube("sim", "advance", "5m").stdout)["now"] == 300.0
    status = json.loads(gherkube("sim", "status").stdout)
    assert [each["name"] for each in status["nodes"] if not each["up"]] == ["node-2"]
    said = gherkube("sim", "images", 'image "hello:2" does not exist')
    assert json.loads(said.stdout)["docker.io/library/hello:2"] == {"exists": False}
    wrong = gherkube("sim", "stop-node", "node-9")
    assert (wrong.returncode, "there is no node" in wrong.stderr) == (2, True)
    assert served.stop() == 0
    lonely = gherkube("sim", "status")
    assert (lonely.returncode, "no gherkube serve is running" in lonely.stderr) == (2, True)


def test_of_two_servers_one_has_to_be_named(served: Served) -> None:
    """By --kubeconfig or KUBECONFIG."""
    other = Served("--http", "--nodes", "1")
    try:
        assert "say which" in gherkube("sim", "status").stderr
        named = gherkube("sim", "--kubeconfig", other.kubeconfig, "status")
        assert len(json.loads(named.stdout)["nodes"]) == 2
        assert len(json.loads(gherkube("sim", "status", KUBECONFIG=served.kubeconfig).stdout)["nodes"]) == 4
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--clock", "slow"], "say real, fast or manual"),
        (["--manifest", "absent.yaml"], "absent.yaml cannot be read"),
        (["--images", "absent.yaml"], "absent.yaml cannot be read"),
        (["--state", "/"], "cannot be used"),
        (["--address", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--", "/no/such/command"], "cannot be run"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], said: str) -> None:
    """With exit code 2 and no traceback."""
    done = gherkube("serve", *arguments)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_a_kubeconfig_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """--kubeconfig never overwrites what gherkube did not write."""
    file = tmp_path / "config"
    file.write_text("apiVersion: v1\n")
    done = gherkube("serve", "--kubeconfig", str(file), "--", "true")
    assert (done.returncode, file.read_text()) == (2, "apiVersion: v1\n")
    assert "was not written by gherkube serve" in done.stderr


@needs_kubectl
def test_kubectl_speaks_to_it(served: Served) -> None:
    """Applies, waits, reads, describes, logs, and deletes, as on any cluster."""
    assert served.kubectl("apply", "-f", "-", stdin=MANIFEST) == "deployment.apps/web created\n"
    assert gherkube("sim", "advance", "20s").returncode == 0
    pods = served.kubectl("get", "pods").splitlines()
    assert pods[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [line.split()[1:4] for line in pods[1:]] == [["1/1", "Running", "0"]] * 2
    assert "successfully rolled out" in served.kubectl("rollout", "status", "deployment/web")
    assert served.kubectl("scale", "deployment/web", "--replicas=3") == "deployment.apps/web scaled\n"
    assert gherkube("sim", "advance", "5s").returncode == 0
    assert "ScalingReplicaSet" in served.kubectl("describe", "deployment", "web")
    assert "listening on :8080" in served.kubectl("logs", "deployment/web")
    assert served.kubectl("create", "deployment", "b", "--image=hello:1") == "deployment.apps/b created\n"
    assert served.kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert "FIELD: replicas" in served.kubectl("explain", "deployment.spec.replicas")
    assert served.kubectl("get", "pods", "-o", "name", "-l", "app=web").count("pod/") == 3
    assert "deleted" in served.kubectl("delete", "deployment", "web")


@needs_kubectl
def test_a_killed_server_goes_on_from_its_state(tmp_path: Path) -> None:
    """kill -9, and everything that kubectl was told is there again."""
    (tmp_path / "web.yaml").write_text(MANIFEST)
    (tmp_path / "images.yaml").write_text('- image "hello:1" takes 3 seconds to pull\n')
    given = ["--manifest", str(tmp_path / "web.yaml"), "--images", str(tmp_path / "images.yaml")]
    kept = ["--state", str(tmp_path / "state"), *given]
    first = Served(*kept)
    assert gherkube("sim", "advance", "10s").returncode == 0
    before = first.kubectl("get", "pods,deployments,replicasets", "-o", "json")
    first.stop(signal.SIGKILL)
    second = Served(*kept)
    try:
        assert second.kubectl("get", "pods,deployments,replicasets", "-o", "json") == before
    finally:
        second.stop()
