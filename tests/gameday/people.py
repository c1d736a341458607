"""What people ask of a game day, written down in the place of a conductor; and how things stand there."""

from __future__ import annotations

import queue
from typing import Any

from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.plan import Roles

ROLES = Roles("Olga Owner", "Otto Operator")
UNTIL = "2026-03-02T14:05:00.000Z"


class Asked(Control):
    """A control that also tells, in order, what was asked of it."""

    def __init__(self) -> None:
        super().__init__(ROLES)
        self.told: queue.Queue[tuple[Any, ...]] = queue.Queue()

    def halt(self, by: str, why: str) -> None:
        super().halt(by, why)
        self.told.put(("halt", by, why))

    def confirm(self, by: str) -> None:
        super().confirm(by)
        self.told.put(("confirm", by))

    def refuse(self, by: str) -> None:
        super().refuse(by)
        self.told.put(("refuse", by))

    def note(self, by: str, text: str, **finding: str) -> None:
        super().note(by, text, **finding)
        self.told.put(("note", by, text, finding))


def state(said: str = "", **changes: Any) -> dict[str, Any]:
    """How a game day stands; `said` is part of whatever a person or cluster says."""
    return {
        "name": f"Bad image{said}",
        "phase": "round",
        "round": {"index": 2, "of": 3, "name": f"The bad tag{said}", "since": "2026-03-02T14:00:00.000Z"},
        "steady": [{"sentence": f"3 pods are ready{said}", "verdict": True, "words": f"3 ready{said}"}],
        "abort": [{"sentence": f"no pods are ready{said}", "verdict": None, "words": said}],
        "gate": None,
        "pods": {f"deployment/shop{said}": {"ready": 3, "desired": 4, "revisions": {f"2{said}": 3}}},
        "requests": {"sent": 10, "answered": 9, "lost": 1, "p50": 0.01, "p99": 0.2, "longest_gap": 0.4},
        "acts": [{"at": "2026-03-02T14:00:01.000Z", "words": f"image{said}", "undone": False}],
        "notes": [{"at": "2026-03-02T14:00:03.000Z", "by": f"Vera{said}", "text": f"so{said}"}],
        "times": [{"round": f"The bad tag{said}", "injected": "2026-03-02T14:00:01.000Z"}],
        "log": [{"at": "2026-03-02T14:00:00.000Z", "text": f"round 2 begins{said}"}],
        "verdict": None,
        "lock": {"holder": f"ops-1{said}", "expires": "2026-03-02T14:00:30.000Z"},
        **changes,
    }


def gate(said: str = "", until: str = UNTIL) -> dict[str, str]:
    """A gate that is open."""
    return {"asks": f"Nothing is left behind{said}", "who": f"Olga Owner{said}", "until": until}
