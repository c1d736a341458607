"""How a game day stands, from its journal: for the terminal, the page and `status`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from gherkube.runners.gameday.timeline import FOUR
from gherkube.runners.live.journal import Record

LINES = 200
"""How many lines of what happened are kept."""


class State:
    """Takes one record after another; `told` is what they come to, as plain data."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {
            "name": "",
            "phase": "checking",
            "round": None,
            "steady": [],
            "abort": [],
            "gate": None,
            "pods": {},
            "requests": {},
            "acts": [],
            "notes": [],
            "times": [],
            "log": [],
            "verdict": None,
            "lock": None,
            "journal": "",
        }
        self._acts: dict[int, dict[str, Any]] = {}
        self._rounds: list[str] = []

    @classmethod
    def of(cls, records: Iterable[Record]) -> State:
        """The state after all of these."""
        state = cls()
        for record in records:
            state.take(record)
        return state

    def take(self, record: Record) -> None:
        """Moves on by one record."""
        reader = READERS.get(record.kind)
        if reader is None:
            return
        text = reader(self, record)
        if text:
            self.told["log"] = [*self.told["log"][-LINES + 1 :], {"at": record.at, "text": text}]

    # --- One reader a kind of record: each returns the line that tells of it, or nothing

    def _begin(self, record: Record) -> str:
        data = record.data
        plan = data["plan"]
        self._rounds = [each["name"] for each in plan["rounds"]]
        self.told["name"] = plan["name"]
        for which, key, verdict in (("steady", "steady-state", None), ("abort", "abort-when", False)):
            sentences = plan.get(key) or []
            self.told[which] = [
                {"sentence": str(each), "verdict": verdict, "words": ""} for each in sentences
            ]
        return f"begins on {data['target']}, by {data['operator']}"

    def _lease(self, record: Record) -> str:
        data = record.data
        gone = data["event"] in ("released", "lost")
        self.told["lock"] = None if gone else {"holder": data["holder"], "expires": data["expires"]}
        return "" if data["event"] == "renewed" else f"lock {data['event']}: {data['holder']}"

    def _phase(self, record: Record) -> str:
        data = record.data
        self.told["phase"] = data["phase"]
        return ""

    def _gate(self, record: Record) -> str:
        data = record.data
        if data["event"] == "asked":
            until = datetime.fromisoformat(record.at) + timedelta(seconds=data["within"])
            self.told["gate"] = {"asks": data["gate"], "who": data["who"], "until": until.isoformat()}
            self.told["phase"] = "waiting at gate"
            return ""
        self.told["gate"] = None
        return f"gate {data['event']}{f' by {by}' if (by := data.get('by')) else ''}"

    def _round(self, record: Record) -> str:
        data = record.data
        name = data["name"]
        if data["event"] == "begins":
            index = self._rounds.index(name) + 1 if name in self._rounds else 0
            self.told["round"] = {
                "index": index, "of": len(self._rounds), "name": name, "since": record.at
            }  # fmt: skip
            self.told["phase"] = "round"
            return f"round {index}: {name}"
        return f"round {name}: {data['outcome']}"

    def _steady(self, record: Record) -> str:
        data = record.data
        self._judged("steady", data)
        if data["when"] == "during" and data["verdict"]:
            return f"again: {data['sentence']}"
        return "" if data["verdict"] else f"not steady: {data['sentence']}: {data['words']}"

    def _abort(self, record: Record) -> str:
        data = record.data
        self._judged("abort", {**data, "verdict": True})
        return f"abort, since {data['sentence']}: {data['words']}"

    def _judged(self, which: str, data: dict[str, Any]) -> None:
        for each in self.told[which]:
            if each["sentence"] == data["sentence"]:
                each.update(verdict=data["verdict"], words=data["words"])

    def _before(self, record: Record) -> str:
        data = record.data
        self._acts[record.seq] = act = {"at": record.at, "words": data["act"], "undone": False}
        self.told["acts"].append(act)
        return str(data["act"])

    def _after(self, record: Record) -> str:
        data = record.data
        act = self._acts.get(data["ref"])
        if act is not None and data.get("refused"):
            self.told["acts"].remove(act)
        return f"refused: {data['error']}" if data.get("error") else ""

    def _undo(self, record: Record) -> str:
        data = record.data
        act = self._acts.get(data["ref"])
        if act is not None:
            act["undone"] = data["outcome"] == "done"
        return f"{'put back' if data['outcome'] == 'done' else 'NOT put back'}: {data['words']}"

    def _times(self, record: Record) -> str:
        data = record.data
        before: dict[str, Any] = next(
            (each for each in self.told["times"] if each["round"] == data["round"]), {}
        )
        others = [each for each in self.told["times"] if each is not before]
        self.told["times"] = [*others, dict(data)]
        new = [name for name in FOUR[1:] if data.get(name) and not before.get(name)]
        return f"{', '.join(new)}: round {data['round']}" if new else ""

    def _sample(self, record: Record) -> str:
        data = record.data
        self.told.update(pods=data["pods"], requests=data["requests"])
        return ""

    def _note(self, record: Record) -> str:
        data = record.data
        self.told["notes"].append({"at": record.at, **data})
        return ""

    def _hook(self, record: Record) -> str:
        data = record.data
        came = data.get("status") if data.get("url") else data.get("exit")
        return f"hook at {data['on']}: {data.get('url') or ' '.join(data.get('command') or ())}: {came}"

    def _halt(self, record: Record) -> str:
        data = record.data
        self.told["phase"] = "halting"
        return f"HALT by {data['by']}: {data['why']}"

    def _hypothesis(self, record: Record) -> str:
        data = record.data
        return f"{data['verdict']}: {data['sentence']}{f' ({words})' if (words := data['words']) else ''}"

    def _verdict(self, record: Record) -> str:
        data = record.data
        self.told["verdict"] = dict(data)
        clean = "all is as it was" if data["clean"] else f"NOT all is as it was: {'; '.join(data['left'])}"
        return f"hypothesis {data['hypothesis']}; {clean}"

    def _end(self, _: Record) -> str:
        self.told["phase"] = "ended"
        return ""


Reader = Callable[[State, Record], str]
READERS: dict[str, Reader] = {
    name.removeprefix("_"): reader
    for name, reader in vars(State).items()
    if name.startswith("_") and not name.startswith("__") and name != "_judged" and callable(reader)
}
