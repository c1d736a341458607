"""The servers that this user runs, so that a command finds the one that is meant."""

from __future__ import annotations

import json
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.errors import UsageError
from gherkube.runners.simulator.server import kubeconfig


class Run(NamedTuple):
    """A server that runs."""

    pid: int
    url: str
    kubeconfig: str


def folder() -> Path:
    """Where they are noted, for this user only."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(runtime) / "gherkube" if runtime else Path(tempfile.gettempdir()) / f"gherkube-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise UsageError(f"{path} belongs to somebody else: set XDG_RUNTIME_DIR to a folder of your own")
    return path


def note(run: Run) -> None:
    """Notes a server that has begun."""
    _file(run.pid).write_text(json.dumps(run._asdict()))


def forget(pid: int) -> None:
    """Forgets a server that ends."""
    _file(pid).unlink(missing_ok=True)


def all_runs() -> Iterator[Run]:
    """The servers that run; what is left of those that ended badly is forgotten."""
    for path in sorted(folder().glob("serve-*.json")):
        try:
            run = Run(**json.loads(path.read_text()))
            os.kill(run.pid, 0)
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
        else:
            yield run


def find(asked: Path | None) -> Path:
    """The kubeconfig of the server that is meant: named, or in KUBECONFIG, or the only one."""
    if asked is not None:
        return asked
    for each in os.environ.get("KUBECONFIG", "").split(os.pathsep):
        if each and kubeconfig.is_ours(Path(each)):
            return Path(each)
    found = list(all_runs())
    if not found:
        raise UsageError("no gherkube serve is running: start one, or name its kubeconfig with --kubeconfig")
    if len(found) > 1:
        shown = ", ".join(run.kubeconfig for run in found)
        raise UsageError(f"{len(found)} servers are running: say which with --kubeconfig, one of {shown}")
    return Path(found[0].kubeconfig)


def ask(file: Path, method: str, path: str, body: Any = None) -> Any:
    """What the server of that kubeconfig answers below /gherkube/v1. Raises UsageError."""
    import yaml

    try:
        config = yaml.safe_load(file.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server, authority = cluster["server"], cluster.get("certificate-authority-data")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        raise UsageError(f"{file} is no kubeconfig of gherkube serve") from None
    trusted = b64decode(authority).decode() if authority else None
    context = ssl.create_default_context(cadata=trusted) if server.startswith("https:") else None
    request = urllib.request.Request(
        f"{server}/gherkube/v1{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {user.get('token', '')}", "Content-Type": "application/json"},
        method=method,
    )
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise UsageError(_message(error)) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the server of {file} does not answer: {error}; does it still run?") from None


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the server answers {error.code} {error.reason}: it is no gherkube serve"


def _file(pid: int) -> Path:
    return folder() / f"serve-{pid}.json"
