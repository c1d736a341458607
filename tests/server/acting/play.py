"""Plays kubectl command lines that act on a cluster, one after the other, and keeps what each prints.

A line of commands.txt is a command line, quoted as in a shell, perhaps with variables before it; or

    settle     until nothing changes any more
    & LINE     begins LINE, which watches, and goes on with the next
    stop       ends it; what it printed is kept like that of any other

`$NODE1`, … are the nodes that take pods. All is played in the namespace `acting`, in the folder `files`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tests.server.forms.play import CHANGING

HERE = Path(__file__).parent
COMMANDS = (HERE / "commands.txt").read_text().splitlines()
NAMESPACE = "acting"
LOOKED_AT = (
    "pods,deployments,replicasets,daemonsets,statefulsets,services,endpointslices,events,pdb,quota,hpa"
)
QUIET = 4.0
"""Real seconds without a change after which a cluster that is no simulator is taken to have settled."""
PATIENCE = 300.0

_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
_RANDOM = (
    *CHANGING,
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}( UTC)?"), "TIME"),
    (re.compile(r"(?m)^(node/)?(gherkube-)?control-plane\b"), r"\1PLANE"),
    (re.compile(r"\b(gherkube-worker\d?|node-\d)\b"), "NODE"),
    (re.compile(r"(?m)^[IWE]\d{4} .*\n"), ""),
    (re.compile(rf"(?<=-)[0-9a-f]{{6,10}}-{_LETTERS}{{5}}\b"), "HASH-POD"),
    (re.compile(rf"(?<=pod-template-hash[=:]) ?{_LETTERS}+|(?<=revision-hash[=:]) ?\S+"), "HASH"),
    (re.compile(rf"\b(web|shop|db|agent)(-outside)?-(?!(?:new|old)\b){_LETTERS}{{6,10}}\b"), r"\1\2-HASH"),
    (re.compile(rf"\b(web|shop|agent|kube-api-access)(-outside)?-{_LETTERS}{{5}}\b"), r"\1\2-POD"),
    (re.compile(r"(containerd://|sha256:)[0-9a-f]{64}"), r"\1ID"),
    (re.compile(r"[\w./-]+@sha256:ID"), "IMAGE"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "ADDRESS"),
    (re.compile(r"\b3[012]\d{3}\b"), "PORT"),
    (re.compile(r"v\d\.\d+\.\d+[\w.+-]*"), "VERSION"),
    (re.compile(r"/tmp/(LIVE|MERGED)-\d+"), r"\1"),
    (re.compile(r"/tmp/kubectl-edit-\d+"), "EDITED"),
    (re.compile(r"\(x\d+ over [^)]+\)"), "(xN)"),
    (re.compile(r"(?m)^Warning: .*(?:is kept|kept), nothing acts on it in the simulator.*\n"), ""),
    (re.compile(r"(?m)^Extra: .*\n"), ""),
    (re.compile(r"(?m)^.*failed to sync configmap cache.*\n"), ""),
    (re.compile(r"(?<=ADDRESS):\d+"), ":PORT"),
    (re.compile(r"(?m)^\s*<invalid>|(?<=  )<invalid>"), "AGE"),
    (re.compile(r"(?<=[\s(])\d+(?:ms|[smhd])(?:\d+(?:ms|[smh]))?(?=[\s)]|$)"), "AGE"),
    (re.compile(r"(?<=\S)[ \t]{2,}"), "  "),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)
"""What differs from run to run, and what stands for it; in this order."""


class Player:
    """Plays lines with one kubectl against one cluster."""

    def __init__(self, kubectl: str, kubeconfig: str) -> None:
        self._kubectl, self._kubeconfig = kubectl, kubeconfig
        self._environment = {**os.environ, "KUBECACHEDIR": str(Path(kubeconfig).parent / "cache")}
        self._simulated = not self._run(["get", "--raw", "/gherkube/v1"]).returncode
        workers = "-l=!node-role.kubernetes.io/control-plane"
        names = self._run(["get", "nodes", workers, "-o", "jsonpath={.items[*].metadata.name}"])
        self._nodes = names.stdout.split()
        self._watching: tuple[str, subprocess.Popen[str], list[str], threading.Thread] | None = None

    def play(self, expected: dict[str, int] | None = None) -> Iterator[dict[str, Any]]:
        """What came of each command. `expected`: how many lines each watching one will have printed."""
        self._run(["create", "namespace", NAMESPACE])
        self._settle()
        for line in COMMANDS:
            if line.startswith("#"):
                continue
            if line == "settle":
                self._settle()
            elif line == "stop":
                yield self._stop(expected)
            elif line.startswith("& "):
                self._begin(line[2:])
            else:
                yield self._came(line)

    def _came(self, line: str) -> dict[str, Any]:
        arguments, environment = self._parts(line)
        done = self._run(["-n", NAMESPACE, *arguments], environment)
        return came(line, done.returncode, done.stdout, done.stderr)

    def _begin(self, line: str) -> None:
        arguments, environment = self._parts(line)
        process = subprocess.Popen(
            [self._kubectl, "--kubeconfig", self._kubeconfig, "-n", NAMESPACE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        reading = threading.Thread(target=_read, args=(process.stdout, lines))
        reading.start()
        self._watching = line, process, lines, reading

    def _stop(self, expected: dict[str, int] | None) -> dict[str, Any]:
        assert self._watching is not None
        line, process, lines, reading = self._watching
        until = time.monotonic() + (QUIET if expected is None else PATIENCE)
        while time.monotonic() < until and (expected is None or len(lines) < expected[f"& {line}"]):
            reading.join(0.05)
        process.terminate()
        process.wait()
        reading.join()
        assert process.stdout is not None
        process.stdout.close()
        return came(f"& {line}", 0, "".join(lines), "")

    def _settle(self) -> None:
        if self._simulated:
            self._run(["create", "--raw", "/gherkube/v1/clock/advance", "-f", "-"], stdin='{"seconds": 20}')
            return
        versions, since = "", time.monotonic()
        while time.monotonic() - since < QUIET:
            time.sleep(0.5)
            path = "jsonpath={.items[*].metadata.resourceVersion}"
            now = self._run(["-n", NAMESPACE, "get", LOOKED_AT, "-o", path]).stdout
            if now != versions:
                versions, since = now, time.monotonic()

    def _parts(self, line: str) -> tuple[list[str], dict[str, str]]:
        for number, node in enumerate(self._nodes, 1):
            line = line.replace(f"$NODE{number}", node)
        words, environment = shlex.split(line), dict(self._environment)
        while re.match(r"[A-Z_]+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        return words, environment

    def _run(
        self, arguments: list[str], environment: dict[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._kubectl, "--kubeconfig", self._kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment or self._environment,
            cwd=HERE / "files",
            timeout=600,
            check=False,
        )


def came(line: str, code: int, out: str, err: str) -> dict[str, Any]:
    """What is kept of a command: without chance, nor the Go structures that a refusal may show."""
    out, err = steady(out), steady(err).partition("\n@@ ")[0].rstrip("\n")
    if "rollout status" in line:  # which of the states between it saw is chance
        out = "".join(out.splitlines(keepends=True)[-1:])
    if line.endswith("--list"):
        out = "".join(sorted(out.splitlines(keepends=True)))
    if "get" in line and out.startswith(("NAME", "LAST")):  # names are random, and so is their order
        out = "\n\n".join("\n".join(_sorted_rows(table)) for table in out.split("\n\n"))
    return {"command": line, "code": code, "stdout": out, "stderr": err}


def _sorted_rows(table: str) -> list[str]:
    head, *rows = table.splitlines()
    return [head, *sorted(rows)]


def steady(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, instead in _RANDOM:
        text = pattern.sub(instead, text)
    return text


def _read(stream: IO[str], lines: list[str]) -> None:
    lines.extend(stream)
