"""Undo: what the records of acts tell was done is put back, in reverse order, and looked at again.

Playing it again changes nothing: what is as it was before counts as put back, and what was put back is not
touched a second time. What somebody else changed since is only overwritten where `ask` says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from gherkube.runners.cluster import Api
from gherkube.runners.errors import ApiError, GherkubeError
from gherkube.runners.live.journal import JournalFailed, Record
from gherkube.runners.live.said import bare, is_same, missing, put_back, said, with_said
from gherkube.runners.objects import Object, controller_of, is_deleting

TRIES = 8
"""How often a change is made again that another one came between."""
GOES_WITHIN = 60.0
"""Real seconds that an object may take to go before another of its name is made."""

Ask = Callable[[str, Object | None, Object | None], bool]
"""Whether to overwrite: what was changed, the object as it was before, and as it is now."""
Write = Callable[..., object]


class Mend(Protocol):
    """Puts faults right: those of nodes, and what was said of images."""

    def put_right(self, fault: str, node: str) -> None:
        """A fault ("stop_node") of a node."""

    def said_of(self, image: str) -> Object | None:
        """All that is said of an image now."""

    def say_again(self, said: Object) -> None:
        """Says just that of an image."""


class Undone(NamedTuple):
    """What was put back, and what is left and why; each in words."""

    done: list[str]
    left: list[str]


class Left(GherkubeError):  # noqa: N818 - what is told
    """Something is not put back."""


class Made(NamedTuple):
    """An act of the records: its number, what is told of it, and of what came of it."""

    ref: int
    told: dict[str, Any]
    after: dict[str, Any] | None

    @property
    def before(self) -> Object | None:
        """The object before the act; None: it was not there."""
        found: Object | None = self.told["object"]
        return found

    @property
    def result(self) -> Object | None:
        """The object after the act; where the record of that is missing, what it was to come to."""
        found: Object | None = (self.after or {}).get("object") or self.told.get("then")
        return found

    @property
    def words(self) -> str:
        """What it is called."""
        place = f' in namespace "{self.told["namespace"]}"' if self.told["namespace"] else ""
        return f'{self.told["resource"]} "{self.told["name"]}"{place}'


def made(records: Iterable[Record]) -> list[Made]:
    """The acts that happened, or may have, and were not put back yet; the last one first."""
    acts: dict[int, dict[str, Any]] = {}
    after: dict[int, dict[str, Any]] = {}
    over: set[int] = set()
    for record in records:
        if record.kind == "before":
            acts[record.seq] = record.data
        elif record.kind == "after":
            after[record.data["ref"]] = record.data
            if record.data.get("refused"):
                over.add(record.data["ref"])
        elif record.kind == "undo" and record.data["outcome"] == "done":
            over.add(record.data["ref"])
    return [Made(ref, acts[ref], after.get(ref)) for ref in reversed(acts) if ref not in over]


def undo(
    records: Iterable[Record],
    api: Api,
    *,
    ask: Ask = lambda *_: False,
    write: Write = lambda *_, **__: None,
    mend: Mend | None = None,
) -> Undone:
    """Puts back what the records tell; `write` gets a record of each (as `Journal.write`).

    `mend` puts faults right. An undo goes on where one thing cannot be put back, and where its
    record cannot be written.
    """
    undone = Undone([], [])
    for each in made(records):
        try:
            words = _Undo(api, ask, mend).play(each)
        except GherkubeError as error:
            outcome, words = "left", f"{each.words}: {error}"
            undone.left.append(words)
        else:
            outcome, words = "done", f"{each.words}: {words}"
            undone.done.append(words)
        with suppress(JournalFailed):
            write("undo", ref=each.ref, outcome=outcome, words=words)
    return undone


class _Undo:
    """Puts one act back. Raises Left, ApiError or CannotJudge where it cannot."""

    def __init__(self, api: Api, ask: Ask, mend: Mend | None) -> None:
        self._api, self._ask, self._mend = api, ask, mend

    def play(self, act: Made) -> str:
        """What was done about it."""
        verb = act.told["verb"]
        if verb == "fault":
            return self._fault(act)
        if verb == "create":
            return self._created(act)
        if verb in ("delete", "post"):
            return self._deleted(act)
        return self._changed(act)

    def look(self, act: Made) -> Object | None:
        """The object as it is now; None when it is not there."""
        try:
            return self._api.get(act.told["resource"], act.told["name"], act.told["namespace"])
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None

    def _fault(self, act: Made) -> str:
        if self._mend is None:
            raise Left(f"{act.told['undo']}: this cluster cannot do that")
        if act.before is not None:
            return self._said(act, act.before, self._mend)
        self._mend.put_right(act.told["fault"], act.told["name"])
        return "put right"

    def _said(self, act: Made, before: Object, mend: Mend) -> str:
        """What was said of an image; what came of an act without its record, nobody else has said."""
        after, now = (act.after or {}).get("object"), mend.said_of(act.told["name"])
        if now != before:
            if after is not None and now != after:
                self._overwrite("somebody else has said something else of it", before, now)
            mend.say_again(before)
        if mend.said_of(act.told["name"]) != before:
            raise Left("it was said again, and is not as it was before")
        return "as it was before"

    def _created(self, act: Made) -> str:
        now = self.look(act)
        if now is None:
            return "not there, as before"
        uid = now["metadata"]["uid"]
        known = (act.after or {}).get("object")
        if known is not None and known["metadata"]["uid"] != uid:
            raise Left("there is another one of that name, which the run did not make")
        if conflicts := missing(act.result or now, now):
            self._overwrite("; ".join(each.words for each in conflicts), None, now)
        if not is_deleting(now):
            self._api.delete(
                act.told["resource"],
                act.told["name"],
                act.told["namespace"],
                propagation="Background",
                uid=uid,
            )
        self._gone(act, uid)
        return "deleted again"

    def _deleted(self, act: Made) -> str:
        before = act.before
        if before is None:
            return "was not there before"
        now = self.look(act)
        uid = before["metadata"].get("uid")
        if controller_of(before) is not None:
            return "left to its controller"
        if now is not None and now["metadata"]["uid"] == uid:
            if not is_deleting(now):
                return "still there"
            self._gone(act, str(uid))
            now = self.look(act)
        if now is None:
            self._api.create(bare(before), namespace=act.told["namespace"])
            now = self.look(act)
            if now is None or missing(before, now):
                raise Left("it was made again, and is not as it was before")
            return "made again"
        if is_same(before, now):
            return "there again"
        self._overwrite("somebody else has made another one since", before, now)
        self._replace(now, said(before))
        return "as it was before"

    def _changed(self, act: Made) -> str:
        before, after = act.before, act.result
        if before is None:
            return "was not there before"
        force = False
        for _ in range(TRIES):
            now = self.look(act)
            if now is None:
                if controller_of(before) is not None:
                    return "gone; its controller makes what is needed"
                self._overwrite("somebody else has deleted it since", before, None)
                self._api.create(bare(before), namespace=act.told["namespace"])
                return "made again"
            wanted, conflicts = put_back(before, after or before, now, force=force)
            if after is None and not is_same(before, now):
                conflicts = missing(before, now)
                wanted = said(before) if force else wanted
            if conflicts and not force:
                self._overwrite("; ".join(each.words for each in conflicts), before, now)
                force = True
                continue
            if wanted == said(now):
                return (
                    "as it was before" if is_same(before, now) else "as it was before, beside others' changes"
                )
            try:
                self._replace(now, wanted)
            except ApiError as error:
                if error.reason != "Conflict":
                    raise
        raise Left("somebody else changes it all the time")

    def _replace(self, now: Object, wanted: Object) -> None:
        self._api.replace(with_said(now, wanted))

    def _overwrite(self, what: str, before: Object | None, now: Object | None) -> None:
        if not self._ask(what, before, now):
            raise Left(f"somebody else changed it since, so it is left: {what}")

    def _gone(self, act: Made, uid: str) -> None:
        """Waits until the object is not there any more."""
        until = time.monotonic() + GOES_WITHIN
        pause = 0.02
        while (now := self.look(act)) is not None and now["metadata"]["uid"] == uid:
            if time.monotonic() > until:
                held = ", ".join(now["metadata"].get("finalizers") or ()) or "nobody says what"
                raise Left(f"it is being deleted, and does not go: {held} holds it")
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
