"""Runs kubectl command lines for the recorder and for the test."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"(?<=resourceVersion: )\"\d+\"|(?<=resourceVersion\": )\"\d+\""), "VERSION"),
    (re.compile(r"(?<=Resource Version:) +\d+"), " VERSION"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"), "TIME"),
)
"""What differs from run to run, and what stands for it."""
AGES = re.compile(r" \d+(?:m\d+)?[smhd](?= |$)", re.MULTILINE)


def prepared(kubectl: str, kubeconfig: str) -> None:
    """Makes the objects that the commands ask about."""
    for arguments in (
        ["apply", "--server-side", "-f", str(HERE / "objects.yaml")],
        ["wait", "--for=condition=Established", "crd/kiosks.forms.example", "--timeout=300s"],
        ["apply", "--server-side", "-f", str(HERE / "kiosk.yaml")],
    ):
        done = _kubectl(kubectl, kubeconfig, arguments)
        assert done.returncode == 0, done.stderr


def run(kubectl: str, kubeconfig: str, command: str) -> dict[str, object]:
    """What came of a command, without what differs from run to run."""
    done = _kubectl(kubectl, kubeconfig, ["-n", "forms", *arguments_of(command)])
    return {
        "command": command,
        "code": done.returncode,
        "stdout": steady(done.stdout),
        "stderr": steady(done.stderr),
    }


def arguments_of(command: str) -> list[str]:
    """The arguments of a line: parted at spaces, but not within braces, brackets and parentheses."""
    depth, parts = 0, [""]
    for letter in command:
        depth += (letter in "{[(") - (letter in "}])")
        if letter == " " and depth == 0 and not _in_selector(parts):
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _in_selector(parts: list[str]) -> bool:
    """Whether a selector in words goes on: `-l tier in (front,back)`."""
    return len(parts) > 2 and parts[-2] == "-l" and parts[-1] in ("tier", "tier in", "tier notin")


def steady(text: str) -> str:
    """The text without identities, versions, times and ages, nor the widths that follow from ages."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    if " AGE" not in text.partition("\n")[0]:
        return text
    return re.sub(r" {3,}", "   ", AGES.sub(" AGE", text))


def _kubectl(kubectl: str, kubeconfig: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    cache = {"KUBECACHEDIR": str(Path(kubeconfig).parent / "cache")}
    return subprocess.run(
        [kubectl, "--kubeconfig", kubeconfig, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **cache},
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
