"""A registry in each node, from which its containerd pulls: it knows what the scenarios say of images.

It is a script behind a socket of systemd, in the node's own files: it is there again after the node was
stopped, asks nobody outside, and goes with the node. An image of which nothing is said is there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind.nodes import File, Node, archive
from gherkube.runners.kind.standin import Maker, digest, script
from gherkube.runners.simulator.node.images import BOOTCAMP, BOOTCAMP_TAGS, Image, parse_image

HOME = "kind/gherkube"
"""Where it is, below the root of the node's files."""
ADDRESS = "127.0.0.1:5998"
HOSTS = "etc/containerd/certs.d/_default/hosts.toml"
BEFORE = f"{HOME}/hosts.before"
UNIT = "gherkube-registry"
LIST = ("ctr", "--namespace", "k8s.io", "images", "ls")
APPLETS = ("sh", "cat", "mv", "rm", "sed", "sha256sum", "sleep", "wc")
NOT_FOUND, DENIED, LIMITED = "404 Not Found", "401 Unauthorized", "429 Too Many Requests"
CODES = {NOT_FOUND: "MANIFEST_UNKNOWN", DENIED: "UNAUTHORIZED", LIMITED: "TOOMANYREQUESTS"}
"""github.com/opencontainers/distribution-spec spec.md#error-codes"""

_SOCKET = f"""[Socket]
ListenStream={ADDRESS}
Accept=yes
TriggerLimitBurst=0
[Install]
WantedBy=sockets.target
"""
_SERVICE = f"""[Unit]
CollectMode=inactive-or-failed
[Service]
ExecStart=-/{HOME}/registry
StandardInput=socket
LogLevelMax=warning
"""
_HOSTS = f"""server = "http://{ADDRESS}"
[host."http://{ADDRESS}"]
  capabilities = ["pull", "resolve"]
"""


class Offer(NamedTuple):
    """What the registry answers when a name is asked for: a manifest's digest, or a refusal."""

    digest: str = ""
    status: str = ""
    seconds: float = 0.0
    """How long it takes to answer."""


def install(node: Node, maker: Maker) -> None:
    """Starts the registry in a node, knowing nothing. Raises CannotJudge where containerd cannot be told."""
    config = node.run("containerd", "config", "dump")
    if not re.search(r'config_path = ["\']/etc/containerd/certs\.d', config):
        raise CannotJudge(
            f"containerd in {node.name} reads no /etc/containerd/certs.d, so images cannot be stood in for: "
            "take the node image of kind 0.27 or newer"
        )
    if node.run("sh", "-c", f"if [ -e /{HOME}/registry ]; then echo there; fi"):
        node.run("rm", "-rf", f"/{HOME}/names")
    else:
        node.run("sh", "-c", f"mkdir -p /{HOME}; if [ -e /{HOSTS} ]; then cp /{HOSTS} /{BEFORE}; fi")
    usual_config, usual_manifest = maker.usual()
    layer = maker.base()
    closed = {f"{HOME}/names/{repository}/closed": File() for repository in BOOTCAMP}
    node.put(
        archive(
            {
                f"{HOME}/busybox": File(maker.busybox, 0o755),
                **{f"{HOME}/bin/{name}": File(link=f"/{HOME}/busybox") for name in APPLETS},
                f"{HOME}/registry": File(script("registry"), 0o755),
                f"{HOME}/usual/config": File(usual_config),
                f"{HOME}/usual/manifest": File(usual_manifest),
                f"{HOME}/blobs/{digest(layer)}": File(layer),
                **closed,
                HOSTS: File(_HOSTS.encode()),
                f"etc/systemd/system/{UNIT}.socket": File(_SOCKET.encode()),
                f"etc/systemd/system/{UNIT}@.service": File(_SERVICE.encode()),
            }
        )
    )
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "enable", "--quiet", "--now", f"{UNIT}.socket")


def remove(node: Node) -> None:
    """Takes the registry out of a node again."""
    units = f"/etc/systemd/system/{UNIT}"
    node.run(
        *("sh", "-c"),
        f"systemctl disable --quiet --now {UNIT}.socket; rm -f {units}.socket {units}@.service; "
        f"if [ -e /{BEFORE} ]; then mv /{BEFORE} /{HOSTS}; else rm -f /{HOSTS}; fi; "
        f"rm -rf /{HOME}; systemctl daemon-reload",
    )


def offer(node: Node, offers: Mapping[Image, Offer], blobs: Mapping[str, bytes]) -> None:
    """From now on the registry of the node answers so; the node has the images as offered or not at all."""
    kept = {image.name: each.digest for image, each in offers.items() if not each.seconds}
    known = withdraw(node, offers, kept)
    files = {f"{HOME}/blobs/{name}": File(blob) for name, blob in blobs.items() if name not in known}
    for image, offered in offers.items():
        folder = _folder(image)
        if offered.digest:
            files[f"{folder}/digest"] = File(offered.digest.encode())
        if offered.status:
            files[f"{folder}/status"] = File(f"{CODES[offered.status]} {offered.status}\n".encode())
        if offered.seconds:
            files[f"{folder}/seconds"] = File(f"{offered.seconds:.2f}".encode())
    node.put(archive(files))


def withdraw(node: Node, images: Iterable[Image], kept: Mapping[str, str] | None = None) -> set[str]:
    """Forgets what was said of the images, and drops them from the node, but for what it has as in `kept`.

    `kept`: digests by full names. Returns the blobs that the registry has.
    """
    images = list(images)
    folders = " ".join(f"/{_folder(image)}" for image in images)
    there = node.run("sh", "-c", f"rm -rf {folders}; ls /{HOME}/blobs; {' '.join(LIST)}")
    digests = _listed(there)
    names = (image.name for image in images)
    wrong = [name for name in names if name in digests and (kept or {}).get(name) != digests[name]]
    if wrong:
        node.run("ctr", "--namespace", "k8s.io", "images", "rm", *wrong)
    return {line for line in there.splitlines() if line.startswith("sha256:") and " " not in line}


def present(node: Node) -> dict[str, str]:
    """The images that containerd has in the node: digests by their full names."""
    return _listed(node.run(*LIST))


def _listed(text: str) -> dict[str, str]:
    rows = (line.split() for line in text.splitlines())
    return {row[0]: row[2] for row in rows if len(row) > 2 and row[2].startswith("sha256:")}


def _folder(image: Image) -> str:
    return f"{HOME}/names/{image.full_repository}/{image.tag}"


def bootcamp() -> list[Image]:
    """The images of the tutorial that exist."""
    return [parse_image(f"{repository}:{tag}") for repository in BOOTCAMP for tag in BOOTCAMP_TAGS]
