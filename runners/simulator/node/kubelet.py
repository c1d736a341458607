"""The kubelet of one node, and its runtime: what it has, and what it tells the API of its node.

It reports that it is alive without anybody's clock: when it was last heard of is worked out when
somebody asks.
pkg/kubelet/kubelet.go, kubelet_node_status.go, pleg/generic.go
"""

from __future__ import annotations

from math import inf

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.events import EventRecorder
from gherkube.runners.simulator.node.images import Images
from gherkube.runners.simulator.node.nodes import healthy_conditions, node_info
from gherkube.runners.simulator.node.pod import PodWorker

LEASE_EVERY = 10.2
"""Seconds between two renewals of a node's lease. component-helpers/apimachinery/lease"""
REPORT_EVERY = 300.0
"""Seconds between two reports of a node's status that say nothing new."""
LOOK_EVERY = 1.0
"""Seconds between two looks of the PLEG at the runtime (genericPlegRelistPeriod)."""
FIRST_ADDRESS, LAST_ADDRESS = 2, 254
ROUNDING = 1e-6


class Kubelet:
    """One node's kubelet and runtime."""

    def __init__(
        self, api: ApiServer, chance: Chance, images: Images, node: Object, failing: dict[Key, PodWorker]
    ) -> None:
        self.api, self.clock, self.chance, self.images = api, api.clock, chance, images
        self.latency = chance.latencies("kubelet").draw
        """Seconds that something takes which usually takes that many."""
        self.made, self.name = node, str(node["metadata"]["name"])
        self.host_ip: str = next(
            (a["address"] for a in node["status"].get("addresses", ()) if a["type"] == "InternalIP"),
            "127.0.0.1",
        )
        self.host_ips = [{"ip": self.host_ip}]
        self.recorder = EventRecorder(api, "kubelet", self.name)
        self.pods: dict[Key, PodWorker] = {}
        self.pulls_until = 0.0
        """Until when the node's one pull at a time goes on."""
        self.is_up, self.boots = True, 0
        self.syncs_pods = True
        """Whether it looks after its pods: not while its node is down, nor before it has found its feet."""
        self.stopped_at, self.started_at = inf, -inf
        self._failing = failing
        stream = chance.stream("nodes")
        self._look_phase, self._lease_phase = stream.random() * LOOK_EVERY, stream.random() * LEASE_EVERY
        self._ids = chance.stream("containers")
        self._prefix: str = node["spec"].get("podCIDR", "10.244.0.0/24").rpartition(".")[0] + "."
        self._address, self._used = FIRST_ADDRESS - 1, set[str]()
        self._reported_at = self.clock.now

    def looked_at(self, now: float) -> float:
        """When the PLEG looked last, at that time."""
        return now - (now - self._look_phase + ROUNDING) % LOOK_EVERY + ROUNDING

    def look_after(self, moment: float) -> float:
        """When the PLEG looks next after that moment; long ago when the moment is."""
        if moment == -inf:
            return moment
        looks = (moment - self._look_phase + ROUNDING) // LOOK_EVERY
        return self._look_phase + LOOK_EVERY * (looks + 1)

    def until_look(self) -> float:
        """Seconds until the PLEG looks next."""
        return self.look_after(self.clock.now) - self.clock.now

    def new_ip(self, pod: Object) -> str:
        """The next pod address of the node; the node's own for a pod in its network."""
        if pod["spec"].get("hostNetwork"):
            return self.host_ip
        address = self._address
        for _ in range(LAST_ADDRESS):
            self._address = address = address + 1 if address < LAST_ADDRESS else FIRST_ADDRESS
            ip = self._prefix + str(address)
            if ip not in self._used:
                self._used.add(ip)
                return ip
        return self.host_ip

    def free(self, ip: str) -> None:
        """Gives an address back."""
        self._used.discard(ip)

    def new_container_id(self) -> str:
        """A random containerID."""
        return "containerd://" + self._ids.getrandbits(256).to_bytes(32).hex()

    def note_failure(self, pod: PodWorker) -> None:
        """Remembers that the pod waits for a retry, which a change elsewhere may let succeed."""
        self._failing[pod.key] = pod

    def renewed_at(self, now: float) -> float:
        """When it renewed its lease last."""
        at = min(now, self.stopped_at)
        renewed = at - (at - self._lease_phase) % LEASE_EVERY
        return max(renewed, self.started_at if self.started_at <= at else 0.0)

    def reported_at(self, now: float) -> float:
        """When it posted its status last."""
        at = min(now, self.stopped_at)
        return at - (at - self._reported_at) % REPORT_EVERY

    def join(self) -> None:
        """Registers the node again, as it was made; somebody deleted it. registerWithAPIServer"""
        made = self.made
        kept = ("name", "labels", "annotations")
        metadata = {field: made["metadata"][field] for field in kept if field in made["metadata"]}
        self.api.create_trusted("nodes", {**made, "metadata": metadata})

    def report(self) -> None:
        """Posts its status: it is well."""
        node = self.api.store.get("nodes", Key("", self.name))
        if node is None:
            return
        self._reported_at = self.clock.now
        status = node["status"]
        new = {**status, "conditions": healthy_conditions(self.clock.now, status.get("conditions", ()))}
        if self.boots and "nodeInfo" in status:
            new["nodeInfo"] = node_info(self.name, self.boots)
        self.api.put_status("nodes", node, new, check=False)
