"""Types the lines of docs/tutorial.md into a shell beside a server, and writes what they print below them.

    python -m tests.server.transcript [--write]

Prints the page as it is now; `--write` puts it in its place.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.server.kubectls import GHERKUBE, RECORDED, kubectl_of, served

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
SERVE = "$ gherkube serve "
CHANGING: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"https://127\.0\.0\.1:\d+"), "https://127.0.0.1:38425"),
    (re.compile(r"(?<=\s)(?:\d+y)?\d+d(?=\s)"), lambda age: "…".ljust(len(age[0]))),
)
"""A port, and ages that kubectl counts from its own clock; what stands for them."""
UNTOLD = "$ gherkube sim advance "
"""Lines whose answer, a few numbers about the clock, is left out."""


def transcript(page: str, folder: Path) -> str:
    """The page with what its lines print now. `folder`: for the server's kubeconfig and the commands."""
    start = next(line for line in page.splitlines() if line.startswith(SERVE))
    with served(folder, *start.removeprefix(SERVE).split()) as kubeconfig:
        return "".join(_typed(page, _environment(folder, kubeconfig)))


def _typed(page: str, environment: dict[str, str]) -> Iterator[str]:
    inside = False
    for line in page.splitlines(keepends=True):
        if line.startswith("```"):
            inside = not inside
        if not inside or line.startswith(("```", "$ ")):
            yield line
        if inside and line.startswith(SERVE):
            yield "export KUBECONFIG=/run/user/1000/gherkube/kubeconfig-4711\n"
        elif inside and line.startswith("$ "):
            printed = _printed(line.removeprefix("$ "), environment)
            yield "" if line.startswith(UNTOLD) else printed


def _printed(line: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        line,
        shell=True,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    text: str = done.stdout
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    lines = (each.rstrip() for each in text.splitlines())
    return "".join(f"{each}\n" for each in lines)


def _environment(folder: Path, kubeconfig: str) -> dict[str, str]:
    """Finds `kubectl` and `gherkube` in the folder."""
    (folder / "kubectl").symlink_to(kubectl_of(RECORDED))
    gherkube = folder / "gherkube"
    gherkube.write_text(f"#!/bin/sh\nexec '{GHERKUBE[0]}' -c '{GHERKUBE[2]}' \"$@\"\n")
    gherkube.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "KUBECONFIG": kubeconfig, "HOME": str(folder), "NO_COLOR": "1"}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        told = transcript(PAGE.read_text(), Path(made))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(told)
    else:
        print(told, end="")
