"""Command lines come apart as kubectl takes them."""

from __future__ import annotations

import shlex

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.simulator.cluster import Simulator
from tests.golden.commands import Commands, Said, Words, taken_apart


@pytest.mark.parametrize(
    ("line", "words", "flags"),
    [
        ("scale deploy/web --replicas=5", ["scale", "deploy/web"], {"--replicas": "5"}),
        (
            "expose deploy web --type=NodePort --port 80",
            ["expose", "deploy", "web"],
            {"--type": "NodePort", "--port": "80"},
        ),
        ("label pod p a=b --overwrite", ["label", "pod", "p", "a=b"], {"--overwrite": "true"}),
        ("delete pod -l app=web", ["delete", "pod"], {"--selector": "app=web"}),
        ("patch deploy web -p '{\"a\": 1}'", ["patch", "deploy", "web"], {"--patch": '{"a": 1}'}),
        ("apply -f -", ["apply"], {"--filename": "-"}),
    ],
)
def test_words_and_flags(line: str, words: list[str], flags: dict[str, str]) -> None:
    """A flag's value stands behind `=` or is the next word; a short flag is its long one."""
    assert taken_apart(shlex.split(line)) == Words(words, flags)


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
    """An unknown verb is no success."""
    with pytest.raises(CannotJudge, match="kubectl taint"):
        Commands(Simulator(), "default").run(["taint", "node-1"])
