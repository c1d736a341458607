"""The kubeconfig of a server: written, and read again by the commands that look for it."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from gherkube.runners.errors import UsageError

MARK = "# written by gherkube serve\n"
TEXT = """\
apiVersion: v1
kind: Config
current-context: gherkube
clusters:
- name: gherkube
  cluster:
    server: {server}
{authority}contexts:
- name: gherkube
  context: {{cluster: gherkube, user: gherkube{namespace}}}
users:
- name: gherkube
  user: {user}
"""


def text(server: str, token: str, authority: bytes, namespace: str = "") -> str:
    """A kubeconfig for the server at that URL; no token and no authority: plain HTTP."""
    trusted = f"    certificate-authority-data: {b64encode(authority).decode()}\n" if authority else ""
    user = f"{{token: {token}}}" if token else "{}"
    place = f", namespace: {namespace}" if namespace else ""
    return MARK + TEXT.format(server=server, authority=trusted, user=user, namespace=place)


def is_ours(path: Path) -> bool:
    """Whether that file is a kubeconfig of gherkube serve."""
    try:
        return path.read_text(errors="replace").startswith(MARK)
    except OSError:
        return False


def write(path: Path, content: str) -> None:
    """Writes it for this user only. UsageError when a file that is not gherkube's is there."""
    try:
        if path.exists() and not is_ours(path):
            raise UsageError(f"{path} is there and was not written by gherkube serve: name another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
