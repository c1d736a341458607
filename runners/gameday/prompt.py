"""What is typed in the terminal during a game day: halt, confirm, refuse, notes and findings."""

from __future__ import annotations

import atexit
import codecs
import os
import re
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable
from typing import Any

from gherkube.runners.gameday import notes
from gherkube.runners.gameday.page import Control

HELP = (
    "halt [WHY] · confirm [NAME] · refuse [NAME] · note TEXT · "
    "finding low|medium|high TEXT [owner=NAME] [retest=DATE]"
)


def carry_out(typed: str, control: Control, who: str, gate: object) -> str:
    """Does what a typed line says, for `who`; `gate` is the open one. Returns what to answer."""
    word, _, rest = typed.strip().partition(" ")
    if word not in COMMANDS:
        return f"{word!r} is none of: {HELP}" if word else ""
    if word in ("confirm", "refuse") and not gate:
        return "no gate is open"
    try:
        return COMMANDS[word](control, who, rest.strip())
    except ValueError as wrong:
        return f"{word}: {wrong}"


def _halt(control: Control, who: str, why: str) -> str:
    control.halt(who, notes.line(why, "why", notes.LONGEST_TEXT) or "asked in the terminal")
    return "halting: nothing more is done, what was done is put back"


def _confirm(control: Control, who: str, name: str) -> str:
    control.confirm(notes.name(name or who))
    return "confirmed"


def _refuse(control: Control, who: str, name: str) -> str:
    control.refuse(notes.name(name or who))
    return "refused: the game day halts"


def _note(control: Control, who: str, text: str) -> str:
    control.note(who, notes.words(text))
    return "written down"


_SAID = re.compile(r"\b(owner|retest)=(\"[^\"]*\"|\S+)")


def _finding(control: Control, who: str, text: str) -> str:
    severity, _, rest = text.partition(" ")
    said = {key: value.strip('"') for key, value in _SAID.findall(rest)}
    finding = notes.finding(severity or "none", said.get("owner", ""), said.get("retest", ""))
    control.note(who, notes.words(_SAID.sub("", rest)), **finding)
    return "written down as a finding"


def _help(*_: object) -> str:
    return HELP


COMMANDS: dict[str, Callable[[Control, str, str], str]] = {
    "halt": _halt,
    "confirm": _confirm,
    "refuse": _refuse,
    "note": _note,
    "finding": _finding,
    "help": _help,
}


class Typed:
    """The line that is being typed: takes characters, gives whole lines."""

    def __init__(self) -> None:
        self.text = ""

    def take(self, characters: str) -> list[str]:
        """The lines that these characters end."""
        lines = []
        for each in _KEYS.sub("", characters):
            if each in "\r\n":
                lines.append(self.text)
                self.text = ""
            elif each in "\x7f\b":
                self.text = self.text[:-1]
            elif each == "\x15":  # ^U
                self.text = ""
            elif each.isprintable():
                self.text = (self.text + each)[: notes.LONGEST_TEXT]
        return lines


_KEYS = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")
"""What arrows and other keys send."""


class Keyboard:
    """Reads the terminal from a thread of its own, a key at a time, so that nothing typed is lost in what is
    drawn; ^C stays what it is. `heard` is told of each whole line, `typed` shows the one that is begun."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.typed, self._heard = Typed(), heard
        self._input = sys.stdin.fileno()
        self._before: list[Any] = termios.tcgetattr(self._input)
        atexit.register(self._restore)
        tty.setcbreak(self._input, termios.TCSADRAIN)
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read, name="gameday-keyboard", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Gives the terminal back as it was."""
        os.write(self._wake, b".")
        self._thread.join()
        os.close(self._wake)
        os.close(self._woken)
        self._restore()
        atexit.unregister(self._restore)

    def _restore(self) -> None:
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while True:
            ready, _, _ = select.select([self._input, self._woken], [], [])
            if self._woken in ready:
                return
            keys = os.read(self._input, 1024)
            if not keys:  # the terminal is gone
                return
            for line in self.typed.take(decode(keys)):
                self._heard(line)
