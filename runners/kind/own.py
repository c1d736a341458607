"""The user's own images ([kind.images] in the settings): from the local Docker, or built from a folder.

[kind.images]
"acme/shop:2.1.0" = {local = true}
"acme/shop:dev" = {build = "shop"}
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gherkube.runners import state
from gherkube.runners.errors import UsageError
from gherkube.runners.kind.standin import Made, assemble

if TYPE_CHECKING:
    import docker

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class OwnImage:
    """An image that is not stood in for. `build`: the folder with its Dockerfile; "": it is in Docker."""

    build: str = ""


def pack(client: docker.DockerClient, name: str, own: OwnImage) -> Made:
    """The image as a registry gives it. Raises UsageError when it is not there or cannot be built."""
    from docker.errors import DockerException, ImageNotFound

    try:
        if own.build:
            labels = {state.LABEL: state.run_id()}
            found, _ = client.images.build(path=own.build, rm=True, labels=labels)
        else:
            found = client.images.get(_short(name))
        return _unpack(b"".join(found.save()))
    except ImageNotFound:
        raise UsageError(
            f'image "{_short(name)}" is not in the local Docker: build or pull it, '
            "or take it out of [kind.images], and a stand-in is made"
        ) from None
    except (DockerException, TypeError) as error:
        raise UsageError(f'image "{_short(name)}" cannot be built from {own.build}: {error}') from None


def _unpack(saved: bytes) -> Made:
    """An image that Docker saved. docs.docker.com/reference/api/engine: ImageGet, manifest.json"""
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def read(path: str) -> bytes:
            file = archive.extractfile(path)
            data = file.read() if file else b""
            return gzip.decompress(data) if data.startswith(GZIP) else data

        listed: dict[str, Any] = json.loads(read("manifest.json"))[0]
        return assemble(json.loads(read(listed["Config"])), map(read, listed["Layers"]))


def _short(name: str) -> str:
    return name.removeprefix("docker.io/").removeprefix("library/")
