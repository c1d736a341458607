"""kwok with etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback.

A real control plane whose nodes and pods are only pretended.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
BIN = Path(os.environ.get("GHERKUBE_REAL_BIN", "~/.cache/gherkube-real/bin")).expanduser()
"""Where the programs are looked for."""
TOKEN = "benchmark"
QPS = ("--kube-api-qps=2000", "--kube-api-burst=4000")
"""Both controllers and scheduler may ask as often as they like: by default they hold themselves back. That
the controllers wait for an hour keeps a busy machine from looking like one whose nodes are lost."""


def missing() -> list[str]:
    """Which of the programs are not there."""
    return [name for name in PROGRAMS if not (BIN / name).exists()]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running() -> Iterator[tuple[Path, list[int]]]:
    """Starts them all; the kubeconfig of the API server, and the ids of the processes."""
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            kubeconfig = _start(home, processes)
            yield kubeconfig, [process.pid for process in processes]
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


def _start(home: Path, processes: list[subprocess.Popen[bytes]]) -> Path:
    client, peer, api, manager, scheduler, fake = free_ports(6)
    kubeconfig, key = home / "kubeconfig", home / "sa.key"
    etcd = f"http://127.0.0.1:{client}"
    _write_key(key)
    (home / "tokens").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    kubeconfig.write_text(_kubeconfig(api))

    def start(name: str, arguments: Sequence[str]) -> None:
        with (home / f"{name}.log").open("wb") as log:
            command = [str(BIN / name), *arguments]
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=home))

    start("etcd", [
        f"--data-dir={home / 'etcd'}", f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}", "--unsafe-no-fsync",
    ])  # fmt: skip
    start("kube-apiserver", [
        f"--etcd-servers={etcd}", f"--secure-port={api}", "--bind-address=127.0.0.1", f"--cert-dir={home}",
        f"--token-auth-file={home / 'tokens'}", "--authorization-mode=RBAC",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}", "--service-account-issuer=https://kubernetes.default.svc",
        "--disable-admission-plugins=ServiceAccount", "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0", "--enable-priority-and-fairness=false",
    ])  # fmt: skip
    _until_ready(kubeconfig)
    start("kube-controller-manager", [
        f"--kubeconfig={kubeconfig}", f"--service-account-private-key-file={key}", f"--secure-port={manager}",
        "--node-monitor-grace-period=1h",
        "--leader-elect=false", *QPS,
    ])  # fmt: skip
    start("kube-scheduler", [
        f"--kubeconfig={kubeconfig}", f"--secure-port={scheduler}", "--leader-elect=false", *QPS,
    ])  # fmt: skip
    start("kwok", [
        f"--kubeconfig={kubeconfig}", "--manage-all-nodes=true", f"--server-address=127.0.0.1:{fake}",
    ])  # fmt: skip
    return kubeconfig


def _kubeconfig(port: int) -> str:
    return f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: u, user: {{token: {TOKEN}}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


def _write_key(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def _until_ready(kubeconfig: Path) -> None:
    command = ["kubectl", "--kubeconfig", str(kubeconfig), "get", "--raw", "/readyz"]
    end = time.monotonic() + 120
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > end:
            raise SystemExit("the API server did not become ready within two minutes")
        time.sleep(0.2)
