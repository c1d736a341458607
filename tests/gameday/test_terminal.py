"""What the terminal shows of a running game day, and what is typed there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gherkube.runners.gameday import terminal
from gherkube.runners.gameday.prompt import HELP, Typed, carry_out
from tests.gameday.people import Asked, gate, state

NOW = datetime(2026, 3, 2, 14, 1, 12, tzinfo=UTC)


def drawn(told: dict[str, Any], width: int = 110) -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w"), color_system=None)  # noqa: SIM115
    with console.file:
        console.print(terminal.picture(told, NOW))
        return console.export_text()


def typed(line: str, asked: Asked, *, at_gate: bool = False) -> str:
    return carry_out(line, asked, "Otto Operator", gate() if at_gate else None)


# --- What is typed


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("halt", ("halt", "Otto Operator", "asked in the terminal")),
        ("halt customers call", ("halt", "Otto Operator", "customers call")),
        ("note so it is", ("note", "Otto Operator", "so it is", {})),
        ("finding high  late alert", ("note", "Otto Operator", "late alert", {"severity": "high"})),
        (
            'finding low late owner="Ann On-Call" retest=2026-12-01',
            (
                "note",
                "Otto Operator",
                "late",
                {"severity": "low", "owner": "Ann On-Call", "retest": "2026-12-01"},
            ),
        ),
        ("confirm", ("confirm", "Otto Operator")),
        ("confirm Olga Owner", ("confirm", "Olga Owner")),
        ("refuse", ("refuse", "Otto Operator")),
    ],
)
def test_what_is_typed_is_done(line: str, told: tuple[Any, ...]) -> None:
    """Under the operator's name, unless another one is said."""
    asked = Asked()
    assert typed(line, asked, at_gate=True)
    assert asked.told.get_nowait() == told


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("confirm", "no gate is open"),
        ("refuse", "no gate is open"),
        ("note", "text is empty"),
        ("finding awful late", "low, medium, high"),
        ("finding late", "low, medium, high"),
        ("finding high", "text is empty"),
        ("finding high late retest=soon", "2026-12-01"),
        ("hlat", HELP),
        ("help", HELP),
    ],
)
def test_what_cannot_be_done_is_told(line: str, answer: str) -> None:
    """And nothing is asked of the game day."""
    asked = Asked()
    assert answer in typed(line, asked)
    assert asked.told.empty()
    assert typed("", asked) == ""


def test_a_gate_of_another_person() -> None:
    """What the control refuses is told."""
    asked = Asked()
    asked.open_gate("owner")
    assert "Olga Owner" in typed("confirm", asked, at_gate=True)
    assert asked.told.empty()


def test_keys() -> None:
    """Letters of all scripts, back, and an end; arrows and what else terminals send are no letters."""
    line = Typed()
    assert line.take("nöte\x7f\x7fte \x1b[A\x1b[1;5Dx\x1bOP") == []
    assert line.text == "nöte x"
    assert line.take("y\rhalt\nno") == ["nöte xy", "halt"]
    assert line.take("\x15") == []
    assert line.text == ""


# --- What is shown


def test_the_standing() -> None:
    """Round, steady state, what halts it, pods, requests, times and a gate."""
    text = drawn(state(phase="waiting at gate", gate=gate(until="2026-03-02T14:05:00.000Z")))
    for part in (
        "Bad image",
        "waiting at gate",
        "round 2 of 3: The bad tag, 1 min 12 s",
        "Nothing is left behind (Olga Owner; halts in 3 min 48 s)",
        "✓ 3 pods are ready",
        "? no pods are ready",
        "3/4 ■■■□",
        "9 of 10 answered, 1 lost, longest gap 0.4 s",
        "injected",
    ):
        assert part in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_any_width(width: int) -> None:
    """No line is longer than the terminal."""
    text = drawn(state("x" * 60, gate=gate()), width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_before_anything_is_known() -> None:
    """Nothing is counted, judged or played yet."""
    empty = {"round": None, "steady": [], "abort": [], "pods": {}, "requests": {}, "times": [], "lock": None}
    assert "checking" in drawn(state(phase="checking", **empty))


def test_the_verdict() -> None:
    """What is left stands there; no green word where something is."""
    verdict = {"hypothesis": "held", "clean": False, "left": ["deployment shop"], "exit": 8}
    text = drawn(state(phase="ended", verdict=verdict))
    assert "hypothesis held; NOT everything is as it was" in text
    assert "left: deployment shop" in text


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each thing that happened once, in its order, and each gate once."""
    lines = terminal.Lines()
    first = state(gate=gate())
    later = state(
        gate=gate(), log=[*first["log"], {"at": "2026-03-02T14:00:09.000Z", "text": "round 2 ends"}]
    )
    for told in (first, first, later, later, state(log=later["log"])):
        lines.show(told)
    said = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1].strip() for line in said if "gate" not in line] == [
        "round 2 begins",
        "note by Vera: so",
        "round 2 ends",
    ]
    assert sum("Nothing is left behind" in line for line in said) == 1


def test_a_terminal_obeys_nothing_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and markup of clusters and people are text."""
    hostile = "\x1b[2J\x1b]0;owned\x07[red]x[/red]\r\n"
    terminal.Lines().show(state(hostile, gate=gate(hostile)))
    shown = capsys.readouterr().out + drawn(state(hostile, gate=gate(hostile)), 200)
    assert not {"\x1b", "\x07", "\r"} & set(shown)
    assert "[red]x[/red]" in shown


SHOWN = """
import queue
from gherkube.runners.gameday import terminal
from tests.gameday.people import Asked, state
asked = Asked()
view = terminal.view(asked, "Otto Operator")
view.show(state())
print("READY", flush=True)
told = asked.told.get(timeout=60)
view.show(state(phase="ended"))
view.close()
print("TOLD", told, flush=True)
"""


def test_a_real_terminal() -> None:
    """What is typed while it is drawn arrives; in the end the terminal is as it was."""
    parent, child = pty.openpty()
    before = subprocess.run(["stty", "-a"], stdin=child, capture_output=True, check=True).stdout
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", SHOWN],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )
    text = ""
    while "READY" not in text:
        text += os.read(parent, 4096).decode(errors="replace")
    os.write(parent, b"note t\xc3\xb6st\n")
    while "TOLD" not in text or not text.endswith("\n"):
        text += os.read(parent, 4096).decode(errors="replace")
    assert process.wait(timeout=60) == 0
    assert "TOLD ('note', 'Otto Operator', 'töst', {})" in text
    assert subprocess.run(["stty", "-a"], stdin=child, capture_output=True, check=True).stdout == before
    os.close(parent)
    os.close(child)
