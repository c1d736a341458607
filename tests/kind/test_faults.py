"""What is broken on nodes is written down before, undone, and looked at when the scenario ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.kind import faults
from gherkube.runners.kind.faults import KindFaults, NotRight
from gherkube.runners.kind.nodes import CLUSTER, ROLE, Nodes

ADDRESS = "172.18.0.5"
ROUTES = b"""\
default via 172.18.0.1 dev eth1
10.244.1.0/24 via 172.18.0.8 dev eth1
10.244.2.7 dev veth1 scope host
172.18.0.0/16 dev eth1 proto kernel scope link src 172.18.0.5
"""
BACK = [
    ("ip route replace default via 172.18.0.1", 1),
    ("ip route replace 10.244.1.0/24 via 172.18.0.8", 1),
]


class Container:
    """A node's container. `log`: what was done to it, and how many debts were written by then."""

    def __init__(self, machine: Machine, name: str, role: str) -> None:
        self.client, self.name, self.labels = machine, name, {ROLE: role, CLUSTER: "dev"}
        self.status, self.address, self.takes = "running", ADDRESS, True
        self.log: list[tuple[str, int]] = []

    def reload(self) -> None:
        """It is what it is."""

    @property
    def attrs(self) -> dict[str, Any]:
        networks = {"kind": {"IPAddress": self.address}} if self.address else {}
        return {"NetworkSettings": {"Networks": networks}}

    def exec_run(self, argv: list[str]) -> tuple[int, bytes]:
        if argv[:2] == ["ip", "route"] and "replace" not in argv:
            return 0, ROUTES if argv[2:] != ["show", "default"] else ROUTES.splitlines()[0]
        self._note(" ".join(argv))
        return (0, b"") if self.takes else (2, b"Error: Specified qdisc kind is unknown.")

    def _note(self, what: str) -> None:
        self.log.append((what, len(state.begin().debts())))

    def _turn(self, what: str, status: str) -> None:
        self._note(what)
        self.status = status

    def kill(self) -> None:
        self._turn("kill", "exited")

    def start(self) -> None:
        self._turn("start", "running")

    def pause(self) -> None:
        self._turn("pause", "paused")

    def unpause(self) -> None:
        self._turn("unpause", "running")

    def restart(self, timeout: int) -> None:
        self._turn(f"restart {timeout}", "running")


class Machine:
    """A Docker with a cluster `dev`, and its API server."""

    def __init__(self) -> None:
        roles = {"dev-control-plane": "control-plane", "dev-worker": "worker", "dev-worker2": "worker"}
        self.made = {name: Container(self, name, role) for name, role in roles.items()}
        self.containers = SimpleNamespace(list=lambda **_: list(self.made.values()))
        self.networks = SimpleNamespace(get=lambda _: self)
        self.free = True
        self.objects = {name: self._node(name) for name in roles}
        self.patched: list[str] = []

    def _node(self, name: str) -> dict[str, Any]:
        spec = {"providerID": f"kind://docker/dev/{name}"}
        return {"metadata": {"name": name, "labels": {"host": name}}, "spec": spec}

    # its network

    def disconnect(self, container: Container) -> None:
        container._note("disconnect")
        container.address = ""

    def connect(self, container: Container, ipv4_address: str = "172.18.0.9") -> None:
        from docker.errors import APIError

        container._note(f"connect {ipv4_address}")
        if ipv4_address == ADDRESS and not self.free:
            raise APIError("Address already in use")
        container.address = ipv4_address

    # its API server

    def get(self, _: str, name: str) -> dict[str, Any]:
        return self.list("nodes")[list(self.objects).index(name)]

    def list(self, resource: str, _: str = "") -> list[dict[str, Any]]:
        if resource == "pods":
            return []
        return [{**each, "status": self._status(name)} for name, each in self.objects.items()]

    def _status(self, name: str) -> dict[str, Any]:
        container = self.made[name]
        runs = container.status == "running" and container.address
        conditions = [{"type": "Ready", "status": "True" if runs else "Unknown"}]
        return {"conditions": conditions, "allocatable": {"cpu": "2", "memory": "2Gi"}}

    def patch(self, _: str, name: str, patch: dict[str, Any], *, type: str) -> None:  # noqa: A002
        assert type == "merge"
        self.patched.append(name)
        node = self.objects[name]
        labels = {**node["metadata"]["labels"], **patch["metadata"]["labels"]}
        node["metadata"]["labels"] = {key: value for key, value in labels.items() if value is not None}
        node["spec"] = {k: v for k, v in {**node["spec"], **patch["spec"]}.items() if v is not None}


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of its own, and no waiting."""
    monkeypatch.setenv("GHERKUBE_STATE", str(tmp_path))
    monkeypatch.setattr(faults, "LOOK", 0.0)
    yield
    for debt in state.begin().debts():
        debt.paid()


@pytest.fixture
def machine() -> Machine:
    """On which nothing is broken."""
    return Machine()


def broken(machine: Machine) -> KindFaults:
    """The faults of a scenario there."""
    images: Any = SimpleNamespace(release=lambda: None)
    api: Any = machine
    return KindFaults(Nodes(api, "dev"), images, api)


def does(machine: Machine, name: str = "dev-worker") -> list[tuple[str, int]]:
    """What was done to a node."""
    return machine.made[name].log


@pytest.mark.parametrize(
    ("fault", "undone", "acts"),
    [
        ("stop_node", "start_node", [("kill", 1), ("start", 1)]),
        ("pause_node", "resume_node", [("pause", 1), ("unpause", 1)]),
        ("cut_node", "join_node", [("disconnect", 1), (f"connect {ADDRESS}", 1), *BACK]),
    ],
)
@pytest.mark.parametrize("by_scenario", [True, False])
def test_a_fault_is_written_down_and_undone(
    machine: Machine, fault: str, undone: str, acts: list[tuple[str, int]], by_scenario: bool
) -> None:
    """By a sentence, or when the scenario ends; the debt is there before, and until it is undone."""
    made = broken(machine)
    getattr(made, fault)("dev-worker")
    with pytest.raises(UsageError, match="already"):
        getattr(made, fault)("dev-worker")
    if by_scenario:
        getattr(made, undone)("dev-worker")
    made.mend()
    assert does(machine) == acts
    assert state.begin().debts() == []
    with pytest.raises(UsageError, match="is not"):
        getattr(made, undone)("dev-worker")


def test_the_last_fault_is_undone_first(machine: Machine) -> None:
    """Of all nodes."""
    made = broken(machine)
    made.cut_node("dev-worker")
    made.stop_node("dev-worker2")
    made.pause_node("dev-worker")
    with pytest.raises(UsageError, match="does not run"):
        made.stop_node("dev-worker")
    made.mend()
    what, debts = zip(*does(machine), strict=True)
    assert what == ("disconnect", "pause", "unpause", f"connect {ADDRESS}", *(each for each, _ in BACK))
    assert debts == (1, 3, 3, 1, 1, 1)


def test_a_node_that_was_started_without_a_network(machine: Machine) -> None:
    """Its first program gives up, and is started again when there is one."""
    made = broken(machine)
    made.cut_node("dev-worker")
    made.stop_node("dev-worker")
    made.start_node("dev-worker")
    machine.made["dev-worker"].status = "exited"
    made.mend()
    assert does(machine)[-1] == ("start", 1)


def test_a_slow_network(machine: Machine) -> None:
    """Where the kernel cannot make it slow, that cannot be judged, and nothing is owed."""
    made = broken(machine)
    made.slow_node("dev-worker", 0.25)
    made.hasten_node("dev-worker")
    slow, fast = (what for what, _ in does(machine))
    assert slow == "tc qdisc add dev eth1 root netem delay 250ms"
    assert fast == "tc qdisc del dev eth1 root"
    machine.made["dev-worker"].takes = False
    with pytest.raises(CannotJudge, match=r"cannot be made slow here.*qdisc kind is unknown"):
        made.slow_node("dev-worker", 0.25)
    assert state.begin().debts() == []


def test_the_control_plane_is_not_cut_off(machine: Machine) -> None:
    """It would be from itself."""
    with pytest.raises(UsageError, match="control plane"):
        broken(machine).cut_node("dev-control-plane")


def test_an_address_that_is_taken(machine: Machine) -> None:
    """With another address a node starts anew, so that it learns of it."""
    made = broken(machine)
    made.cut_node("dev-worker")
    machine.free = False
    made.mend()
    assert [what for what, _ in does(machine)][-2:] == ["connect 172.18.0.9", "restart 0"]


def test_nodes_get_back_what_they_had(machine: Machine) -> None:
    """Cordons, taints and labels go; Kubernetes' own taints are left to it."""
    old = {"key": "gpu", "effect": "NoSchedule"}
    machine.objects["dev-worker"]["spec"]["taints"] = [old]
    made = broken(machine)
    node = machine.objects["dev-worker"]
    node["spec"] |= {"unschedulable": True, "taints": [{"key": "mine", "effect": "NoExecute"}]}
    node["metadata"]["labels"] = {"host": "other", "mine": "yes"}
    made.mend()
    assert node["spec"] == {"providerID": "kind://docker/dev/dev-worker", "taints": [old]}
    assert node["metadata"]["labels"] == {"host": "dev-worker"}
    assert machine.patched == ["dev-worker"]


def test_what_does_not_get_right_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario after which a node is broken is not green."""
    monkeypatch.setattr(faults, "READY_WITHIN", 0.0)
    made = broken(machine)
    machine.made["dev-worker2"].status = "exited"
    with pytest.raises(NotRight, match='node "dev-worker2" is not ready'):
        made.mend()


def test_faults_of_a_run_that_is_gone(machine: Machine) -> None:
    """What was written down is enough; doing it twice does no harm."""
    made = broken(machine)
    made.stop_node("dev-worker")
    made.pause_node("dev-worker2")
    client: Any = machine
    for _ in range(2):
        for debt in state.begin().debts():
            faults.undo(client, debt)
    assert [each.status for each in machine.made.values()] == ["running"] * 3
    assert state.begin().debts() == []


def test_how_many_nodes_there_are_and_how_large(machine: Machine) -> None:
    """The cluster was made for the scenario; if it is not as asked, that cannot be judged."""
    made = broken(machine)
    made.set_nodes(2, "", "")
    made.set_nodes(2, "2", "2Gi")
    with pytest.raises(CannotJudge, match="has 2 nodes"):
        made.set_nodes(3, "", "")
    with pytest.raises(CannotJudge, match=r'node "dev-worker" has 2 CPUs and 2\.00Gi for pods, not 1 CPUs'):
        made.set_nodes(2, "1", "2Gi")
