"""The nodes of a kind cluster: each is a container of the engine, which is looked into and broken here."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from gherkube.runners.errors import CannotJudge

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container

CLUSTER, ROLE = "io.x-k8s.kind.cluster", "io.x-k8s.kind.role"
"""kind's labels of a node's container. sigs.k8s.io/kind pkg/cluster/internal/providers/docker"""
WORKER = "worker"
NETWORK = "kind"
SYSTEM = "kube-system"
"""The namespace of the cluster's own pods."""
Result = TypeVar("Result")


class File(NamedTuple):
    """A file to put into a node, or a link to another one."""

    data: bytes = b""
    mode: int = 0o644
    link: str = ""


class Node:
    """A node by its container."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.name = str(container.name)
        """What the container is called; the Node object may be called otherwise."""
        self.is_worker = container.labels.get(ROLE) == WORKER

    def run(self, *argv: str) -> str:
        """Runs a command inside; what it printed. Raises CannotJudge when it fails."""
        code, output = self.container.exec_run(list(argv))
        text = cast("bytes", output).decode("utf-8", "replace")
        if code:
            raise CannotJudge(f"`{' '.join(argv)}` failed in {self.name}: {text.strip()}")
        return text

    def put(self, archive: bytes) -> None:
        """Unpacks a tar archive at the root of its files."""
        if not self.container.put_archive("/", archive):
            raise CannotJudge(f"nothing could be put into {self.name}")

    @property
    def state(self) -> str:
        """running, paused, exited, …"""
        self.container.reload()
        return str(self.container.status)

    def networks(self) -> dict[str, dict[str, object]]:
        """The networks it is in, by name, as the engine tells of them."""
        self.container.reload()
        return dict(self.container.attrs["NetworkSettings"]["Networks"])


class Nodes:
    """All nodes of one cluster, the control plane's among them."""

    def __init__(self, client: docker.DockerClient, cluster: str) -> None:
        self.client, self.cluster = client, cluster
        found = client.containers.list(all=True, filters={"label": f"{CLUSTER}={cluster}"})
        self.all = sorted(map(Node, found), key=lambda node: (len(node.name), node.name))
        if not self.all:
            raise CannotJudge(f"there is no kind cluster {cluster!r}: no container is labelled so")

    @property
    def workers(self) -> list[Node]:
        """The nodes that take pods: a cluster without workers has its control plane take them."""
        return [node for node in self.all if node.is_worker] or self.all

    def by_container(self, name: str) -> Node:
        """The node of that container. Raises CannotJudge when there is none."""
        for node in self.all:
            if node.name == name:
                return node
        raise CannotJudge(f"no container {name!r} is a node of the kind cluster {self.cluster!r}")


def everywhere(nodes: Iterable[Node], do: Callable[[Node], Result]) -> list[Result]:
    """Does it for all nodes at once; raises what the first raised that could not."""
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(do, nodes))


def archive(files: Mapping[str, File]) -> bytes:
    """A tar archive of files by their paths; the same files make the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, file in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.mode, member.size = file.mode, len(file.data)
            if path.endswith("/"):
                member.type = tarfile.DIRTYPE
            elif file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            tar.addfile(member, io.BytesIO(file.data))
    return packed.getvalue()
