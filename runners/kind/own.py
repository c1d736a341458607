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
    from docker.models.images import Image

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class OwnImage:
    """An image that is not stood in for. `build`: the folder with its Dockerfile; "": it is in Docker."""

    build: str = ""


def pack(client: docker.DockerClient, name: str, own: OwnImage) -> Made:
    """The image as a registry gives it. Raises UsageError when it is not there or cannot be built."""
    from docker.errors import DockerException, ImageNotFound

    try:
        return _built(client, own.build) if own.build else _saved(client.images.get(_short(name)))
    except ImageNotFound:
        raise UsageError(
            f'image "{_short(name)}" is not in the local Docker: build or pull it, '
            "or take it out of [kind.images], and a stand-in is made"
        ) from None
    except (DockerException, TypeError) as error:
        why = getattr(error, "explanation", None) or error
        raise UsageError(f'image "{_short(name)}" cannot be built from {own.build}: {why}') from None


def _built(client: docker.DockerClient, folder: str) -> Made:
    """Builds an image, and leaves nothing of it in Docker but what that caches."""
    debt = state.begin().owe("docker", f"the image that is built from {folder}")
    try:
        labels = {state.LABEL: state.run_id()}
        image, _ = client.images.build(path=folder, rm=True, forcerm=True, labels=labels)
    except Exception:
        debt.paid()
        raise
    try:
        return _saved(image)
    finally:
        client.images.remove(str(image.id))
        debt.paid()


def _saved(image: Image) -> Made:
    """An image of Docker, taken apart once in a run."""
    if image.id not in _SAVED:
        _SAVED[image.id] = _unpack(b"".join(image.save()))
    return _SAVED[image.id]


_SAVED: dict[str | None, Made] = {}
"""Those that were taken apart, by their ids."""


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
