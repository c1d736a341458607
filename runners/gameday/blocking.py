"""Steps of a project's own that block: a game day looks on meanwhile, and ends them once it is halted.

A step is interrupted now and then, wherever its code is, as by ^C. One that does not end by that (it swallows
whatever is raised, or waits outside of Python) is ended with the whole process, in whose place `undo` comes.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.stage import Halted, Stage

LOOKS = 1.0
"""Real seconds between two looks while a step blocks."""
GRACE = 10.0
"""Real seconds after a halt in which a step has to end."""


class Ended(BaseException):
    """Ends a step of a game day that is halted. No `except Exception` of the step keeps it from that."""


@contextmanager
def looking_on(
    stage: Stage, watch: Callable[[], object], control: Control, give_up: Callable[[str], object]
) -> Iterator[None]:
    """Around a scenario, in the main thread: calls `watch`, which may raise Halted, while a step blocks.

    `give_up` is called in another thread with the step that goes on for longer than GRACE after a halt; it
    should not return.
    """

    def look(_: int, frame: FrameType | None) -> None:
        if step := stage.blocking(frame):
            try:
                watch()
            except Halted as error:
                raise Ended(f"{error}; that ended {step}") from None

    def wait() -> None:
        while not control.halted:
            if over.wait(LOOKS):
                return
        until, step = time.monotonic() + GRACE, ""
        while not over.wait(min(LOOKS, GRACE)):
            before, step = step, stage.blocking(sys._current_frames().get(main.ident or 0))
            if step and step == before and time.monotonic() > until:
                # Whatever takes the place of this process would inherit the timer.
                signal.setitimer(signal.ITIMER_REAL, 0)
                give_up(step)
                return

    over, main = threading.Event(), threading.main_thread()
    waiter = threading.Thread(target=wait, name="gameday-blocking", daemon=True)
    before = signal.signal(signal.SIGALRM, look)
    waiter.start()
    signal.setitimer(signal.ITIMER_REAL, LOOKS, LOOKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        over.set()
        waiter.join()
