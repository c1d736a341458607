"""What people ask of a running game day, from any thread: to halt, to go through a gate, to note something.

The terminal, the page, signals and the Lease ask; the conductor looks.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import NamedTuple

from gherkube.runners.gameday.plan import Roles


class Asked(NamedTuple):
    """A halt: who asked for it, and why."""

    by: str
    why: str


class Note(NamedTuple):
    """Something that somebody said; `finding` has severity, owner and retest, where it is one."""

    by: str
    text: str
    finding: dict[str, str]


class Answer(NamedTuple):
    """What somebody said at a gate."""

    by: str
    confirmed: bool


class Control:
    """Safe for several threads, and for signals. `halted`: the first halt that was asked for; it stands.

    `confirms`: the names of those whose gates are confirmed without asking.
    """

    def __init__(self, roles: Roles, confirms: Collection[str] = ()) -> None:
        self._roles, self._confirms, self._lock = roles, confirms, threading.RLock()
        self.halted: Asked | None = None
        self._who: tuple[str, ...] = ()
        """Who may confirm the open gate, beside the owner."""
        self._answer: Answer | None = None
        self._notes: list[Note] = []

    def halt(self, by: str, why: str) -> None:
        """Nothing more is done, and what was done is put back."""
        with self._lock:
            self.halted = self.halted or Asked(by, why)

    def confirm(self, by: str) -> None:
        """The open gate may be gone through. ValueError when it is another one's to say so."""
        with self._lock:
            may = {each.casefold() for each in (*self._who, self._roles.owner)}
            if self._who and by.strip().casefold() not in may:
                who = " or ".join(self._who)
                raise ValueError(f"the gate is for {who} to confirm, or the owner, {self._roles.owner}")
            self._answer = self._answer or Answer(by, True)

    def refuse(self, by: str) -> None:
        """The open gate is not to be gone through: the game day halts."""
        with self._lock:
            self._answer = Answer(by, False)

    def note(self, by: str, text: str, **finding: str) -> None:
        """Writes something down, with the time."""
        with self._lock:
            self._notes.append(Note(by, text, finding))

    # --- The conductor's side

    def open_gate(self, who: str) -> str:
        """Asks at a gate: a role, or a name; returns the name of who has to confirm it."""
        roles = self._roles
        with self._lock:
            self._who = {
                "owner": (roles.owner,),
                "operator": (roles.operator,),
                "reporter": (roles.reporter,),
                "observers": roles.observers,
            }.get(who, (who,))
            known = next((each for each in self._who if each in self._confirms), "")
            self._answer = Answer(known, True) if known else None
            return " or ".join(self._who)

    def answer(self) -> Answer | None:
        """What was said at the gate since it was opened."""
        with self._lock:
            return self._answer

    def notes(self) -> list[Note]:
        """The notes since the last time."""
        with self._lock:
            notes, self._notes = self._notes, []
            return notes
