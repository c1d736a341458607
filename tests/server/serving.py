"""`gherkube serve` in a process of its own, for clients that know nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")


@contextmanager
def serving(home: Path, *options: str) -> Iterator[str]:
    """A server, whose kubeconfig in `home` is what comes."""
    command = [*GHERKUBE, "serve", "--kubeconfig", str(home / "kubeconfig"), *options]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(home)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("export KUBECONFIG="), line
        yield line.strip().removeprefix("export KUBECONFIG=")
    finally:
        process.terminate()
        process.wait(300)
        process.stdout.close()
