"""`gherkube doctor`: looks at all that a run on kind needs, and says what to do about what is missing."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners import commands, state
from gherkube.runners.errors import CannotJudge, GherkubeError, UsageError
from gherkube.runners.kind import clusters
from gherkube.runners.kind.engine import engine, host
from gherkube.runners.kind.settings import NODES, KindSettings
from gherkube.runners.settings import find, load

GOOD, WARNING, BAD = "✓", "!", "✗"
OLDEST_DOCKER = (20, 10)
GIB = 1 << 30
DISK = (5 * GIB, 15 * GIB)
"""Bytes that have to be free for the engine, and that should be: the image of the nodes alone is 1 GB."""
MEMORY = (2 * GIB, 4 * GIB)
"""Bytes that the engine has to have, and should."""
INOTIFY = {"max_user_instances": 512, "max_user_watches": 524288}
"""What kind recommends. kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files"""
SYSCTL = Path("/proc/sys/fs/inotify")


class Finding(NamedTuple):
    """What was looked at, how it is (`GOOD`, `WARNING`, `BAD`), what was found, and what to do about it."""

    what: str
    mark: str
    found: str
    then: str = ""


@dataclass
class Patient:
    """What is looked at. `info` is what the engine says of itself; empty while it does not answer."""

    settings: KindSettings
    info: dict[str, Any] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)


def doctor() -> int:
    """Prints a line for each thing; returns the exit code: 0, or 1 when nothing can be run on kind."""
    try:
        file = find([Path.cwd()])
        settings = load(file) if file else None
    except UsageError as error:
        print(f"gherkube doctor: {error}", file=sys.stderr)
        return 2
    patient = Patient(settings.kind if settings else KindSettings())
    worst = 0
    for check in CHECKS:
        for each in check(patient):
            print(f"{each.mark} {each.what}: {each.found}", flush=True)
            if each.then:
                print(f"    {each.then}")
            worst = max(worst, each.mark == BAD)
    print("\nRuns on kind cannot begin here yet." if worst else "\nRuns on kind can begin here.")
    return worst


def _docker(patient: Patient) -> Iterator[Finding]:
    at = host() or "the usual socket"
    try:
        with closing(engine()) as client:
            patient.info = client.info()
            patient.images = {tag for image in client.images.list() for tag in image.tags}
    except (CannotJudge, OSError) as error:
        yield Finding("Docker", BAD, "does not answer", str(error))
        return
    found = str(patient.info.get("ServerVersion", ""))
    parts = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if parts < OLDEST_DOCKER:
        yield Finding("Docker", BAD, f"{found} at {at}", "kind needs Docker 20.10 or newer: update it")
        return
    yield Finding("Docker", GOOD, f"{found} at {at}")
    if shutil.which("docker") is None:
        then = "kind calls it: install Docker's command line"
        yield Finding("the command docker", BAD, "is not on PATH", then)


def _kind(patient: Patient) -> Iterator[Finding]:
    try:
        program = clusters.program(patient.settings)
        yield Finding("kind", GOOD, f"{program.version()} ({program.program})")
    except GherkubeError as error:
        yield Finding("kind", BAD, "cannot be used", str(error))


def _image(patient: Patient) -> Iterator[Finding]:
    image = patient.settings.image
    if not patient.info:
        return
    if not image:
        here = sorted(tag for tag in patient.images if tag.startswith("kindest/node:"))
        if not here:
            then = "the first run pulls it, about 1 GB; image in [kind] of the settings names another one"
            yield Finding("the image of the nodes", WARNING, "is not here yet", then)
            return
        image = ", ".join(here)
    elif image.partition("@")[0] not in patient.images:
        yield Finding("the image of the nodes", WARNING, f"{image} is not here yet", "the first run pulls it")
        return
    yield Finding("the image of the nodes", GOOD, image)


def _cgroups(patient: Patient) -> Iterator[Finding]:
    if not patient.info:
        return
    number, driver = patient.info.get("CgroupVersion", "1"), patient.info.get("CgroupDriver", "")
    if number != "1":
        yield Finding("cgroups", GOOD, f"version {number}, {driver}")
        return
    rootless = any("rootless" in each for each in patient.info.get("SecurityOptions") or ())
    then = "boot the machine with systemd.unified_cgroup_hierarchy=1"
    if rootless:
        yield Finding("cgroups", BAD, "version 1, and Docker is rootless", f"kind needs version 2: {then}")
    else:
        yield Finding("cgroups", WARNING, "version 1", f"kubelets from 1.35 on refuse it: {then}")


def _disk(patient: Patient) -> Iterator[Finding]:
    root = patient.info.get("DockerRootDir")
    if not root or not Path(root).exists():  # in a virtual machine, or elsewhere
        return
    free = shutil.disk_usage(root).free
    found = f"{free / GIB:.0f} GiB are free below {root}"
    yield _enough("disk", free, DISK, found, "make room: `docker system prune` removes what nothing uses")


def _memory(patient: Patient) -> Iterator[Finding]:
    total = patient.info.get("MemTotal")
    if not total:
        return
    nodes = (patient.settings.nodes or NODES) + 1
    found = f"Docker has {total / GIB:.0f} GiB, and {patient.info.get('NCPU')} CPUs, for {nodes} nodes"
    then = "give Docker more (Docker Desktop: Settings, Resources), or ask for fewer nodes with --nodes 1"
    yield _enough("memory", total, MEMORY, found, then)


def _enough(what: str, has: int, limits: tuple[int, int], found: str, then: str) -> Finding:
    mark = BAD if has < limits[0] else WARNING if has < limits[1] else GOOD
    return Finding(what, mark, found, "" if mark == GOOD else then)


def _inotify(_: Patient) -> Iterator[Finding]:
    if not SYSCTL.exists():  # not Linux: the engine's virtual machine has its own
        return
    has = {name: int((SYSCTL / name).read_text()) for name in INOTIFY}
    low = {name: wanted for name, wanted in INOTIFY.items() if has[name] < wanted}
    if not low:
        yield Finding("inotify", GOOD, "enough instances and watches")
        return
    found = ", ".join(f"{name} is {has[name]}" for name in low)
    then = " ".join(f"fs.inotify.{name}={wanted}" for name, wanted in low.items())
    why = "enough for a few nodes; with more, pods fail with “too many open files”"
    yield Finding("inotify", WARNING, f"{found}: {why}", f"sudo sysctl {then}")


def _kubectl(_: Patient) -> Iterator[Finding]:
    for tool in ("kubectl", "helm"):
        try:
            yield Finding(tool, GOOD, commands.find(tool))
        except CannotJudge as error:
            yield Finding(tool, WARNING, "is not here; only sentences that run it need it", str(error))


def _state(_: Patient) -> Iterator[Finding]:
    folder = state.folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        then = "what runs make is written down there: name another folder with GHERKUBE_STATE"
        yield Finding("state", BAD, f"{folder} cannot be written ({error.strerror})", then)
        return
    with state.gone() as runs:
        left = [run for run in runs if run.debts() or run.journals()]
    if left:
        found = f"{len(left)} run{'s' if len(left) > 1 else ''} left something behind"
        yield Finding("state", WARNING, found, f"`{state.CLEANS}` cleans up")
    else:
        yield Finding("state", GOOD, f"{folder}; no run left anything behind")


def _versions(_: Patient) -> Iterator[Finding]:
    parts = [f"{name} {version(name)}" for name in ("gherkube", "docker", "kubernetes")]
    yield Finding("Python", GOOD, f"{sys.version.split()[0]}; {', '.join(parts)}")


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    _versions,
    _docker,
    _kind,
    _image,
    _cgroups,
    _disk,
    _memory,
    _inotify,
    _kubectl,
    _state,
)
