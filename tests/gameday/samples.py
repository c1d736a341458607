"""Journals of game days as a run writes them, at chosen times: a whole one, in which one thing went wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from gherkube.runners.live.journal import Record

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "features" / "gamedays" / "bad-image" / "bad-image.gameday.yaml"
BEGAN = datetime(2026, 3, 2, 14, 0, 0, tzinfo=UTC)
GOOD, ALONE, UNDONE = "A good release first", "The bad tag, left alone", "The bad tag, undone"
THREE = 'throughout, at least 3 pods of deployment "shop" were ready'
EVERY = 'throughout, every request to service "shop" was answered'


def write(path: Path, records: Iterable[Record]) -> Path:
    """The file of these records, as `gherkube.runners.live.journal` documents it."""
    before, lines = "", []
    for record in records:
        text = json.dumps(
            {"seq": record.seq, "at": record.at, "kind": record.kind, **record.data},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        before = hashlib.sha256(f"{before}{text}".encode()).hexdigest()
        lines.append(f'{text[:-1]},"sum":"{before}"}}\n')
    path.write_text("".join(lines), encoding="utf-8")
    return path


class Day:
    """Records in the order of their times."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, at: float, kind: str, **data: Any) -> int:
        """One more, so many seconds after the beginning; returns its number."""
        self.records.append(Record(len(self.records) + 1, time(at), kind, data))
        return len(self.records)


def time(at: float) -> str:
    """A time as a journal has it."""
    moment = BEGAN + timedelta(seconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def prediction() -> dict[str, Any]:
    """What rehearsals said: all three rounds pass, and three pods stay ready."""
    rounds = [(GOOD, 10.3, 12.1), (ALONE, 75.0, 80.2), (UNDONE, 19.0, 24.0)]
    return {
        "fingerprint": "f" * 64,
        "snapshot": "",
        "runs": 20,
        "hypothesis": {},
        "rounds": [
            {
                "name": name,
                "outcomes": {"passed": 1.0},
                "seconds": {"p5": low, "p50": (low + high) / 2, "p95": high},
                "fewest_ready": {"deployment/shop": {"p5": 3, "p50": 3, "p95": 3}},
                "lost": {"p5": 0, "p50": 0, "p95": 0},
                "longest_gap": {"p5": 0.2, "p50": 0.2, "p95": 0.4},
            }
            for name, low, high in rounds
        ],
    }


def ready(at: float) -> int:
    """How many pods of four were ready."""
    if 25 <= at < 30 or 62 <= at < 140:
        return 3
    if 162 <= at < 166:
        return 2
    return 3 if 160 <= at < 185 else 4


def broken(text: str = "") -> list[Record]:
    """A whole game day whose last round lost requests; `text` stands wherever people and clusters speak."""
    day, plan = Day(), yaml.safe_load(PLAN.read_text())
    plan["goal"] = plan["goal"] + text
    feature = PLAN.with_name("bad-image.feature")
    day.add(
        *(0.0, "begin"),
        plan=plan,
        plan_path="features/gamedays/bad-image/bad-image.gameday.yaml",
        fingerprint="f" * 64,
        target="staging",
        context="kind-staging",
        cluster="https://10.0.0.1:6443",
        operator="Otto Operator",
        holder="ops-1/4711",
        features={str(feature): feature.read_text()},
        prediction=prediction(),
        version="0.1.0",
    )
    day.add(0.2, "lease", event="taken", holder="ops-1/4711", expires=time(30))
    for sentence in plan["steady-state"]:
        day.add(0.5, "steady", when="before", sentence=sentence, verdict=True, words="4 ready")
    _gate(day, 1.0, plan["gate"]["says"], "Olga Owner", 17.5)
    seconds = 0
    acts: dict[float, tuple[str, str, str]] = {
        20.1: (GOOD, 'image (deployments "shop" in namespace "shop")', ""),
        60.1: (ALONE, 'image (deployments "shop" in namespace "shop")', ""),
        159.0: (UNDONE, f'image (deployments "shop" in namespace "shop"){text}', ""),
        172.0: (UNDONE, 'change (deployments "shop" in namespace "shop")', "somebody else changed it since"),
    }
    begins = {20.0: GOOD, 60.0: ALONE, 158.5: UNDONE}
    ends = {31.2: (GOOD, "passed", 10.9), 137.5: (ALONE, "passed", 77.2), 186.0: (UNDONE, "failed", 27.0)}
    notes = {
        66.0: {"by": "Vera Viewer", "text": f"No dashboard shows anything yet{text}"},
        101.0: {
            "by": "Rita Reporter",
            "text": "The alert came 40 seconds after the pods failed",
            "severity": "medium",
            "owner": "Ann On-Call",
            "retest": "2026-04-01",
        },
        168.0: {"by": "Vera Viewer", "text": "Two customers called", "severity": "high"},
    }
    refs: list[tuple[int, str]] = []
    for at in sorted({*acts, *begins, *ends, *notes, *(float(n) for n in range(1, 191))}):
        if at in begins:
            day.add(at, "round", event="begins", name=begins[at])
        if at in acts:
            round_, words, _ = acts[at]
            ref = day.add(
                at, "before", act=words, verb="patch", resource="deployments", namespace="shop", name="shop",
                uid="u", object={}, then=None, undo="make it as it was before", round=round_,
            )  # fmt: skip
            day.add(at + 0.03, "after", ref=ref, object={}, error=None, round=round_)
            refs.append((ref, round_))
        if at in notes:
            day.add(at, "note", **notes[at])
        if at in ends:
            name, outcome, took = ends[at]
            for ref in [ref for ref, round_ in reversed(refs) if round_ == name]:
                outcome_of_undo = "left" if ref == refs[-1][0] and name == UNDONE else "done"
                day.add(
                    at, "undo", ref=ref, outcome=outcome_of_undo, words=_back(outcome_of_undo), round=name
                )
            day.add(at, "times", round=name, **_times(name))
            block = f"bad-image.feature:27  And {EVERY}\n  expected  all\n  found     7 lost{text}"
            day.add(
                *(at, "round"),
                event="ends",
                name=name,
                outcome=outcome,
                block="" if outcome == "passed" else block,
                scenarios=[{"name": name, "outcome": outcome, "seconds": took}],
            )
        if at == int(at):
            seconds += 1
            lost = 0 if at < 163 else min(7, int(at - 162) * 3)
            counts = {"sent": 5 * seconds, "answered": 5 * seconds - lost, "lost": lost}
            gaps = {"p50": 0.011, "p99": 0.04, "longest_gap": 0.2 if at < 163 else 1.4}
            pods = {f"deployment/shop{text}": {"ready": ready(at), "desired": 4, "revisions": {"2": 4}}}
            day.add(at, "sample", at_cluster=at, pods=pods, requests=counts | gaps)
    _close(day, plan, text)
    return day.records


def _gate(day: Day, at: float, says: str, who: str, confirmed: float) -> None:
    day.add(at, "gate", event="asked", gate=says, who=who, by="", within=300, round="")
    day.add(confirmed, "gate", event="confirmed", gate=says, who=who, by=who, within=300, round="")


def _back(outcome: str) -> str:
    deployment = 'deployments "shop" in namespace "shop"'
    return f"{deployment}: " + ("as it was before" if outcome == "done" else "somebody else changed it since")


def _times(name: str) -> dict[str, str | None]:
    injected, detected, acted, recovered = {
        GOOD: (20.1, None, None, 31.0),
        ALONE: (60.1, 62.0, None, 140.0),
        UNDONE: (159.0, 160.4, 172.0, 185.2),
    }[name]
    found = {"injected": injected, "detected": detected, "acted": acted, "recovered": recovered}
    return {key: None if at is None else time(at) for key, at in found.items()}


def _close(day: Day, plan: dict[str, Any], text: str) -> None:
    says = [each["says"] for each in plan["hypothesis"]]
    day.add(
        190.5, "hypothesis", says=says[0], sentence=THREE, verdict="broken", words=f"2 ready at t+3.2 s{text}"
    )
    day.add(190.6, "hypothesis", says=says[1], sentence=EVERY, verdict="broken", words="7 of 950 lost")
    day.add(190.8, "lease", event="released", holder="ops-1/4711", expires="")
    left = [_back("left") + text]
    day.add(191.0, "verdict", hypothesis="broken", clean=False, left=left, exit=8)
    day.add(191.1, "end")
