"""Nodes are as large as a scenario asks: the kubelet keeps the rest of the machine from pods."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind import sizes
from gherkube.runners.kind.nodes import CLUSTER, ROLE, Nodes
from gherkube.runners.kind.sizes import Size

GI = 2**30
MACHINE = Size(4000, 8 * GI)


class Machine:
    """Two nodes that take pods, on a machine of 4 CPUs and 8Gi; on each runs a pod of its network."""

    def __init__(self) -> None:
        self.nodes = {name: Kubelet(name) for name in ("dev-control-plane", "dev-worker", "dev-worker2")}
        self.containers = SimpleNamespace(list=lambda **_: list(self.nodes.values()))

    def list(self, resource: str, namespace: str = "") -> list[dict[str, Any]]:
        if resource == "nodes":
            return [node.told() for node in self.nodes.values()]
        assert (resource, namespace) == ("pods", "kube-system")
        requests = {"requests": {"cpu": "100m", "memory": "50Mi"}}
        return [
            {
                "spec": {
                    "nodeName": name,
                    "containers": [{"name": "net", "resources": requests}, {"name": "b"}],
                }
            }
            for name in self.nodes
        ]


class Kubelet:
    """A node's container; its kubelet reads its configuration when it starts."""

    def __init__(self, name: str) -> None:
        role = "control-plane" if name.endswith("plane") else "worker"
        self.name, self.labels = name, {ROLE: role, CLUSTER: "dev"}
        self.file = {"kind": "KubeletConfiguration", "maxPods": 110, "systemReserved": {"cpu": "500m"}}
        self.read = self.file

    def exec_run(self, argv: list[str]) -> tuple[int, bytes]:
        if argv[0] == "cat":
            return 0, yaml.safe_dump(self.file).encode()
        assert argv == ["systemctl", "restart", "kubelet"]
        self.read = self.file
        return 0, b""

    def put_archive(self, _: str, data: bytes) -> bool:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = tar.extractfile(f"{sizes.KUBELET}")
            assert found is not None
            self.file = yaml.safe_load(found.read())
        return True

    def told(self) -> dict[str, Any]:
        reserved: Any = self.read["systemReserved"]
        room = MACHINE.without(sizes.size(reserved))
        allocatable = {"cpu": f"{room.cpu}m", "memory": str(room.memory)}
        spec = {"providerID": f"kind://docker/dev/{self.name}"}
        return {"metadata": {"name": self.name}, "spec": spec, "status": {"allocatable": allocatable}}


def limit(machine: Machine, asked: Size) -> None:
    sizes.limit(Nodes(machine, "dev"), machine, asked)  # type: ignore[arg-type]


def test_pods_have_what_was_asked() -> None:
    """Beside what the cluster's own pods request; what the project's configuration says stays."""
    machine = Machine()
    limit(machine, Size(1000, 2 * GI))
    assert sizes.rooms(machine) == {  # type: ignore[arg-type]
        "dev-control-plane": Size(3400, 8 * GI - 50 * 2**20),
        "dev-worker": Size(1000, 2 * GI),
        "dev-worker2": Size(1000, 2 * GI),
    }
    assert machine.nodes["dev-worker"].file == {
        "kind": "KubeletConfiguration",
        "maxPods": 110,
        "systemReserved": {"cpu": "2900m", "memory": str(6 * GI - 50 * 2**20)},
    }


@pytest.mark.parametrize("asked", [Size(4000, GI), Size(1000, 8 * GI)])
def test_a_machine_that_is_too_small(asked: Size) -> None:
    """Nothing is changed, and it is said how large it is."""
    machine = Machine()
    before = machine.nodes["dev-worker"].file
    with pytest.raises(CannotJudge, match=r"cannot be made: on this machine one has 3\.4 CPUs and 7\.95Gi"):
        limit(machine, asked)
    assert machine.nodes["dev-worker"].file is before


def test_a_kubelet_that_does_not_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without an end."""
    machine = Machine()
    monkeypatch.setattr(sizes, "TOLD_WITHIN", 0.0)
    monkeypatch.setattr(Kubelet, "put_archive", lambda *_: True)
    with pytest.raises(CannotJudge, match=r"were to be made, but they have 3\.4 CPUs"):
        limit(machine, Size(1000, GI))
