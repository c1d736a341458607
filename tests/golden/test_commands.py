"""Command lines come apart as kubectl takes them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.golden.commands import Commands, Said
from tests.golden.words import Words, taken_apart
from tests.server.kubectls import any_kubectl, served

HERE = Path(__file__).parent
PLACE = "here"
GIVEN = ("kube-root-ca.crt", "default")
"""What each namespace is given."""
RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?<=-)([a-z0-9]{6,10}-)?[bcdfghjklmnpqrstvwxz2456789]{5}\b"
    r"|\b(\d{1,3}\.){3}\d{1,3}\b|\b3[012]\d{3}\b"
)
"""Uids, the ends of generated names, addresses and node ports."""


@pytest.mark.parametrize(
    ("line", "words", "said", "command"),
    [
        ("scale deploy/web --replicas=5", ["deploy/web"], [("--replicas", "5")], []),
        (
            "expose deploy web --type=NodePort --port 80",
            ["deploy", "web"],
            [("--type", "NodePort"), ("--port", "80")],
            [],
        ),
        ("label pod p a=b --overwrite", ["pod", "p", "a=b"], [("--overwrite", "true")], []),
        ("delete pod -l app=web", ["pod"], [("--selector", "app=web")], []),
        ("patch deploy web -p '{\"a\": 1}'", ["deploy", "web"], [("--patch", '{"a": 1}')], []),
        ("apply -f -", [], [("--filename", "-")], []),
        ("run p -- sh -c x", ["p"], [], ["sh", "-c", "x"]),
    ],
)
def test_words_and_flags(
    line: str, words: list[str], said: list[tuple[str, str]], command: list[str]
) -> None:
    """A flag's value stands behind `=` or is the next word; a short flag is its long one."""
    verb, *rest = shlex.split(line)
    assert taken_apart(verb, rest) == Words(words, said, command)


def test_commands_change_the_cluster_and_say_what_kubectl_says() -> None:
    """One after another, with exit codes."""
    commands = Commands(Simulator(), "default")

    def said(line: str) -> Said:
        return commands.run(shlex.split(line))

    assert said("create deployment web --image=hello:1") == Said(0, "deployment.apps/web created\n")
    assert said("set env deploy/web A=1") == Said(0, "deployment.apps/web env updated\n")
    assert said("set env deploy/web A-") == Said(0, "deployment.apps/web env updated\n")
    assert said("label deploy web x=y") == Said(0, "deployment.apps/web labeled\n")
    assert said("label deploy web x-") == Said(0, "deployment.apps/web unlabeled\n")
    assert said("set image deploy/web nosuch=x").rc == 1
    assert said("get pods") == Said(None)
    assert said("delete deploy web") == Said(0, 'deployment.apps "web" deleted from default namespace\n')
    assert (
        said("delete deploy web").stderr == 'Error from server (NotFound): deployments.apps "web" not found\n'
    )


def test_what_is_not_played_is_not_passed_over() -> None:
    """An unknown verb is no success, nor is a known one with a flag that is unknown."""
    commands = Commands(Simulator(), "default")
    for line in ("exec web -- ls", "scale deploy/web --to-revision=1", "create ingress web"):
        with pytest.raises(CannotJudge, match="is not played here"):
            commands.run(shlex.split(line))


def test_a_command_that_does_not_end_is_given_up() -> None:
    """As `record` does: it has no exit code then."""
    simulator = Simulator(nodes=0)
    commands = Commands(simulator, "default")
    commands.run(shlex.split("create deployment web --image=hello:1"))
    for line in ("rollout status deploy/web", "wait deploy/web --for=condition=Available --timeout=1m"):
        begun = simulator.clock.now()
        assert commands.run(shlex.split(line), at_most=10) == Said(None)
        assert 10 <= simulator.clock.now() - begun < 11


LINES = (HERE / "command_lines.txt").read_text().splitlines()


def test_each_line_does_and_says_what_kubectl_does_and_says(tmp_path: Path) -> None:
    """One after the other, with kubectl against a server and here; and so are the objects afterwards."""
    kubectl = any_kubectl()
    with served(tmp_path, "--speed", "20") as kubeconfig:
        _kubectl(kubectl, kubeconfig, f"create namespace {PLACE}")
        theirs = [_kubectl(kubectl, kubeconfig, line) for line in LINES]
    simulator = Simulator()
    simulator.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE}})
    commands = Commands(simulator, PLACE)
    mine = []
    for line in LINES:
        if line.startswith("get "):
            kind = find(line.split()[1])
            mine.append(_compared(simulator.api.list(kind.resource, PLACE if kind.namespaced else "")))
        else:
            mine.append([_masked(str(part)) for part in commands.run(shlex.split(line))])
    for line, one, other in zip(LINES, mine, theirs, strict=True):
        assert (line, one) == (line, other)


def _kubectl(kubectl: str, kubeconfig: str, line: str) -> list[str]:
    argv = shlex.split(line)
    if argv[0] == "get":
        argv += ["-o", "json"]
    came = subprocess.run(
        [kubectl, "-n", PLACE, *argv],
        env={**os.environ, "KUBECONFIG": kubeconfig},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if argv[0] == "get":
        return _compared(json.loads(came.stdout)["items"])
    return [_masked(str(part)) for part in (came.returncode, came.stdout, came.stderr)]


def _compared(objects: Iterable[Object]) -> list[str]:
    """What of objects is the same wherever the same was done: not names of machines, times and chance."""
    kept = []
    for obj in sorted(objects, key=lambda obj: str(obj["metadata"]["name"])):
        if obj["kind"] != "Namespace" and obj["metadata"]["name"] in GIVEN:
            continue
        named = {key: obj["metadata"].get(key) for key in ("name", "labels")}
        rest = {key: obj[key] for key in obj if key not in ("metadata", "status", "apiVersion", "kind")}
        kept.append(_masked(json.dumps([named, rest], sort_keys=True)))
    return kept


def _masked(text: str) -> str:
    return RANDOM.sub("*", text)
