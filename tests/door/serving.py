"""A `gherkube serve` on loopback whose time runs faster than ours, and objects to make there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gherkube.runners.objects import Object

CODE = "from gherkube.runners.cli.main import main; main()"
PATIENCE = 6000.0
"""Seconds of the server, five minutes of ours, after which what a test waits for is taken for never."""


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Path]:
    """The kubeconfig of a server in a process of its own."""
    kubeconfig = folder / "config"
    command = ["serve", "--clock", "fast", "--speed", "20", "--kubeconfig", str(kubeconfig), *arguments]
    environment = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *command], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield kubeconfig
    finally:
        process.terminate()
        process.wait(300)
        process.stdout.close()


def deployment(name: str = "web", image: str = "hello:1", replicas: int = 2) -> Object:
    """A Deployment that listens on 8080."""
    labels = {"app": name}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def service(name: str = "web") -> Object:
    """A Service for the Deployment of that name."""
    ports = [{"port": 8080, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def configmap(name: str, **data: str) -> Object:
    """A ConfigMap: nothing happens to it by itself."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"kind": "note"}},
        "data": data,
    }
