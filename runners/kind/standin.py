"""Stand-ins: small images that do what a scenario says of the image whose name they have.

All are made of one layer, busybox and two scripts (the folder `app`), and tell by variables in their
configuration how they behave. They are put together here, without a compiler or the engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import inf
from typing import Any, NamedTuple

from gherkube.runners.kind.nodes import File, archive
from gherkube.runners.simulator.node.containers import DEFAULT_PORT
from gherkube.runners.simulator.node.images import DEFAULT, STEERED, Behaviour, Image, parse_image
from gherkube.runners.simulator.node.programs import COMMANDS

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
"""github.com/opencontainers/image-spec media-types.md"""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SERVE = "/gherkube/serve"
NEVER = 36_000_000.0
"""Seconds of something that never happens, in a variable."""
LIVE_PATHS, READY_PATHS = ("/healthz", "/livez"), ("/readyz",)
COMPLETES_AFTER = 0.2
"""Seconds that an init container takes of whose image nothing is said."""
APPLETS = """
ash awk basename busybox cat chmod cp cut date dd df dirname du echo env expr false find grep gunzip gzip head
hostname id ip kill ln ls mkdir mktemp mv nc netstat nslookup od ping printf ps pwd readlink rm rmdir sed
seq sh sha256sum sleep sort stat sync tail tar tcpsvd tee test timeout top touch tr true uname uniq usleep vi
wc wget which xargs yes
"""
"""Programs that every stand-in has, for commands of containers and `kubectl exec`."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """What a scenario asks of an image.

    `ports`: those that its containers declare. `live`, `ready`: the paths that their probes ask.
    `commands`: the programs that they run in the place of the image's. `completes`: an init container.
    """

    image: Image
    behaviour: Behaviour = DEFAULT
    ports: frozenset[int] = frozenset()
    live: frozenset[str] = frozenset()
    ready: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()
    completes: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether nothing special is asked of it, so that all scenarios can share it."""
        return made_of(self) == made_of(StandIn(self.image))


class Made(NamedTuple):
    """An image as a registry gives it: the digest of its manifest, and all that it is made of, by digest."""

    digest: str
    blobs: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes images of a busybox for a processor."""

    busybox: bytes = field(repr=False)
    processor: str

    def make(self, stand_in: StandIn) -> Made:
        """The image."""
        layers = [self.base()]
        if links := {path.lstrip("/"): File(link=SERVE) for path in _missing(stand_in)}:
            layers.append(archive(links))
        return assemble(_config(stand_in, self.processor), layers)

    def usual(self) -> tuple[bytes, bytes]:
        """Configuration and manifest of the usual stand-in.

        In place of its names, digest and size stand @IMAGE@, @VERSION@, @DIGEST@, @SIZE@.
        """
        image = Image("", "", "@IMAGE@", "@VERSION@")
        layer = self.base()
        config = _whole(_config(StandIn(image), self.processor), [layer])
        return config, _manifest("@DIGEST@", "@SIZE@", [layer]).replace(b'"@SIZE@"', b"@SIZE@")

    def base(self) -> bytes:
        """The layer that all its images have."""
        return base(self.busybox)


def _missing(stand_in: StandIn) -> list[str]:
    """The programs that stand for the image's own: all where something is said of it, else unknown ones."""
    known = set(APPLETS.split()) if stand_in.behaviour == DEFAULT else set()
    return sorted(path for path in stand_in.commands if path.rpartition("/")[2] not in known)


@cache
def base(busybox: bytes) -> bytes:
    """The layer that all stand-ins have."""
    scripts = {f"gherkube/{name}": File(script(name), 0o755) for name in ("serve", "answer")}
    link = File(link="/gherkube/busybox")
    applets = {f"{folder}/{name}": link for name in APPLETS.split() for folder in FOLDERS}
    return archive(
        {
            **{f"{folder}/": File(mode=0o755) for folder in ("gherkube", *FOLDERS, "etc")},
            "tmp/": File(mode=0o1777),
            "etc/passwd": File(b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
            "gherkube/busybox": File(busybox, 0o755),
            **scripts,
            **applets,
        }
    )


FOLDERS = ("bin", "gherkube/bin")


def script(name: str) -> bytes:
    """A script of the folder `app`."""
    return (files(__package__) / "app" / name).read_bytes()


def made_of(stand_in: StandIn) -> tuple[object, ...]:
    """What tells it from others: whether and how it comes, its variables, and the programs it has beside."""
    behaviour = stand_in.behaviour
    return behaviour.exists, behaviour.pull_seconds, _variables(stand_in), _missing(stand_in)


def _variables(asked: StandIn) -> dict[str, str]:
    behaviour, tag = asked.behaviour, asked.image.tag
    version = behaviour.version or (tag[1:] if tag[:1] == "v" and tag[1:2].isdigit() else tag)
    times: dict[str, float | None] = {
        "LISTEN_AFTER": behaviour.listen_after or None,
        "READY_AFTER": NEVER if behaviour.never_ready else behaviour.ready_after,
        "FAILS_READINESS_AFTER": behaviour.fails_readiness_after,
        "FAILS_LIVENESS_AFTER": behaviour.fails_liveness_after,
        "HANGS_AFTER": behaviour.hangs_after,
        "CRASH_AFTER": behaviour.crash_after,
        "ANSWER_SECONDS": behaviour.answer_seconds or None,
        "STOP_SECONDS": behaviour.stop_seconds or None,
    }
    exit_code = behaviour.exit_code
    if asked.completes and behaviour.crash_after is None:
        times["CRASH_AFTER"], exit_code = COMPLETES_AFTER, 0
    ports = {behaviour.port} if behaviour.port else asked.ports - {DEFAULT_PORT} and asked.ports
    texts = {
        "IMAGE": asked.image.repository,
        "VERSION": version,
        **{name: _text(value) for name, value in times.items() if value is not None},
        "EXIT_CODE": str(exit_code) if exit_code != 1 else "",
        "ANSWER_CODE": str(behaviour.answer_code) if behaviour.answer_code != DEFAULT.answer_code else "",
        "ANSWER_TEXT": behaviour.answer_text or "",
        "IGNORES_SIGTERM": "1" if behaviour.ignores_sigterm else "",
        "MEMORY": str(behaviour.memory or ""),
        "PORTS": " ".join(map(str, sorted(ports))),
        "LIVE_PATHS": " ".join(sorted({*LIVE_PATHS, *asked.live} - asked.ready)),
        "READY_PATHS": " ".join(sorted({*READY_PATHS, *asked.ready})),
        "STEERED": "1" if asked.image.full_repository in STEERED else "",
    }
    return {f"GHERKUBE_{name}": text for name, text in texts.items() if text}


def _text(seconds: float) -> str:
    """A time as the scripts read it, in hundredths of a second at the finest."""
    if seconds == inf:
        seconds = NEVER
    return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"


def _config(asked: StandIn, processor: str) -> dict[str, Any]:
    variables = {"PATH": PATH, **_variables(asked)}
    command: dict[str, list[str]] = {"Entrypoint": [SERVE]}
    plain = COMMANDS.get(asked.image.repository.rpartition("/")[2])
    if plain and asked.behaviour == DEFAULT:
        command = {"Cmd": plain}
    return {
        "architecture": processor,
        "os": "linux",
        "config": {"Env": [f"{name}={text}" for name, text in variables.items()], **command},
    }


def assemble(config: Mapping[str, Any], layers: Iterable[bytes]) -> Made:
    """An image of a configuration and layers, each an uncompressed tar archive.

    github.com/opencontainers/image-spec manifest.md, config.md
    """
    layers = list(layers)
    written = _whole(config, layers)
    manifest = _manifest(digest(written), len(written), layers)
    return Made(digest(manifest), {digest(blob): blob for blob in (manifest, written, *layers)})


def _whole(config: Mapping[str, Any], layers: Iterable[bytes]) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    return json.dumps({**config, "rootfs": rootfs}, separators=(",", ":")).encode()


def _manifest(config: str, size: int | str, layers: Iterable[bytes]) -> bytes:
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config, "size": size},
        "layers": [{"mediaType": LAYER, "digest": digest(layer), "size": len(layer)} for layer in layers],
    }
    return json.dumps(manifest, separators=(",", ":")).encode()


def digest(blob: bytes) -> str:
    """A blob's name in a registry."""
    return f"sha256:{sha256(blob).hexdigest()}"


def usual(name: str) -> StandIn:
    """The stand-in of an image of which nothing is said."""
    return StandIn(parse_image(name))
