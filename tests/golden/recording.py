"""Files of a recording: everything that a cluster said while a scenario was played.

A folder with three files of JSON lines, each plain or gzipped; times are seconds since the scenario began.

    actions.ndjson   one line an action: t, action, argv, rc, stdout, stderr, seconds
    watch.ndjson     one line a watch event: t, resource, type, object (without managedFields)
    states.ndjson    one line a checkpoint: t, name, objects: {resource: [object]}
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from gherkube.runners.report.facts import Recording
from gherkube.runners.report.names import Json

RESOURCES = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "endpoints": "/api/v1",
    "events": "/api/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "controllerrevisions": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "cronjobs": "/apis/batch/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "resourcequotas": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
}
"""What is recorded of the scenario's namespace, with the path of its API; nodes are recorded besides."""

FILES = ("actions", "watch", "states")


def write(folder: Path, recording: Recording) -> None:
    """Writes the three files, gzipped; the same recording gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        lines = "".join(json.dumps(line) + "\n" for line in getattr(recording, name))
        (folder / f"{name}.ndjson.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))


def read(folder: Path) -> Recording:
    """The recording in a folder; a file that is not there is empty."""
    return Recording(*(list(_lines(folder, name)) for name in FILES))


def is_recording(folder: Path) -> bool:
    """Whether the folder holds a recording."""
    return any((folder / f"actions.ndjson{ending}").exists() for ending in ("", ".gz"))


def named(folder: Path) -> list[str]:
    """The names of the recordings in a folder of recordings; [""] when it is one itself."""
    return [""] if is_recording(folder) else sorted(p.name for p in folder.iterdir() if is_recording(p))


def _lines(folder: Path, name: str) -> Iterator[Json]:
    plain, packed = folder / f"{name}.ndjson", folder / f"{name}.ndjson.gz"
    if plain.exists():
        text = plain.read_text()
    elif packed.exists():
        text = gzip.decompress(packed.read_bytes()).decode()
    else:
        return
    for line in text.splitlines():
        yield json.loads(line)
