"""The one program that stand-in images and the nodes' registries are made of: a static busybox for Linux.

It is the host's, where that is static and for the engine's processor, else that of an image `busybox`,
which is pulled where the engine does not have it, and removed again.
"""

from __future__ import annotations

import io
import os
import struct
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from gherkube.runners import state
from gherkube.runners.errors import UsageError

if TYPE_CHECKING:
    import docker

PLACES = ("/bin/busybox", "/usr/bin/busybox", "/usr/bin/busybox.static", "/bin/busybox.static")
IMAGES = ("busybox:musl", "busybox:uclibc", "busybox:latest", "busybox:stable")
"""Images whose busybox may be static; the first is pulled."""
MACHINES = {62: "amd64", 183: "arm64", 22: "s390x", 21: "ppc64le"}
"""Processors by their numbers in ELF files, as images call them."""
NAMES = {"x86_64": "amd64", "aarch64": "arm64"}
INTERPRETER = 3
"""The kind of a program header that names a dynamic loader. elf(5) PT_INTERP"""


def find(client: docker.DockerClient, cache: Path) -> bytes:
    """The program, kept in the folder `cache`. Raises UsageError where there is none to be had."""
    processor = architecture(client)
    kept = cache / f"busybox-{processor}"
    if kept.is_file() and _fits(program := kept.read_bytes(), processor):
        return program
    program = _on_host(processor) or _in_engine(client, processor)
    if not program:
        raise UsageError(
            f"no static busybox for {processor} was found to make images of: not on this machine "
            f"({', '.join(PLACES)}), not in Docker, and {IMAGES[0]} cannot be pulled; "
            "install busybox-static, or load such an image into Docker"
        )
    cache.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f".{kept.name}.{os.getpid()}")
    part.write_bytes(program)
    part.replace(kept)
    return program


def architecture(client: docker.DockerClient) -> str:
    """The engine's processor, as images call it."""
    found = client.version()["Arch"]
    return NAMES.get(found, str(found))


def _on_host(processor: str) -> bytes:
    for place in map(Path, PLACES):
        if place.is_file() and _fits(program := place.read_bytes(), processor):
            return program
    return b""


def _in_engine(client: docker.DockerClient, processor: str) -> bytes:
    from docker.errors import DockerException, ImageNotFound

    for name in IMAGES:
        try:
            client.images.get(name)
        except ImageNotFound:
            continue
        if _fits(program := _inside(client, name), processor):
            return program
    try:
        client.images.pull(IMAGES[0])
    except DockerException:
        return b""
    try:
        program = _inside(client, IMAGES[0])
    finally:
        client.images.remove(IMAGES[0])
    return program if _fits(program, processor) else b""


def _inside(client: docker.DockerClient, image: str) -> bytes:
    debt = state.begin().owe("docker", f"a container of {image}, to take its busybox from")
    container = client.containers.create(image, ["true"], labels={state.LABEL: state.run_id()})
    try:
        chunks, _ = container.get_archive("/bin/busybox")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            files = (archive.extractfile(member) for member in archive)
            return next((file.read() for file in files if file), b"")
    finally:
        container.remove()
        debt.paid()


def _fits(program: bytes, processor: str) -> bool:
    """Whether it is a static 64-bit program for that processor. elf(5)"""
    if program[:5] != b"\x7fELF\x02":
        return False
    order = "<" if program[5] == 1 else ">"
    (machine,) = struct.unpack_from(f"{order}H", program, 18)
    (headers,) = struct.unpack_from(f"{order}Q", program, 32)
    size, count = struct.unpack_from(f"{order}HH", program, 54)
    kinds = [struct.unpack_from(f"{order}I", program, headers + size * each)[0] for each in range(count)]
    return MACHINES.get(machine) == processor and INTERPRETER not in kinds
