"""A `gherkube serve` over plain HTTP, and a proxy before it that can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.target import Target
from tests.door.serving import serving
from tests.live.proxy import Proxy

Connect = Callable[..., LiveCluster]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a server with TLS and a token."""
    with serving(tmp_path_factory.mktemp("served")) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a server with neither."""
    with serving(tmp_path_factory.mktemp("plain"), "--http") as kubeconfig:
        yield kubeconfig


@pytest.fixture
def proxy(plain: Path, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy before the plain server; its `kubeconfig` leads to it."""
    config = yaml.safe_load(plain.read_text())
    cluster = config["clusters"][0]["cluster"]
    made = Proxy(cluster["server"], tmp_path / "proxied")
    cluster["server"] = made.url
    made.kubeconfig.write_text(yaml.safe_dump(config))
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes live clusters, and closes those that the test has not closed."""
    made: list[LiveCluster] = []

    def live(kubeconfig: Path, **target: object) -> LiveCluster:
        made.append(LiveCluster(Target("gherkube", kubeconfig=str(kubeconfig), **target)))  # type: ignore[arg-type]
        return made[-1]

    yield live
    for cluster in made:
        cluster.close()
