"""What a run changes where it owns nothing: written down before it is done, and put back in reverse order.

The journal gets a record before each act, with what would put it back, and one after it. Without the first
nothing is done.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from gherkube.runners import state
from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.fences import Act
from gherkube.runners.live.journal import Journal, Record, read
from gherkube.runners.live.said import recorded
from gherkube.runners.live.undo import Ask, Mend, Undone, undo
from gherkube.runners.objects import Object, controller_of

UNDO = {"create": "delete it", "delete": "make it again", "fault": "put it right"}
"""What puts an act back, by its verb; a change is put back as it was before."""


class NotPutBack(GherkubeError):  # noqa: N818 - what is told
    """Something is not as it was before the scenario."""


class Unrecorded(CannotJudge):
    """An act of which the journal must not keep what would put it back."""


class Writes(Protocol):
    """A `Journal`, or what stands in its place."""

    path: Path

    def write(self, kind: str, **data: Any) -> int:
        """Adds a record and returns its number. Raises JournalFailed."""

    def close(self) -> None:
        """Lets go of the file."""


class Changes:
    """The acts of a run where it owns nothing. `tags` go into each record.

    They are written to a journal of the run's own, made with the first of them, unless `record_in` names one.
    """

    def __init__(self, api: LiveApi) -> None:
        self._api = api
        self._journal: Writes | None = None
        self._own: Journal | None = None
        self.records: list[Record] = []
        """All that was written, and what could not be any more."""
        self.tags: dict[str, Any] = {}

    def record_in(self, journal: Writes) -> None:
        """Goes on with a journal that is kept when all is put back."""
        self._journal, self.records = journal, read(journal.path)

    @contextmanager
    def making(
        self,
        act: Act,
        verb: str,
        before: Object | None,
        then: Object | None = None,
        *,
        fault: str = "",
        words: str = "",
    ) -> Iterator[Callable[[Object | None], None]]:
        """Around an act; what it yields is told the object that came of it.

        `then`: what it is to come to, as far as is known; `fault`: of a node, which is told in `words`.
        Raises JournalFailed, and then nothing may be done.
        """
        if act.resource == "secrets":
            raise Unrecorded(
                f"{act.words}: what a Secret holds is not written down, so nobody could put this back"
            )
        if verb == "delete" and before is not None and controller_of(before) is not None:
            back = "leave it to its controller"
        else:
            back = UNDO.get(verb, "make it as it was before")
        data = {
            "act": words or act.words,
            "verb": verb,
            "resource": act.resource,
            "namespace": act.namespace,
            "name": act.name,
            "uid": before["metadata"].get("uid") if before else None,
            "object": recorded(before),
            "then": recorded(then),
            "undo": back,
            **({"fault": fault} if fault else {}),
        }
        ref = self._write("before", data)
        result: list[Object | None] = []
        try:
            yield result.append
        except BaseException as error:
            # A refusal of the server is certain; of all else nobody knows whether it came after the fact.
            refused = isinstance(error, ApiError) and error.code < 500
            with suppress(GherkubeError):
                self._write("after", {"ref": ref, "object": None, "error": str(error), "refused": refused})
            raise
        after = recorded(result[-1]) if result else None
        self._write("after", {"ref": ref, "object": after, "error": None})

    def put_back(self, ask: Ask = lambda *_: False, mend: Mend | None = None) -> list[str]:
        """Puts everything back, tells of each, and removes the journal.

        Raises NotPutBack after all was tried; then the journal stays.
        """
        undone, journal = self.undo(ask, mend), self._journal
        self._own, self._journal, self.records = None, None, []
        if journal is not None:
            journal.close()
        if undone.left:
            raise NotPutBack(f"not everything is as it was before the scenario: {'; '.join(undone.left)}")
        if journal is not None:
            journal.path.unlink(missing_ok=True)
        return list(dict.fromkeys(undone.done))

    def undo(self, ask: Ask = lambda *_: False, mend: Mend | None = None) -> Undone:
        """Puts back what can be, and says what is left."""
        return undo(list(self.records), self._api, ask=ask, write=self._undone, mend=mend)

    def release(self) -> None:
        """Has nothing more to put back: whoever named the journal sees to it; one of its own is removed."""
        if self._own is not None:
            self._own.close()
            self._own.path.unlink(missing_ok=True)
        self._own, self._journal, self.records = None, None, []

    def look(self, resource: str, namespace: str, name: str) -> Object | None:
        """The object as it is now; None when it is not there."""
        if not name:
            return None
        try:
            return self._api.get(resource, name, namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None

    def _undone(self, kind: str, **data: Any) -> None:
        self._write(kind, data)

    def _write(self, kind: str, data: dict[str, Any]) -> int:
        if self._journal is None:
            connection = self._api.connection
            self._own = _begin(connection.context, connection.file)
            self.record_in(self._own)
        assert self._journal is not None
        data = {**data, **self.tags}
        # What came of an act is known here, whether or not the disk takes it.
        self.records.append(Record(len(self.records) + 1, "", kind, data))
        try:
            seq = self._journal.write(kind, **data)
        except GherkubeError:
            if kind == "before":
                self.records.pop()
            raise
        self.records[-1] = self.records[-1]._replace(seq=seq)
        return seq


def _begin(context: str, kubeconfig: str) -> Journal:
    """A new journal of this run, which says where it was; `gherkube clean` plays it when the run is gone.

    Raises JournalFailed, UsageError.
    """
    run = state.begin()
    journal = Journal.create(run.folder / "undo" / f"{time.time_ns()}-{secrets.token_hex(2)}.journal")
    if os.pathsep not in kubeconfig:
        kubeconfig = os.path.abspath(kubeconfig)
    journal.write("begin", run=run.id, context=context, kubeconfig=kubeconfig)
    return journal
