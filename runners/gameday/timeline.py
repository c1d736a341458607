"""What the journal of a game day tells, as values: its rounds, acts, notes and samples on one axis of time.

All of it comes from the journal, so a report can be made anywhere; a journal that ends early is told as far
as it goes. Times are in seconds of the cluster since the first record: a simulator's may pass faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from gherkube.runners.gameday.notes import SEVERITIES
from gherkube.runners.live.journal import Record

HELD, BROKEN, NOT_JUDGED = "held", "broken", "not judged"
FOUR = ("injected", "detected", "acted", "recovered")
"""The times of a round, in their order."""
SAME_CLOCK = 0.1
"""By which part a cluster's clock may go faster or slower than ours and count as the same."""


class Entry(NamedTuple):
    """Something that happened.

    `kind` says how it is shown: round, act, undo, gate, judged, note, finding, bad or plain; `by` is who did
    or said it, where somebody did.
    """

    at: float
    time: str
    kind: str
    text: str
    by: str = ""


class Sample(NamedTuple):
    """The counts of a moment: ready and desired pods by workload, requests since the beginning."""

    at: float
    pods: Mapping[str, Mapping[str, Any]]
    requests: Mapping[str, Any]


@dataclass(slots=True)
class Act:
    """Something that was changed. `back` says how it was put back, `wrong` why it was not, or was refused."""

    at: float
    words: str
    undo: str
    round: str
    back: str = ""
    wrong: str = ""


@dataclass(slots=True)
class Played:
    """A round as it was: `end` is None where it did not come to its end."""

    name: str
    begin: float
    end: float | None = None
    outcome: str = "not ended"
    block: str = ""
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)
    """Those of the four times that there are."""

    @property
    def seconds(self) -> float | None:
        """How long it took from the first act to its end."""
        return None if self.end is None else self.end - self.times.get("injected", self.begin)


class Judged(NamedTuple):
    """A sentence of a hypothesis, and what was found."""

    says: str
    sentence: str
    verdict: str
    words: str


class Finding(NamedTuple):
    """What somebody found, how grave, who sees to it, and when it is tested again ("" where nobody said)."""

    at: float
    by: str
    text: str
    severity: str
    owner: str
    retest: str


@dataclass(slots=True)
class Told:
    """A game day as its journal tells it. `rate`: how many of the cluster's seconds pass in one of ours."""

    begin: Mapping[str, Any]
    began: str
    rate: float = 1.0
    end: float = 0.0
    rounds: list[Played] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    acts: dict[int, Act] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verdict: Mapping[str, Any] | None = None

    @property
    def plan(self) -> Mapping[str, Any]:
        """The plan as it was when the game day began."""
        plan: Mapping[str, Any] = self.begin["plan"]
        return plan

    def since(self, at: str) -> float:
        """A time of the journal on the axis."""
        return self.rate * _between(self.began, at)


def tell(records: Sequence[Record]) -> Told:
    """What the records of a game day's journal tell. ValueError when they are of something else."""
    if not records or records[0].kind != "begin" or "plan" not in records[0].data:
        raise ValueError("it is not the journal of a game day")
    told = Told(records[0].data, records[0].at, _rate([each for each in records if each.kind == "sample"]))
    for record in records:
        at = told.since(record.at)
        if record.kind not in ("note", "end"):  # notes are also written days later
            told.end = max(told.end, at)
        reader = READERS.get(record.kind)
        if reader is not None:
            for kind, text, *by in reader(told, at, record):
                told.entries.append(Entry(at, record.at, kind, text, by[0] if by else ""))
    told.findings.sort(key=lambda each: -SEVERITIES.index(each.severity))
    return told


def _rate(samples: Sequence[Record]) -> float:
    """How fast the cluster's clock goes, by the first and the last sample; 1 where none tell."""
    if len(samples) < 2 or not (passed := _between(samples[0].at, samples[-1].at)):
        return 1.0
    rate = (samples[-1].data["at_cluster"] - samples[0].data["at_cluster"]) / passed
    return rate if abs(rate - 1) > SAME_CLOCK else 1.0


def _between(first: str, then: str) -> float:
    return (datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds()


Lines = Iterator[tuple[str, ...]]


def _begin(told: Told, _: float, record: Record) -> Lines:
    data = record.data
    yield (
        "plain",
        f"The game day begins on {place(data)}, run by {data.get('operator') or 'somebody'}",
    )
    if told.begin.get("prediction") is None:
        yield "plain", "It was not rehearsed"


def _lease(_: Told, __: float, record: Record) -> Lines:
    words = {"taken over": "bad", "lost": "bad"}
    event = record.data["event"]
    yield words.get(event, "plain"), f"Lock {event}: {record.data.get('holder') or ''}"


def _gate(_: Told, __: float, record: Record) -> Lines:
    data = record.data
    if data["event"] == "asked":
        yield "gate", f"Gate: {data.get('gate') or 'go on?'} (asked of {data.get('who') or 'somebody'})"
    else:
        kind = "gate" if data["event"] == "confirmed" else "bad"
        yield kind, f"Gate {data['event']}", data.get("by") or ""


def _round(told: Told, at: float, record: Record) -> Lines:
    data = record.data
    if data["event"] == "begins":
        told.rounds.append(Played(data["name"], at))
        yield "round", f"Round {len(told.rounds)} begins: {data['name']}"
        return
    round_ = next((each for each in told.rounds if each.name == data["name"] and each.end is None), None)
    if round_ is not None:
        round_.end, round_.outcome = at, data.get("outcome") or round_.outcome
        round_.block, round_.scenarios = data.get("block") or "", data.get("scenarios") or []
        kind = "round" if round_.outcome == "passed" else "bad"
        yield kind, f"Round {told.rounds.index(round_) + 1} ends: {round_.outcome}"


def _steady(_: Told, __: float, record: Record) -> Lines:
    data = record.data
    found = f" ({data['words']})" if data.get("words") else ""
    kind, is_so = {True: ("judged", "holds"), False: ("bad", "does NOT hold")}.get(
        data["verdict"], ("bad", "cannot be judged")
    )
    yield kind, f"Steady state {data['when']}: {data['sentence']}: {is_so}{found}"


def _abort(_: Told, __: float, record: Record) -> Lines:
    found = f" ({record.data['words']})" if record.data.get("words") else ""
    yield "bad", f"Abort condition is so: {record.data['sentence']}{found}"


def _hypothesis(told: Told, _: float, record: Record) -> Lines:
    data = record.data
    told.judged.append(Judged(data["says"], data["sentence"], data["verdict"], data.get("words") or ""))
    yield "judged" if data["verdict"] == HELD else "bad", f"{data['sentence']}: {data['verdict']}"


def _before(told: Told, at: float, record: Record) -> Lines:
    data = record.data
    told.acts[record.seq] = Act(at, str(data["act"]), str(data.get("undo") or ""), data.get("round") or "")
    yield "act", str(data["act"])


def _after(told: Told, _: float, record: Record) -> Lines:
    act = told.acts.get(record.data["ref"])
    if act is not None and record.data.get("error"):
        if record.data.get("refused"):
            act.back = "refused, so nothing was changed"
        act.wrong = str(record.data["error"])
        yield "bad", f"{act.words}: {act.wrong}"


def _undo(told: Told, _: float, record: Record) -> Lines:
    data, act = record.data, told.acts.get(record.data["ref"])
    is_back, words = data.get("outcome") == "done", str(data.get("words") or "")
    if act is not None:
        act.back, act.wrong = (words, act.wrong) if is_back else ("", words)
    yield "undo" if is_back else "bad", f"{'Put back' if is_back else 'NOT put back'}: {words}"


def _times(told: Told, _: float, record: Record) -> Lines:
    round_ = next((each for each in reversed(told.rounds) if each.name == record.data["round"]), None)
    if round_ is not None:
        found = {name: record.data[name] for name in FOUR if record.data.get(name)}
        round_.times = {name: told.since(at) for name, at in found.items()}
    yield from ()


def _sample(told: Told, at: float, record: Record) -> Lines:
    told.samples.append(Sample(at, record.data.get("pods") or {}, record.data.get("requests") or {}))
    yield from ()


def _note(told: Told, at: float, record: Record) -> Lines:
    said = {key: str(record.data.get(key) or "") for key in ("by", "text", "severity", "owner", "retest")}
    if said["severity"] in SEVERITIES:
        told.findings.append(Finding(at, **said))
        yield "finding", f"{said['text']} ({said['severity']})", said["by"]
    else:
        yield "note", said["text"], said["by"]


def _hook(_: Told, __: float, record: Record) -> Lines:
    data = record.data
    what = data.get("url") or " ".join(data.get("command") or ())
    came = data.get("exit", data.get("status"))
    yield "plain", f"Hook at {data['on']}: {what}: {came}"


def _halt(_: Told, __: float, record: Record) -> Lines:
    yield "bad", f"Halt: {record.data.get('why') or ''}", str(record.data.get("by") or "")


def _verdict(told: Told, _: float, record: Record) -> Lines:
    told.verdict = record.data
    clean = "everything is as it was" if record.data["clean"] else "NOT everything is as it was"
    yield "judged" if record.data["exit"] == 0 else "bad", f"Hypothesis {record.data['hypothesis']}; {clean}"


READERS: Mapping[str, Callable[[Told, float, Record], Lines]] = {
    "begin": _begin,
    "lease": _lease,
    "gate": _gate,
    "round": _round,
    "steady": _steady,
    "abort": _abort,
    "hypothesis": _hypothesis,
    "before": _before,
    "after": _after,
    "undo": _undo,
    "times": _times,
    "sample": _sample,
    "note": _note,
    "hook": _hook,
    "halt": _halt,
    "verdict": _verdict,
}


def place(begin: Mapping[str, Any]) -> str:
    """Where the game day was, as one names it."""
    target, context = str(begin.get("target") or ""), str(begin.get("context") or "")
    return f"{target} (context {context})" if context and context != target else target


def hypotheses(told: Told) -> list[tuple[str, str, list[Judged]]]:
    """Each hypothesis with its verdict (the worst of its sentences') and what was found of each sentence."""
    found = []
    for each in told.plan.get("hypothesis") or ():
        judged = {one.sentence: one for one in told.judged if one.says == each["says"]}
        rows = [
            judged.get(str(text), Judged(each["says"], str(text), NOT_JUDGED, "")) for text in each["holds"]
        ]
        verdicts = {one.verdict for one in rows}
        worst = next((word for word in (BROKEN, NOT_JUDGED) if word in verdicts), HELD)
        found.append((str(each["says"]), worst, rows))
    return found
