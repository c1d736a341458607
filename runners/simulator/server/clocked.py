"""A process of another program that lives in virtual time: its clock is what we say it is.

kubectl and helm measure their time-outs by the clock of the computer, which knows nothing of a simulation. So
the one function by which a program on Linux reads that clock (`clock_gettime` of the vDSO, vdso(7), which
every program gets a copy of its own of) is replaced in the started program, before its first instruction, by
one that tells a time that stands in two numbers beside it. The time-outs that it waits for are the arguments
of the system calls in which its threads sleep (proc_pid_syscall(5)); when the numbers were moved, a SIGURG,
which the Go runtime takes for one of its own, lets it look at the clock again.

Where this cannot be done (other systems and processors, no ptrace, no program of Go) there is no such
process, and whoever asks goes by real time.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import signal
import struct
import subprocess
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from gherkube.runners.simulator.clock import EPOCH

TRACEME, DETACH = 0, 17
EPOLL_PWAIT = "281"
SLEEPS = frozenset({"202", "219", "232", EPOLL_PWAIT, "441"})
"""System calls in which a thread only waits: futex, restart_syscall, epoll."""
NAPS = frozenset({"35", "230"})
"""nanosleep, clock_nanosleep: what a thread of Go does before it looks again whether there is work."""
STATE = re.compile(r".*\) (\w) ", re.DOTALL)
"""The state of a thread in proc_pid_stat(5): one that was woken, but has not run yet, is R."""
PROC = Path("/proc")
RUNS = "schedstat"
"""Where Linux says how long and how often a thread has run (Documentation/scheduler/sched-stats.rst)."""
FUNCTION = "__vdso_clock_gettime"
NANO = 1_000_000_000
DYNAMIC_SYMBOLS = 11
GO_NOTE = b"\x04\0\0\0Go\0\0"
"""Type and owner of the note in which Go writes a program's build id."""

CODE = bytes.fromhex(
    "0f31 48c1e220 4809d0 48c1e814"  # rax = the processor's counter / 2**20: it grows, by a trifle
    "85ff 740e 83ff05 7409"  # edi is neither CLOCK_REALTIME nor CLOCK_REALTIME_COARSE:
    "480305 2b000000 eb07"  #   rax += the monotonic time
    "488b05 1a000000"  # else rax = the time of day
    "31d2 b900ca9a3b 48f7f1"  # rax, rdx = divmod(rax, 1_000_000_000)
    "488906 48895608 31c0 c3"  # the timespec at rsi; return 0
)
"""clock_gettime(edi, rsi) of x86-64, by nanoseconds of two numbers that stand behind it."""
NUMBERS = 64
"""How far behind its beginning they stand: the time of day, the monotonic time."""


class Sleep(NamedTuple):
    """What all threads of a process sleep in: thread, system call with its arguments, and how long and how
    often the thread had run before."""

    threads: tuple[tuple[int, str, str], ...]

    def timers(self) -> dict[int, float]:
        """The threads that wait for a time, and for how many seconds."""
        found = {}
        for thread, call, _ in self.threads:
            number, *arguments = call.split()
            if number == EPOLL_PWAIT and 0 < (timeout := int(arguments[3], 16)) < 1 << 31:
                found[thread] = timeout / 1000
        return found


class Clocked:
    """A program in virtual time. Beginning it raises OSError when it cannot be begun so."""

    def __init__(
        self,
        command: Sequence[str],
        now: float,
        *,
        environment: Mapping[str, str],
        folder: Path,
        output: IO[bytes],
    ) -> None:
        """`now` in seconds since EPOCH; what it prints goes to `output`."""
        if (platform.system(), platform.machine()) != ("Linux", "x86_64") or not _is_of_go(command[0]):
            raise OSError("no program can be given a clock of its own here")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self._began, self._base = now, time.monotonic_ns()
        self._memory = -1
        with warnings.catch_warnings():  # about fork beside threads: the child calls ptrace and begins
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=folder,
                    preexec_fn=self._be_traced,
                )
            except subprocess.SubprocessError as error:
                raise OSError(str(error)) from None
        try:
            os.waitpid(self.process.pid, 0)  # it stops where the program begins
            self._memory = os.open(PROC / str(self.process.pid) / "mem", os.O_RDWR)
            (PROC / str(self.process.pid) / RUNS).read_bytes()  # or this raises
            self._at = self._function()
            os.pwrite(self._memory, CODE, self._at)
            self.set(now)
            self._libc.ptrace(DETACH, self.process.pid, None, None)
            self.set(now)  # it can still be, or this raises
        except BaseException:
            self.close()
            raise

    def set(self, now: float) -> None:
        """It is that time for the process; threads that wait for a time look whether it has come."""
        numbers = (int((EPOCH.timestamp() + now) * NANO), self._base + int((now - self._began) * NANO))
        os.pwrite(self._memory, struct.pack("<QQ", *numbers), self._at + NUMBERS)

    def wake(self, sleep: Sleep) -> None:
        """Lets the threads that wait for a time look at the clock again."""
        self._interrupt(sleep.timers())

    def sleep(self) -> Sleep | None:
        """What it sleeps in, all threads at once; None while it does anything."""
        first = self._threads()
        return first if first is not None and first == self._threads() else None

    def _threads(self) -> Sleep | None:
        """What its threads sleep in, one after another: one may wake another meanwhile."""
        threads, naps = [], []
        tasks = PROC / str(self.process.pid) / "task"
        try:
            for thread in sorted(os.listdir(tasks)):
                call = (tasks / thread / "syscall").read_text()
                number = call.partition(" ")[0]
                state = STATE.match((tasks / thread / "stat").read_text())
                if number not in SLEEPS | NAPS or state is None or state[1] != "S":
                    return None
                if number in NAPS:
                    naps.append(int(thread))
                threads.append((int(thread), call, (tasks / thread / RUNS).read_text()))
        except OSError:  # it ends, or a thread of it does
            return None
        self._interrupt(naps)
        return Sleep(tuple(threads)) if threads and not naps else None

    def _interrupt(self, threads: Iterable[int]) -> None:
        """Lets threads look at once at what they wait for."""
        for thread in threads:
            self._libc.tgkill(self.process.pid, thread, signal.SIGURG)

    def close(self) -> None:
        """Ends it, should it not have ended."""
        if self._memory >= 0:
            os.close(self._memory)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _be_traced(self) -> None:
        """In the child: makes it stop when the program is there."""
        if self._libc.ptrace(TRACEME, 0, None, None):
            raise OSError("ptrace is not allowed")

    def _function(self) -> int:
        """Where the function is."""
        maps = (PROC / str(self.process.pid) / "maps").read_text()
        found = re.search(r"^(\w+)-(\w+) .*\[vdso\]$", maps, re.MULTILINE)
        if found is None:
            raise OSError("the program has no vDSO")
        start, end = (int(each, 16) for each in found.groups())
        offset, size = _symbol(os.pread(self._memory, end - start, start), FUNCTION)
        if size < NUMBERS + 16:
            raise OSError("there is no room for a clock")
        return start + offset


def _symbol(image: bytes, name: str) -> tuple[int, int]:
    """Offset and size of a dynamic symbol of an ELF image, elf(5). OSError when there is none."""
    (table,) = struct.unpack_from("<Q", image, 40)
    size, number = struct.unpack_from("<HH", image, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, table + index * size) for index in range(number)]
    with suppress(StopIteration):
        symbols = next(section for section in sections if section[1] == DYNAMIC_SYMBOLS)
        names = sections[symbols[6]][4]
        for at in range(symbols[4], symbols[4] + symbols[5], 24):
            word, _, _, _, value, length = struct.unpack_from("<IBBHQQ", image, at)
            if image.startswith(name.encode() + b"\0", names + word):
                return value, length
    raise OSError(f"there is no {name}")


def _is_of_go(program: str) -> bool:
    """Whether the file is a program built by Go."""
    with open(program, "rb") as file:
        head = file.read(8192)
    return head.startswith(b"\x7fELF") and GO_NOTE in head
