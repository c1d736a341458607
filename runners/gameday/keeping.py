"""Keeps the lock of a game day while it runs: renews it, and hears what is asked of its holder."""

from __future__ import annotations

import threading
import time

from gherkube.runners.errors import GherkubeError
from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.lease import LASTS, LOOKED, RENEWED, Lease, Locked, stamp, steady_time

MARGIN = 15.0
"""Seconds before a lock expires at which its holder stops acting."""


class Keeper:
    """A thread that holds a lock from `begin` to `close`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._ended = threading.Event()
        self._until = steady_time() + LASTS
        self.lost = ""
        """Why it is not held any more."""
        self._thread: threading.Thread | None = None

    def begin(self, control: Control) -> None:
        """Renews it from now on; who asks through it to halt is heard by `control`."""
        self._until = steady_time() + LASTS
        self._lease.api.pause = self._pause
        self._thread = threading.Thread(target=self._keep, args=(control,), name="gameday-lock", daemon=True)
        self._thread.start()

    def check(self) -> str:
        """Why nothing may be done any more; "" while the lock is held."""
        if not self.lost and steady_time() > self._until - MARGIN:
            return (
                f"the lock could not be renewed for {LASTS - MARGIN:g} s: the API server does not answer, "
                "and the lock is about to expire"
            )
        return self.lost

    def is_answered(self) -> bool:
        """Whether the API server answers."""
        try:
            self._lease.look()
        except GherkubeError:
            return False
        return True

    @property
    def expires(self) -> str:
        """Until when it is held."""
        return stamp(self._lease.now() + self._until - steady_time())

    def close(self) -> None:
        """Renews it no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._lease.api.pause = time.sleep

    def _pause(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise Locked("the lock is not kept any more")

    def _keep(self, control: Control) -> None:
        renewed = steady_time()
        while not self._ended.wait(LOOKED):
            began = steady_time()
            try:
                if began >= renewed + RENEWED:
                    found = self._lease.renew()
                    renewed, self._until = began, began + LASTS
                else:
                    there = self._lease.look()
                    if there is None or there.holder != self._lease.holder:
                        raise Locked(f"it was taken by {there.holder}" if there else "it was removed")
                    found = there
            except Locked as error:
                self.lost = f"the lock is lost: {error}"
                return
            except GherkubeError:
                continue  # `check` says when that lasts too long
            if found.halt:
                control.halt(found.halt.get("by", "somebody"), found.halt.get("why", ""))
